"""Where the files of models lie, checked before they are used, and classifiers made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from detector.backends import onnx_model, tflite_model
from detector.backends.bundle import RUNTIMES, Bundle, FileKind, Runtime
from detector.backends.embeddings import NetworkEmbedder
from detector.backends.ensemble import CombinedClassifier
from detector.backends.prior import PriorClassifier
from detector.errors import ModelError, WrongModel
from detector.files.data_folders import models_folder
from detector.files.guarded import is_file
from detector.interfaces import Classifier, Embedder
from detector.modelstore.catalogue import ModelCatalogue
from detector.modelstore.checksum import checked_bytes, checked_derived_bytes
from detector.modelstore.folders import is_closed, searched_folders

_IS_INSTALLED: Mapping[FileKind, Callable[[], bool]] = {
    "tflite": tflite_model.is_installed,
    "onnx": onnx_model.is_installed,
}
INSTALL: Mapping[FileKind, str] = {"tflite": tflite_model.INSTALL, "onnx": onnx_model.INSTALL}
"""What runs a file of this kind, and what to do where it is missing."""


EMBEDDING = "embedding"
"""The output of that name, in files that this program writes."""

OWN = "it cannot be downloaded: copy the model's folder again, or train it again"
"""The remedy for a file that nobody publishes."""


def file_path(bundle: Bundle, kind: FileKind) -> Path:
    """Return the path of a model file, present or not: in its bundle, else in a models folder."""
    name = bundle.files[kind].name
    beside = bundle.folder / name
    folders = [folder / bundle.spec.name for folder in searched_folders()]
    own = [folder / name for folder in folders if is_closed(folder)]
    return next((path for path in (beside, *own) if is_file(path)), own[0] if own else beside)


def target_path(bundle: Bundle, kind: FileKind) -> Path:
    """Return where a model file is brought to: in its bundle where it is there, else in the models folder."""
    name = bundle.files[kind].name
    beside = bundle.folder / name
    return beside if is_file(beside) else models_folder() / bundle.spec.name / name


def read_model_file(bundle: Bundle, kind: FileKind) -> bytes:
    """Return a model file's bytes, checked; ModelError where it is absent or damaged."""
    path, file = file_path(bundle, kind), bundle.files[kind]
    pull = f"run: sound-detector models pull {bundle.spec.name}"
    if not file.sources and file.derived_from is None:
        pull = OWN
    if not is_file(path):
        if file.derived_from is None or not (kind == "onnx" or is_file(file_path(bundle, file.derived_from))):
            raise ModelError(f"model {bundle.spec.name} is not on this machine; {pull}")
        # To build an ONNX file takes more than to run one.
        first = "" if kind == "tflite" and is_runtime_installed(kind) else f"{INSTALL[kind]} and "
        raise ModelError(f"model {bundle.spec.name} has no {kind} file on this machine; {first}{pull}")
    if file.derived_from is not None:
        return checked_derived_bytes(path, origin_sha256=bundle.files[file.derived_from].sha256, remedy=pull)
    return checked_bytes(path, size=file.size, sha256=file.sha256, remedy=pull)


def load_classifier(
    name_or_path: str,
    catalogue: ModelCatalogue | None = None,
    *,
    runtime: str = "auto",
    threads: int = 1,
    prior: bool = True,
) -> Classifier:
    """Make the classifier of networks: `tflite`, `onnx`, or with `auto` the first that is here and installed.

    For combined networks `runtime` holds for each. `prior` subtracts the model's prior, where it has one.
    ModelError where the model is unknown, a head, not pulled, damaged, or no runtime can run it.
    """
    catalogue = catalogue or ModelCatalogue()
    bundle = catalogue.bundle(name_or_path)
    return load_network(catalogue, bundle, runtime=runtime, threads=threads, prior=prior)


def load_embedder(
    name_or_path: str, catalogue: ModelCatalogue | None = None, *, runtime: str = "auto", threads: int = 1
) -> Embedder:
    """Make a classifier that also gives its embedding; those of combined networks are concatenated.

    ModelError as `load_classifier`, and where the model gives none.
    """
    catalogue = catalogue or ModelCatalogue()
    bundle = catalogue.bundle(name_or_path)
    classifier = load_network(catalogue, bundle, runtime=runtime, threads=threads, embeddings=True)
    return NetworkEmbedder(classifier, [network.spec.name for network in catalogue.networks(bundle)])


def load_network(
    catalogue: ModelCatalogue,
    bundle: Bundle,
    *,
    runtime: str,
    threads: int,
    prior: bool = True,
    embeddings: bool = False,
) -> Classifier:
    """Make a bundle's classifier; with `embeddings` its scores come with those of its networks."""
    each = [
        _load(network, runtime_for(network, runtime), threads, prior=prior, embedding=embeddings)
        for network in catalogue.networks(bundle)
    ]
    if not bundle.members:
        return each[0]
    weights = [member.weight for member in bundle.members]
    return CombinedClassifier(bundle.spec, list(zip(each, weights, strict=True)), bias=bundle.bias)


def load_graph(head: Bundle, features: int, preferred: Sequence[Runtime]) -> Classifier:
    """Make the classifier that runs a head's graph, whose window is an embedding of so many features.

    It uses one of the preferred runtimes where the head has a file for it.
    """
    here = [runtime for runtime in preferred if runtime in usable_runtimes(head)]
    spec = replace(head.spec, window=features)
    return _load(replace(head, spec=spec), here[0] if here else _auto(head), 1)


def _load(
    bundle: Bundle, runtime: Runtime, threads: int, *, prior: bool = False, embedding: bool = False
) -> Classifier:
    content, file = read_model_file(bundle, runtime), bundle.files[runtime]
    front_end = bundle.front_end if file.input == "logmel" else None
    classifier: Classifier
    if runtime == "tflite":
        classifier = tflite_model.TfliteClassifier(
            content,
            bundle.spec,
            front_end=front_end,
            logits=file.logits,
            embedding=(EMBEDDING if file.embedding is None else file.embedding) if embedding else None,
            threads=threads,
        )
    else:
        classifier = onnx_model.OnnxClassifier(
            content, bundle.spec, front_end=front_end, embedding=embedding, threads=threads
        )
    if prior and bundle.prior:
        return PriorClassifier(classifier, np.array(bundle.prior, np.float32))
    return classifier


def runtimes(bundle: Bundle) -> list[Runtime]:
    """Name the runtimes that the model has a file for, the preferred first."""
    return [runtime for runtime in RUNTIMES if runtime in bundle.files]


def is_runtime_installed(kind: FileKind) -> bool:
    """Whether the package that runs such a file can be imported; false for `torch`, which none runs."""
    return kind in _IS_INSTALLED and _IS_INSTALLED[kind]()


def runtime_for(bundle: Bundle, runtime: str) -> Runtime:
    """The runtime of this name, or with `auto` the first that is installed and has its file here."""
    return _auto(bundle) if runtime == "auto" else _named(bundle, runtime)


def _auto(bundle: Bundle) -> Runtime:
    usable, known = usable_runtimes(bundle), runtimes(bundle)
    here = [runtime for runtime in known if is_file(file_path(bundle, runtime))]
    if here and not usable:
        raise ModelError(f"no installed runtime can run model {bundle.spec.name}; {INSTALL[here[0]]}")
    return (usable or known)[0]


def usable_runtimes(bundle: Bundle) -> list[Runtime]:
    """Name those that could run the model now, the preferred first."""
    here = [runtime for runtime in runtimes(bundle) if is_file(file_path(bundle, runtime))]
    return [runtime for runtime in here if is_runtime_installed(runtime)]


def _named(bundle: Bundle, runtime: str) -> Runtime:
    for known in runtimes(bundle):
        if known == runtime:
            return known
    raise WrongModel(f"model {bundle.spec.name} runs on {' or '.join(runtimes(bundle))}, not on {runtime}")
