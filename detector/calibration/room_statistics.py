"""Statistics of a room by which thresholds and the gate's floor are chosen, in one pass over the log.

Of each label the highest vote counts: it is confirmed when m of the last n windows reach its threshold, so a
threshold above the highest m-th largest score of n consecutive windows keeps it silent. Where every label is
silent, nothing is left for label hierarchy or gate to decide. Conventions: seconds count as in `log_replay`,
arrays have shape (labels,).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detector.calibration.floor import FloorSearch, Levels
from detector.calibration.sound_log import Frame, Item
from detector.records import Scores

STRETCH_SECONDS = 10.0
"""A label that reaches its threshold again within this time is on the same occasion."""

NEVER_SECONDS = -1e9


class LabelVotes:
    """The highest vote of every reported label, and on which occasions it reached its threshold.

    `apply` maps a model's scores to those of reported labels; `thresholds` float32 (labels,) those in force;
    `needed` of `of` windows confirm; `hop` [samples]: windows further apart do not follow on each other.
    """

    def __init__(
        self,
        apply: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        thresholds: NDArray[np.float32],
        *,
        needed: int,
        of: int,
        hop: int,
    ) -> None:
        count = len(thresholds)
        self._apply = apply
        self._thresholds = thresholds
        self._needed = needed
        self._hop = hop
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=of)
        self._stop = 0
        self.windows = 0
        """Scored so far."""
        self.highest = np.zeros(count, dtype=np.float32)
        """The score that m of n windows reached together."""
        self.occasions = np.zeros(count, dtype=np.int64)
        """How often the label reached its threshold."""
        self.blocks = np.zeros(count, dtype=np.int64)
        """In how many pieces of `STRETCH_SECONDS` it did."""
        self.first = np.zeros(count)
        """Seconds at which it first did."""
        self.last = np.full(count, NEVER_SECONDS)
        """Seconds at which it last did."""

    def push(self, scores: Scores, seconds: float) -> None:
        """Take the next window, which ended at `seconds`."""
        if scores.span.stop - self._stop > self._hop or scores.span.stop < self._stop:
            self._recent.clear()
        self._stop = scores.span.stop
        self.windows += 1
        self._recent.append(self._apply(scores.values))
        if len(self._recent) < self._needed:
            return
        vote = np.sort(np.array(self._recent), axis=0)[-self._needed]
        np.maximum(self.highest, vote, out=self.highest)
        reached = vote >= self._thresholds
        if reached.any():
            self.first[reached & (self.occasions == 0)] = seconds
            self.occasions += reached & (seconds - self.last > STRETCH_SECONDS)
            self.blocks += reached & (seconds // STRETCH_SECONDS > self.last // STRETCH_SECONDS)
            self.last[reached] = seconds


class RoomStatistics:
    """Everything that is known of one part of the log."""

    def __init__(self, votes: LabelVotes, floor: FloorSearch) -> None:
        self.votes = votes
        self.floor = floor
        self.levels = Levels()
        self.seconds = 0.0
        """Length of that part."""

    def push(self, item: Item, seconds: float) -> None:
        """Take the next item."""
        if isinstance(item, Scores):
            self.votes.push(item, seconds)
        elif isinstance(item, Frame):
            self.levels.push(item.dbfs)
            self.floor.push(item)
            self.seconds = seconds
