"""The slow gain in front of the classifier, so that a quiet microphone does not deafen it.

The loudest of the last 10 s is brought to `target_dbfs`, but steady noise only to -55 dBFS: raised further,
mains hum becomes music to the classifier and hiss a waterfall. Steady is what fluctuates no more than
Gaussian noise can, in each of four bands; rain and helicopters, which are no louder than their own
background, fluctuate more than that and get the whole gain.

Conventions: levels in dBFS, gains in dB, upward only; causal, 30 ms frames.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from detector.audio.level import Level

MEMORY_SECONDS = 10.0
"""How long a loud sound keeps the gain down, and the stretch over which the background is judged."""

SMOOTHING_SECONDS = 0.1
"""Levels are means over this long: a single frame of a click shows little of the loudness."""

STEADY_LIMIT_DBFS = -55.0
"""Steady noise is raised to this at most."""

SUDDEN_DB = (6.0, 12.0)
"""Loudest over the 10th percentile where an event is first suspected, and where it is certain."""

NOISE_SPREAD_DB = (5.1, 2.7, 1.77, 1.25)
"""90th minus 10th percentile of 30 ms levels in the four bands, measured on brown noise, the least steady."""

UNSTEADY = (1.5, 2.0)
"""Multiples of that spread: noises of all colours stay below the first, nearly all sounds exceed it."""

SPREAD_FRAMES = 24
"""Fewer are too few to measure a spread: within 0.2 s, noise too reaches twice its own."""

QUIETEST_DBFS = -96.0
"""A band below this counts as this: there the last bits flicker."""


class Gain:
    """Brings the loudest of the last 10 s to `target_dbfs`, by 0 to `max_gain_db`, steady noise excepted."""

    def __init__(
        self, *, frame_length: int, sample_rate: int, target_dbfs: float = -24.0, max_gain_db: float = 40.0
    ) -> None:
        frame_seconds = frame_length / sample_rate
        self._target_dbfs = target_dbfs
        self._max_gain_db = max_gain_db
        self._smoothing = max(1, round(SMOOTHING_SECONDS / frame_seconds))
        self._memory = round(MEMORY_SECONDS / frame_seconds)
        self.reset()

    def push(self, level: Level) -> None:
        """Learn from one more frame; what it makes of the gain is worked out only when that is asked for."""
        self._powers.append(10 ** (level.dbfs / 10))
        self._recent[self._heard % self._memory] = (sum(self._powers) / len(self._powers), *level.bands)
        self._heard += 1

    def current(self) -> float:
        """The gain after the newest frame [dB]; 0 before the first."""
        if not self._heard:
            return 0.0
        recent = np.sort(self._recent[: self._heard], axis=0)  # (frames, 1 + bands), each column by size
        newest = len(recent) - 1
        loudest = _decibels(recent[newest, 0])
        wanted = min(self._max_gain_db, self._target_dbfs - loudest)
        if wanted <= 0:
            return 0.0
        low, high = recent[int(0.1 * newest)].tolist(), recent[int(0.9 * newest)].tolist()
        background = _decibels(low[0])
        steady = min(wanted, max(0.0, STEADY_LIMIT_DBFS - background))
        unsteady = _unsteadiness(low[1:], high[1:]) if len(recent) >= SPREAD_FRAMES else 0.0
        return steady + (wanted - steady) * max(_share(loudest - background, SUDDEN_DB), unsteady)

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        self._powers: deque[float] = deque(maxlen=self._smoothing)
        self._recent = np.zeros((self._memory, 1 + len(NOISE_SPREAD_DB)))  # smoothed power, bands' powers
        self._heard = 0


def _unsteadiness(low: Sequence[float], high: Sequence[float]) -> float:
    """0 where every band fluctuates as noise does, 1 where one does twice as much."""
    spreads = [_decibels(above) - _decibels(below) for below, above in zip(low, high, strict=True)]
    return _share(max(map(float.__truediv__, spreads, NOISE_SPREAD_DB)), UNSTEADY)


def _decibels(power: float) -> float:
    return max(QUIETEST_DBFS, 10 * math.log10(power)) if power > 0 else QUIETEST_DBFS


def _share(value: float, bounds: tuple[float, float]) -> float:
    """How far `value` is from the lower to the upper bound, 0..1."""
    low, high = bounds
    return min(1.0, max(0.0, (value - low) / (high - low)))
