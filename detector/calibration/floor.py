"""The gate's floor: the level below which a room's own sound keeps opening the gate for nothing.

Conventions: levels of single 30 ms frames, 125-7500 Hz [dBFS].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.calibration.sound_log import Frame

RESTS = 0.05
"""A gate that is open for at most this share of the time needs no floor; a floor aims at this share."""
MOST_OVER_ROOM_DB = 6.0
"""Over the room's median: so that a sound as loud as the room, and 5 dB more, still opens the gate."""
WORTH_IT = 0.7
"""A floor that does not reach that aim must at least reduce the gate's open time to this share."""

_LOWEST_DBFS, _STEP_DB = -120.0, 0.1


class Levels:
    """How loud the room is, as a histogram of 30 ms levels."""

    def __init__(self) -> None:
        self._counts = np.zeros(round(-_LOWEST_DBFS / _STEP_DB) + 1, dtype=np.int64)

    def push(self, dbfs: float) -> None:
        """Take the next frame's level."""
        index = round((dbfs - _LOWEST_DBFS) / _STEP_DB)
        self._counts[min(max(index, 0), len(self._counts) - 1)] += 1

    def percentile(self, percent: float) -> float:
        """The level below which that share of the frames is [dBFS]; -120 of nothing."""
        total = self._counts.cumsum()
        index = int(np.searchsorted(total, total[-1] * percent / 100))
        return _LOWEST_DBFS + _STEP_DB * min(index, len(total) - 1)


class FloorSearch:
    """For how long the gate would have been open with each of many floors, no event holding it.

    `hangover` [samples].
    """

    def __init__(self, *, hangover: int) -> None:
        self._hangover = hangover
        self.floors = np.arange(-110.0, 0.5, 0.5)
        """Candidates, ascending [dBFS]."""
        self._open_until = np.full(len(self.floors), np.iinfo(np.int64).min)
        self._open = np.zeros(len(self.floors), dtype=np.int64)
        self._heard = 0
        self._stop = -1
        self._new_until = 0

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        span = frame.span
        if span.start != self._stop:
            self._open_until[:] = span.start
            self._new_until = span.start + self._hangover
        self._stop = span.stop
        self._heard += span.length
        below = int(np.searchsorted(self.floors, frame.dbfs, side="right"))
        if frame.is_active:
            self._open_until[:below] = span.stop + self._hangover
        elif span.start < self._new_until:
            self._open_until[:below] = np.maximum(self._open_until[:below], self._new_until)
        self._open += span.length * (self._open_until > span.start)

    def open_share(self) -> NDArray[np.float64]:
        """Share of the time that the gate is open with each of the floors."""
        return self._open / max(1, self._heard)


def choose_floor(search: FloorSearch, levels: Levels, was: float | None) -> float | None:
    """The lowest floor with which the gate is mostly shut; None where none is needed, or none would help.

    `was` is the floor in force; a new one is higher.
    """
    shares, floors = search.open_share(), search.floors
    before = shares[0 if was is None else int(np.searchsorted(floors, was))]
    if before <= RESTS:
        return None
    most = levels.percentile(50) + MOST_OVER_ROOM_DB
    allowed = (floors <= most) & (floors > (-np.inf if was is None else was))
    resting = np.flatnonzero(allowed & (shares <= RESTS))
    if len(resting):
        return float(floors[resting[0]])
    helpful = np.flatnonzero(allowed & (shares <= WORTH_IT * before))
    return float(floors[helpful[-1]]) if len(helpful) else None
