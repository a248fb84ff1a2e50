"""What the tracker knows of an event that is not over, and what earlier ones forbid."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.events.hysteresis import State
from detector.records import Span

NEVER = -(2**62)
"""A sample before every window: the first ones reach back beyond the stream's start."""


@dataclass(slots=True)
class Life:
    """An event that is not over."""

    place: int
    onset: int
    last_heard: Span
    top_score: float
    peak_dbfs: float
    peaked: int
    """Up to which sample `peak_dbfs` is settled: what lies later may not belong to the sound."""
    id: int = 0
    state: State = State.RISING
    told: int = 0
    """Sample at which the world last heard of it."""
    score: float = 0.0


@dataclass(slots=True)
class Past:
    """What earlier events forbid: samples before which windows or starts do not count."""

    voice_from: NDArray[np.int64]
    start_from: NDArray[np.int64] = field(init=False)
    onset_from: NDArray[np.int64] = field(init=False)
    """Samples before which no event of the label can have begun: another one was heard until then."""

    def __post_init__(self) -> None:
        self.start_from = self.voice_from.copy()
        self.onset_from = self.voice_from.copy()
