"""The slow gain in front of the classifier, so that a quiet microphone does not deafen it.

The loudest of the last 10 s is brought to `target_dbfs`, but steady noise only to -60 dBFS: raised further,
mains hum becomes music to the classifier and hiss a waterfall. Steady is what fluctuates no more than
Gaussian noise can, in each of four bands; rain and helicopters, which are no louder than their own
background, fluctuate more than that and get the whole gain.

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

STEADY_LIMIT_DBFS = -60.0
"""Steady noise is raised to this at most."""

SUDDEN_DB = (6.0, 12.0)
"""Loudest over the 10th percentile where an event is first suspected, and where it is certain."""

NOISE_SPREAD_DB = (5.1, 2.7, 1.77, 1.25)
"""90th minus 10th percentile of 30 ms levels in the four bands, measured on brown noise, the least steady."""

UNSTEADY = (1.5, 2.0)
"""Multiples of that spread: noises of all colours stay below the first, nearly all sounds exceed it."""

SPREAD_FRAMES = 24
"""Fewer say nothing about a spread: in 0.2 s, noise too reaches twice its own."""

QUIETEST_DBFS = -96.0
"""A band below this counts as this: there the last bits flicker."""


class Gain:
    """Brings the loudest of the last 10 s to `target_dbfs`, by 0 to `max_gain_db`, steady noise excepted."""

    def __init__(
        self, *, frame_length: int, sample_rate: int, target_dbfs: float = -28.0, max_gain_db: float = 40.0
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
        self._levels.push(10 * math.log10(sum(self._powers) / len(self._powers)))
        for band, power in zip(self._bands, level.bands, strict=True):
            band.push(max(QUIETEST_DBFS, 10 * math.log10(power)) if power > 0 else QUIETEST_DBFS)
        loudest, background = self._levels.at(1.0), self._levels.at(0.1)
        wanted = min(self._max_gain_db, self._target_dbfs - loudest)
        if wanted <= 0:
            return 0.0
        steady = min(wanted, max(0.0, STEADY_LIMIT_DBFS - background))
        return steady + (wanted - steady) * max(_share(loudest - background, SUDDEN_DB), self._unsteadiness())

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        self._powers: deque[float] = deque(maxlen=self._smoothing)
        self._levels = _Recent(self._memory)
        self._bands = [_Recent(self._memory) for _ in NOISE_SPREAD_DB]

    def _unsteadiness(self) -> float:
        """0 where every band fluctuates as noise does, 1 where one does twice as much."""
        if len(self._bands[0]) < SPREAD_FRAMES:
            return 0.0
        spreads = [band.at(0.9) - band.at(0.1) for band in self._bands]
        return _share(max(map(float.__truediv__, spreads, NOISE_SPREAD_DB)), UNSTEADY)


class _Recent:
    """The last `length` values, in the order of time and in that of size."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._values: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def push(self, value: float) -> None:
        if len(self._values) == self._length:
            del self._sorted[bisect_left(self._sorted, self._values.popleft())]
        self._values.append(value)
        insort(self._sorted, value)

    def at(self, share: float) -> float:
        """The value below which this share of them lies."""
        return self._sorted[int(share * (len(self._sorted) - 1))]


def _share(value: float, bounds: tuple[float, float]) -> float:
    """How far `value` is from the lower to the upper bound, 0..1."""
    low, high = bounds
    return min(1.0, max(0.0, (value - low) / (high - low)))
