"""Which models there are, where their files lie, and a classifier from one: no network here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from detector import strict
from detector.backends import onnx_model, tflite_model
from detector.backends.bundle import RUNTIMES, Bundle, FileKind, Runtime, load_bundle
from detector.backends.combined import CombinedClassifier
from detector.backends.embedder import NetworkEmbedder
from detector.backends.prior import PriorClassifier
from detector.errors import ModelError
from detector.interfaces import Classifier, Embedder
from detector.modelstore.checksum import checked_bytes, checked_derived_bytes
from detector.modelstore.folders import models_folder, shipped_folder

_IS_INSTALLED: Mapping[FileKind, Callable[[], bool]] = {
    "tflite": tflite_model.is_installed,
    "onnx": onnx_model.is_installed,
}
_INSTALL: Mapping[FileKind, str] = {"tflite": tflite_model.INSTALL, "onnx": onnx_model.INSTALL}


def available() -> list[str]:
    """Name the bundles in the user's folder and those that ship with the program, sorted."""
    folders = (models_folder(), shipped_folder())
    return sorted({path.parent.name for folder in folders for path in folder.glob("*/model.yaml")})


def find(name_or_path: str) -> Path:
    """Return a bundle's folder: a path to one, else by name, the user's own before the program's."""
    if Path(name_or_path).name != name_or_path or name_or_path in {"", ".", ".."}:
        folder = Path(name_or_path).expanduser()
        if not (folder / "model.yaml").is_file():
            raise ModelError(f"{name_or_path}: expected the folder of a model, with a model.yaml in it")
        return folder
    for place in (models_folder(), shipped_folder()):
        if (place / name_or_path / "model.yaml").is_file():
            return place / name_or_path
    names = available()
    hint = strict.did_you_mean(name_or_path, names) or f"known are {', '.join(names)}"
    raise ModelError(f"there is no model {strict.show(name_or_path)}; {hint}")


def file_path(bundle: Bundle, kind: FileKind) -> Path:
    """Return where a model file lies, or will lie once pulled: in its bundle, else in the user's folder."""
    name = bundle.files[kind].name
    beside = bundle.folder / name
    return beside if beside.is_file() else models_folder() / bundle.spec.name / name


def read_model_file(bundle: Bundle, kind: FileKind) -> bytes:
    """Return a model file's bytes, checked; ModelError where it is absent or damaged."""
    path, file = file_path(bundle, kind), bundle.files[kind]
    pull = f"run: sound-detector models pull {bundle.spec.name}"
    if not path.is_file():
        if file.derived_from is None:
            raise ModelError(f"model {bundle.spec.name} is not on this machine; {pull}")
        raise ModelError(
            f"model {bundle.spec.name} has no {kind} file on this machine; {_INSTALL[kind]} and {pull}"
        )
    if file.derived_from is not None:
        return checked_derived_bytes(path, origin_sha256=bundle.files[file.derived_from].sha256, remedy=pull)
    return checked_bytes(path, size=file.size, sha256=file.sha256, remedy=pull)


def load_classifier(
    name_or_path: str,
    *,
    runtime: str = "auto",
    threads: int = 1,
    prior: bool = True,
    embeddings: bool = False,
) -> Classifier:
    """Make the classifier of a model: `tflite`, `onnx`, or with `auto` the first that is here and installed.

    Where models answer together, that is said of each of them. `prior` subtracts the model's prior, if it
    has one; with `embeddings` the scores bring those along that the networks tell.
    ModelError where the model is unknown, not pulled, damaged, or no runtime can run it.
    """
    bundle = load_bundle(find(name_or_path))
    weights = [member.weight for member in bundle.members]
    if weights:
        each = [
            _load_network(network, runtime, threads, prior=prior, embedding=embeddings)
            for network in networks(bundle)
        ]
        return CombinedClassifier(bundle.spec, list(zip(each, weights, strict=True)), bias=bundle.bias)
    return _load_network(bundle, runtime, threads, prior=prior, embedding=embeddings)


def load_embedder(name_or_path: str, *, runtime: str = "auto", threads: int = 1) -> Embedder:
    """Make a classifier that also tells its embedding: yamnet, mn04, or yamnet+mn04, one behind the other.

    ModelError as `load_classifier`, and where the model tells none.
    """
    members = [network.spec.name for network in networks(load_bundle(find(name_or_path)))]
    classifier = load_classifier(name_or_path, runtime=runtime, threads=threads, embeddings=True)
    return NetworkEmbedder(classifier, members)


def _load_network(bundle: Bundle, runtime: str, threads: int, *, prior: bool, embedding: bool) -> Classifier:
    chosen = _auto(bundle) if runtime == "auto" else _named(bundle, runtime)
    content = read_model_file(bundle, chosen)
    front_end = bundle.front_end if bundle.files[chosen].input == "logmel" else None
    classifier: Classifier
    if chosen == "tflite":
        classifier = tflite_model.TfliteClassifier(
            content,
            bundle.spec,
            front_end=front_end,
            logits=bundle.files["tflite"].logits,
            embedding=bundle.files["tflite"].embedding if embedding else None,
            threads=threads,
        )
    else:
        classifier = onnx_model.OnnxClassifier(
            content, bundle.spec, front_end=front_end, embedding=embedding, threads=threads
        )
    if prior and bundle.prior:
        return PriorClassifier(classifier, np.array(bundle.prior, np.float32))
    return classifier


def networks(bundle: Bundle) -> list[Bundle]:
    """Give the bundles that hold the networks of a model: itself, or its members'."""
    if not bundle.members:
        return [bundle]
    found = [load_bundle(find(member.model)) for member in bundle.members]
    for network in found:
        if network.members:
            raise ModelError(
                f"model {bundle.spec.name}: its member {network.spec.name} is made of others itself"
            )
    return found


def runtimes(bundle: Bundle) -> list[Runtime]:
    """Name the runtimes that the model has a file for, the preferred first."""
    return [runtime for runtime in RUNTIMES if runtime in bundle.files]


def is_runtime_installed(kind: FileKind) -> bool:
    """Whether the package that runs such a file can be imported; weights to build from, none runs."""
    return kind in _IS_INSTALLED and _IS_INSTALLED[kind]()


def _auto(bundle: Bundle) -> Runtime:
    known = runtimes(bundle)
    here = [runtime for runtime in known if file_path(bundle, runtime).is_file()]
    usable = [runtime for runtime in here if is_runtime_installed(runtime)]
    if here and not usable:
        raise ModelError(f"nothing here can run model {bundle.spec.name}; {_INSTALL[here[0]]}")
    return (usable or known)[0]


def _named(bundle: Bundle, runtime: str) -> Runtime:
    for known in runtimes(bundle):
        if known == runtime:
            return known
    raise ModelError(f"model {bundle.spec.name} runs on {' or '.join(runtimes(bundle))}, not on {runtime}")
