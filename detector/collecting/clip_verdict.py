"""Whether a clip is good to learn from: its level, how far it is above the room, whether it clipped.

Conventions: samples int16 mono; `level` and `floor` are 90 ms levels of 125-7500 Hz as in `audio.level`
[dB re a full-scale square wave]; `peak` is the largest sample [dB re full scale].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.datasets.clip_quality import (
    CLIPPED_SAMPLES,
    FLOOR_PERCENTILE,
    FULL_SCALE,
    LEAST_OVER_DB,
    LOWEST_DBFS,
    Verdict,
)

SMOOTHING_FRAMES = 3
"""Frames of 30 ms in one level."""
ROOM_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured of one clip."""

    verdict: Verdict
    seconds: float
    peak_dbfs: float
    level_dbfs: float
    floor_dbfs: float

    @property
    def over_db(self) -> float:
        """The clip's loudest moment over the floor of the room."""
        return self.level_dbfs - self.floor_dbfs

    def __str__(self) -> str:
        """`3.0 s  peak   -8.2 dBFS   31.4 dB over the room`."""
        return f"{self.seconds:4.1f} s  peak {self.peak_dbfs:6.1f} dBFS  {self.over_db:5.1f} dB over the room"


def judge(
    samples: NDArray[np.int16],
    *,
    sample_rate: int,
    before: Sequence[float],
    during: Sequence[float],
    room: bool,
) -> Report:
    """Measure one clip.

    `before` and `during` are the levels of the frames in front of the clip and in it [dBFS], in order;
    `room` is true for a recording of the room itself, which need not be louder than the room.
    """
    levels = _smoothed([*before, *during])
    inside = levels[-len(during) :] if during else levels
    floor = max(LOWEST_DBFS, float(np.percentile(levels, FLOOR_PERCENTILE))) if len(levels) else LOWEST_DBFS
    level = max(floor, float(inside.max())) if len(inside) else floor
    wide = samples.astype(np.int32)
    if len(wide) == 0 or wide.min() == wide.max():
        verdict = Verdict.SILENT
    elif np.count_nonzero(np.abs(wide) >= FULL_SCALE) >= CLIPPED_SAMPLES:
        verdict = Verdict.CLIPPED
    elif not room and level - floor < LEAST_OVER_DB:
        verdict = Verdict.TOO_QUIET
    else:
        verdict = Verdict.GOOD
    return Report(verdict, len(wide) / sample_rate, peak_dbfs(samples), level, floor)


def peak_dbfs(samples: NDArray[np.int16]) -> float:
    """The largest sample, at least LOWEST_DBFS [dB re full scale]."""
    peak = int(np.abs(samples.astype(np.int32)).max(initial=0))
    return max(LOWEST_DBFS, 20 * math.log10(min(peak, FULL_SCALE) / FULL_SCALE)) if peak else LOWEST_DBFS


def _smoothed(levels: Sequence[float]) -> NDArray[np.float64]:
    """Mean powers of each frame and those before it, as levels; the first ones have fewer to average."""
    sums = np.cumsum(np.concatenate(([0.0], 10 ** (np.asarray(levels, dtype=np.float64) / 10))))
    stops = np.arange(1, len(levels) + 1)
    starts = np.maximum(0, stops - SMOOTHING_FRAMES)
    mean = np.maximum((sums[stops] - sums[starts]) / (stops - starts), 1e-12)
    smoothed: NDArray[np.float64] = 10 * np.log10(mean)
    return smoothed
