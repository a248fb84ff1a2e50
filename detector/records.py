"""The nouns that travel through the pipeline: frozen, each field with its unit below it.

Positions are integer samples since the stream began, at the rate the model wants;
seconds appear only at the border (`events.timeline`, `wire.message`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # who only reads messages of the wire needs no numpy
    import numpy as np
    from numpy.typing import NDArray

Phase = Literal["start", "update", "end"]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of the stream."""

    start: int
    """First sample."""
    stop: int
    """One past the last sample."""

    @property
    def length(self) -> int:
        """Number of samples."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """Mono sound at the rate at which it was recorded, before it was resampled for the model."""

    start: int
    """Index of its first sample in the stream, at the model's rate."""
    samples: NDArray[np.float32]
    """Shape (n,), in [-1, 1]; never written to."""
    rate: int
    """Hertz."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive mono samples as a source delivers them; a gap is a jump in `start`."""

    start: int
    """Index of the first sample."""
    samples: NDArray[np.int16]
    """Shape (n,), full scale 32768; never written to after the block is made."""
    time: float | None = None
    """UTC seconds since 1970 when the last sample was captured; None where a source has no clock."""
    originals: tuple[Original, ...] | None = None
    """What was recorded since the block before, if it was resampled; it need not begin or end with the block.
    None: the samples are as they were recorded."""

    @property
    def stop(self) -> int:
        """One past the index of the last sample."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The samples that a classifier scores at once."""

    span: Span
    """Where it lies in the stream."""
    samples: NDArray[np.float32]
    """Shape (span.length,), in [-1, 1); never written to after the window is made."""
    gain: float = 1.0
    """Factor by which a classifier raises their amplitude, so that a quiet microphone does not deafen it."""
    stream: int = 0
    """Which of the streams that share a classifier it is of; its windows share what they have in common."""

    def amplified(self) -> NDArray[np.float32]:
        """The samples with the gain, held to full scale; not to be written to."""
        if self.gain == 1.0:
            return self.samples
        import numpy as np

        louder = self.samples * np.float32(self.gain)
        return np.clip(louder, -1.0, 1.0, out=louder)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """A classifier's scores of one window."""

    span: Span
    """The window's place in the stream."""
    values: NDArray[np.float32]
    """Shape (labels,), each 0..1, in the order of `ModelSpec.labels`."""
    embeddings: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Name of a network -> its embedding of the window, shape (features,), for heads."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """What a network makes of some windows before it scores labels: of like sounds it is alike."""

    network: str
    """Its name: embeddings of different networks cannot be compared."""
    values: NDArray[np.float32]
    """Shape (features,)."""


@dataclass(frozen=True, slots=True)
class Label:
    """One thing a model can name."""

    name: str
    """As shown to people: `Smoke detector, smoke alarm`."""
    class_id: str
    """Stable identifier: the AudioSet mid (`/m/01y3hg`), or a custom model's own name for the class."""
    model: str
    """Name of the model that gives its score."""
    ancestors: frozenset[str] = frozenset()
    """`class_id` of every class above it in the model's ontology; empty where there is none."""
    ancestor_names: tuple[str, ...] = ()
    """The names of `ancestors`, the most specific first: whoever asks for `Dog` wants `Bark` too."""
    background: bool = False
    """True for what is always there (Silence, Inside, ...): not reported unless asked for."""
    reported_as: str | None = None
    """`class_id` of the everyday label that reports it, such as Dog for Bark. Empty where it is reported only
    if asked for by name, None where it is an everyday label itself."""
    taught: bool = False
    """True for a label of a head, which its user taught: at its threshold it names the sound."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What the pipeline must know of a model."""

    name: str
    """The bundle's name: `yamnet`."""
    labels: tuple[Label, ...]
    """One for each output, in order."""
    sample_rate: int
    """Hertz."""
    window: int
    """Samples the classifier takes at once."""
    threshold_on: float = 0.3
    """Score at which a label counts as present, where neither the user nor `thresholds` sets another."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Name or `class_id` of a label -> its own `threshold_on`."""

    def threshold(self, label: Label) -> float:
        """Score at which this label counts as present, by the model's own thresholds."""
        own = self.thresholds.get(label.class_id, self.thresholds.get(label.name))
        return self.threshold_on if own is None else own


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a sound may be as well, though less likely."""

    label: Label
    score: float
    """0..1, the highest mean over a few windows so far."""


@dataclass(frozen=True, slots=True)
class VerdictNote:
    """What became of an event by what people said of earlier ones."""

    outcome: Literal["veto", "rename"]
    """`veto`: the event is kept, but told to nobody; `rename`: it is told under another label."""
    heard: Label
    """The label that the detector gave."""
    verdicts: int
    """How many verdicts on sounds like this one say so."""
    nearest: str
    """The `id` of the event whose verdict decided."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The rhythm by which an alarm is known."""

    name: str
    """`T3`, `T4` or `chirp`."""
    cycles: int
    """Cycles heard so far; chirps, for a chirp."""
    hertz: float
    """The beeps' frequency."""


@dataclass(frozen=True, slots=True)
class Event:
    """A labelled sound at one moment of its life; the same `id` from start to end.

    The label is the best one known by then: an update may correct it.
    """

    phase: Phase
    id: int
    """Counts from 1 within one stream."""
    label: Label
    onset: int
    """Sample at which the sound began, back-dated by level."""
    offset: int | None
    """One past the sound's last sample; None until it has ended."""
    decided: int
    """The newest sample known when this was decided."""
    score: float
    """0..1, of the newest window."""
    top_score: float
    """0..1, the highest so far, of this label or of one that was reported before it."""
    level_dbfs: float
    """Highest 100 ms level between onset and now, before any gain [dB re full-scale square wave]."""
    alternatives: tuple[Alternative, ...] = ()
    """Other labels of the same sound, the likeliest first."""
    earlier: tuple[Label, ...] = ()
    """Labels under which the sound was reported before it was corrected."""
    embedding: Embedding | None = field(default=None, compare=False, repr=False)
    """Of the windows on which the label stands; None where the network gives none, and for an end."""
    verdict: VerdictNote | None = None
    """What verdicts changed; None where they changed nothing."""
    pattern: Pattern | None = None
    """The rhythm that it is known by; None where a network named it."""


@dataclass(slots=True)
class Counts:
    """What overload left behind; every field only grows."""

    blocks_dropped: int = 0
    """Blocks the capture queue had no room for, or that came far too late."""
    samples_lost: int = 0
    """Samples missing from the stream: dropped blocks, overflows, time without a device."""
    windows: int = 0
    """Windows classified."""
    windows_skipped: int = 0
    """Windows left out because the worker was behind."""
    gate_openings: int = 0
    """Times the gate went from closed to open."""
    events: int = 0
    """Events started."""
