"""What the tracker keeps of an event that is not over, and what earlier events suppress."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.events.hysteresis import State
from detector.records import Span

NEVER = -(2**62)
"""A sample before every window: the first ones reach back beyond the stream's start."""


@dataclass(slots=True)
class ActiveEvent:
    """An event that is not over."""

    label_index: int
    onset: int
    last_window: Span
    """The last window whose score was not below threshold_off."""
    top_score: float
    peak_dbfs: float
    peak_settled_at: int
    """Up to which sample `peak_dbfs` is settled: what lies later may not belong to the sound."""
    id: int = 0
    state: State = State.RISING
    reported_at: int = 0
    """Sample at which it was last reported."""
    score: float = 0.0


@dataclass(slots=True)
class Suppression:
    """What earlier events suppress, per reported label."""

    votes_from: NDArray[np.int64]
    """Shape (labels,): windows that start before this sample cast no vote."""
    starts_from: NDArray[np.int64] = field(init=False)
    """Shape (labels,): windows that end before this sample start no event."""
    onsets_from: NDArray[np.int64] = field(init=False)
    """Shape (labels,): no event of the label began before this sample: another lasted until then."""

    def __post_init__(self) -> None:
        self.starts_from = self.votes_from.copy()
        self.onsets_from = self.votes_from.copy()
