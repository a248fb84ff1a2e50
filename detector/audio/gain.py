"""The slow gain in front of the classifier, so that a quiet microphone does not deafen it.

Conventions: levels in dBFS, gains in dB, upward only; causal, one value per 30 ms frame.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

from detector.audio.level import Level

MEMORY_SECONDS = 10.0
"""How long a loud sound keeps the gain down, and the stretch over which the background is judged."""

SMOOTHING_SECONDS = 0.1
"""Levels are means over this long: single frames of a click say little about loudness."""

BACKGROUND_LIMIT_DBFS = -50.0
"""Stationary background is never raised above this, or the classifier hears seas and engines in it."""

STATIONARY_DB = 6.0
"""Where the loudest of the memory is this far or less over its 10th percentile, all of it is background."""

EVENTFUL_DB = 12.0
"""Where it is this far or more over it, something happened and the background limit does not apply."""


class Gain:
    """Brings the loudest of the last 10 s to `target_dbfs`, by 0 to `max_gain_db`."""

    def __init__(
        self, *, frame_length: int, sample_rate: int, target_dbfs: float = -30.0, max_gain_db: float = 40.0
    ) -> None:
        frame_seconds = frame_length / sample_rate
        self._target_dbfs = target_dbfs
        self._max_gain_db = max_gain_db
        self._smoothing = max(1, round(SMOOTHING_SECONDS / frame_seconds))
        self._memory = round(MEMORY_SECONDS / frame_seconds)
        self.reset()

    def push(self, level: Level) -> float:
        """The gain now [dB], after one more frame."""
        self._powers.append(10 ** (level.dbfs / 10))
        smoothed = 10 * math.log10(sum(self._powers) / len(self._powers))
        if len(self._levels) == self._memory:
            del self._sorted[bisect_left(self._sorted, self._levels.popleft())]
        self._levels.append(smoothed)
        insort(self._sorted, smoothed)
        loudest = self._sorted[-1]
        background = self._sorted[len(self._sorted) // 10]
        wanted = self._target_dbfs - loudest
        limit = max(0.0, BACKGROUND_LIMIT_DBFS - background)
        share = (loudest - background - STATIONARY_DB) / (EVENTFUL_DB - STATIONARY_DB)
        eventful = min(1.0, max(0.0, share))
        return max(0.0, min(self._max_gain_db, wanted, limit + eventful * max(0.0, wanted - limit)))

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        self._powers: deque[float] = deque(maxlen=self._smoothing)
        self._levels: deque[float] = deque()
        self._sorted: list[float] = []
