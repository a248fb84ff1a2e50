"""What the tracker keeps of a sound that is not over, and what earlier sounds suppress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.events.boundaries import LevelHistory
from detector.events.hysteresis import State
from detector.records import Alternative, Label, Span

NEVER = -(2**62)
"""A sample before every window: the first ones reach back beyond the stream's start."""

ALTERNATIVES = 3
"""At most so many are told."""
ALTERNATIVE_SCORE = 0.1
"""A label that never reached this score is no alternative."""


@dataclass(slots=True, eq=False)
class ActiveSound:
    """A sound that is not over: what it is, as far as its windows have shown, and since when."""

    label_index: int
    """The best label so far."""
    onset: int
    not_before: int
    """Sample before which no label of this sound may have begun: an earlier sound lasted until then."""
    last_window: Span
    """The last window in which one of its labels was not below threshold_off."""
    total: NDArray[np.float64]
    """Shape (labels,): the scores of its windows, added up while its label may be corrected."""
    windows: int
    """How many were added up."""
    peaks: NDArray[np.float64]
    """Shape (labels,): the highest mean over the preset's windows, in log-odds over the thresholds."""
    top_score: float
    peak_dbfs: float
    peak_settled_at: int
    """Up to which sample `peak_dbfs` is settled: what lies later may not belong to the sound."""
    id: int = 0
    state: State = State.RISING
    reported_at: int = 0
    """Sample at which it was last reported."""
    score: float = 0.0
    earlier: list[int] = field(default_factory=list)
    """Labels under which it was reported before it was corrected."""

    def alternatives(
        self, thresholds: NDArray[np.float64], labels: Sequence[Label]
    ) -> tuple[Alternative, ...]:
        """Labels that came near, the likeliest first; `thresholds` (labels,) in log-odds."""
        highest = 1 / (1 + np.exp(-(self.peaks + thresholds)))
        places = [
            place
            for place in np.argsort(-highest, kind="stable")[: ALTERNATIVES + 1]
            if place != self.label_index and highest[place] >= ALTERNATIVE_SCORE
        ]
        return tuple(Alternative(labels[place], float(highest[place])) for place in places[:ALTERNATIVES])

    def close_labels(self, log_odds: float) -> NDArray[np.bool_]:
        """Which labels came as near to the best one as this (labels,); the best one among them."""
        close: NDArray[np.bool_] = self.peaks >= self.peaks[self.label_index] - log_odds
        return close

    def settle_peak(self, history: LevelHistory) -> None:
        """What lies before the last window that scored is certainly part of the sound."""
        start = self.last_window.start
        if start > self.peak_settled_at:
            self.peak_dbfs = max(self.peak_dbfs, history.peak(self.peak_settled_at, start))
            self.peak_settled_at = start

    def mean(self) -> NDArray[np.float64]:
        """Mean score of every label over the sound's windows (labels,)."""
        return self.total / self.windows


@dataclass(slots=True)
class Suppression:
    """What earlier sounds suppress, per label that competes."""

    votes_from: NDArray[np.int64]
    """Shape (labels,): windows that start before this sample cast no vote."""
    starts_from: NDArray[np.int64] = field(init=False)
    """Shape (labels,): windows that end before this sample start no event."""

    def __post_init__(self) -> None:
        self.starts_from = self.votes_from.copy()
