"""When a sound began and ended (its onset and offset), by its level.

A window's score says that a sound is somewhere inside it, not where. `events.onset` chooses its onset
among the rises of the level up to 4.6 s back. Where nothing rose (a sound inside louder ones), the centre
of the window is the best estimate. The offset is the last moment, in the last window that scored, above
the noise floor (the 10th percentile of 10 s) + 3 dB. Digital silence is no noise: it counts as the floor
only where the level shows no sound otherwise, as for a steady sound that follows it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.events.onset import MEAN_SECONDS, REACH_SECONDS, Evidence, Onset, find_onset
from detector.records import Span

SMOOTHING_SECONDS = 0.05
PEAK_SECONDS = 0.1
FLOOR_SECONDS = 10.0
FLOOR_PERCENTILE = 10
RISE_DB = 3.0
REACH_OVER_WINDOW_SECONDS = 1.0
"""A sound may have begun at least so long before the first window that scored."""
QUIETEST_BAND = 10**-9.6
"""Mean square below which a band is silent, -96 dBFS: there the last bits of a 16-bit microphone flicker."""
DIGITAL_SILENCE_DBFS = -100.0
"""Below this there is no microphone: its noise, or 16-bit rounding alone (-101 dBFS), is louder."""
UNHEARD_DBFS = -120.0
"""What digital silence measures, and the level of an event of which no frame is held."""
JOINED_SECONDS = 0.5
"""A sound that began no later after the stream did may have been there before: nobody knows its rise."""
LOST_DBFS = -200.0
"""Marks frames that were never received: before the stream began, or lost in a gap."""


class LevelHistory:
    """The levels of the last seconds, one value per frame, addressed by sample.

    `frame_length` [samples]; `longest_window` [samples] is the longest window that will be dated.
    """

    def __init__(self, *, sample_rate: int, frame_length: int, longest_window: int) -> None:
        self._length = frame_length
        per_second = sample_rate / frame_length
        self._smoothing = max(1, round(SMOOTHING_SECONDS * per_second))
        self._peak = max(1, round(PEAK_SECONDS * per_second))
        self._per_second = per_second
        self.sample_rate = sample_rate
        """Hertz."""
        over_window = longest_window + round(REACH_OVER_WINDOW_SECONDS * sample_rate)
        self._reach = max(round(REACH_SECONDS * sample_rate), over_window)
        self._lead = round(MEAN_SECONDS * per_second) + 1
        self._floor = round(FLOOR_SECONDS * per_second)
        frames = self._floor + 2 * (self._reach + longest_window) // frame_length + self._lead + 8
        self._dbfs = np.full(frames, LOST_DBFS)
        self._bands: NDArray[np.float64] | None = None
        self._start = 0
        self._stop = 0

    @property
    def stop(self) -> int:
        """One past the newest sample."""
        return self._stop

    @property
    def reach_seconds(self) -> float:
        """How far before the end of a window an onset may lie."""
        return self._reach / self.sample_rate

    def push(self, span: Span, dbfs: float, bands: Sequence[float] = ()) -> None:
        """Add one frame's level [dBFS] and its bands' mean squares; a gap before it counts as unheard.

        Without `bands`, in all frames or none, the level is the only one.
        """
        slot = span.stop // self._length
        lost = slot - self._stop // self._length - 1
        if lost > 0:
            self._dbfs[np.arange(slot - min(lost, len(self._dbfs)), slot) % len(self._dbfs)] = LOST_DBFS
        self._dbfs[slot % len(self._dbfs)] = dbfs
        powers = bands or (10 ** (dbfs / 10),)
        if self._bands is None:
            self._bands = np.full((len(self._dbfs), len(powers)), QUIETEST_BAND)
        self._bands[slot % len(self._dbfs)] = powers
        if self._start == self._stop:
            self._start = span.start
        self._stop = span.stop

    def forget(self) -> None:
        """What came before does not connect to what follows."""
        self._dbfs[:] = LOST_DBFS
        self._start = self._stop

    def onset(self, window: Span, evidence: Evidence | None = None, *, after: int = 0) -> Onset:
        """When, not before sample `after`, the sound in `window`, the first one that scored, began."""
        start = max(window.stop - self._reach, self._start, after)
        levels = self._band_levels(start - self._lead * self._length, window.stop)
        ends, excess, seconds = np.zeros(0), np.zeros(0), np.zeros(0)
        if evidence is not None:
            ends = (evidence.stops - window.stop) / self.sample_rate
            excess, seconds = evidence.excess, evidence.seconds
        found = find_onset(
            levels,
            first=len(levels) - (window.stop - start) // self._length,
            per_second=self._per_second,
            ends=ends,
            excess=excess,
            seconds=seconds,
        )
        if found is None:
            middle = max((window.start + window.stop) // 2, start)
            return Onset(middle, None if window.start < self._start else 0.0)
        row, rise_db = found
        sample = max(start, window.stop - (len(levels) - row) * self._length)
        joined = sample - self._start < JOINED_SECONDS * self.sample_rate
        return Onset(sample, None if joined else rise_db)

    def offset(self, window: Span, onset: int) -> int:
        """One past the last sample of the sound in `window`, the last one that scored.

        What followed is known by now, and shows the noise floor under a sound that went on for long.
        """
        levels = self._smoothed(max(window.start, onset), window.stop)
        for threshold in self._thresholds(self._stop):
            above = np.flatnonzero(levels >= threshold)
            if len(above):
                return window.stop - (len(levels) - 1 - int(above[-1])) * self._length
        return max((window.start + window.stop) // 2, min(onset + self._length, window.stop))

    def peak(self, start: int, stop: int) -> float:
        """Highest 100 ms level [dBFS] between two samples, of what is still held."""
        levels = self._averaged(start, stop, self._peak)
        return max(UNHEARD_DBFS, float(levels.max())) if len(levels) else UNHEARD_DBFS

    def _thresholds(self, stop: int) -> list[float]:
        """Levels [dBFS] that count as sound, by the 10 s before `stop`: over noise, or digital silence."""
        levels = self._read(stop - self._floor * self._length, stop)
        received = levels[levels > LOST_DBFS]
        noise = received[received > DIGITAL_SILENCE_DBFS]
        return [_floor(part) + RISE_DB for part in (noise, received) if len(part)]

    def _smoothed(self, start: int, stop: int) -> NDArray[np.float64]:
        return self._averaged(start, stop, self._smoothing)

    def _averaged(self, start: int, stop: int, frames: int) -> NDArray[np.float64]:
        """Power-averaged levels over the last `frames` frames, one for each frame of the span."""
        levels = self._read(start - (frames - 1) * self._length, stop)
        if len(levels) < frames:
            return levels
        power = np.convolve(10 ** (levels / 10), np.full(frames, 1 / frames), mode="valid")
        averaged: NDArray[np.float64] = 10 * np.log10(power)
        return averaged

    def _band_levels(self, start: int, stop: int) -> NDArray[np.float64]:
        """Levels [dB] of the frames between two samples, (frames, bands); frames never received are quiet."""
        if self._bands is None:
            return np.zeros((0, 1))
        recent = self._slots(stop - self._floor * self._length, stop)
        received = self._bands[recent[self._dbfs[recent] > LOST_DBFS]]
        slots = self._slots(start, stop)
        powers = self._bands[slots]
        if len(received):
            quiet = len(received) * FLOOR_PERCENTILE // 100
            powers[self._dbfs[slots] <= LOST_DBFS] = np.partition(received, quiet, axis=0)[quiet]
        levels: NDArray[np.float64] = 10 * np.log10(np.maximum(powers, QUIETEST_BAND))
        return levels

    def _read(self, start: int, stop: int) -> NDArray[np.float64]:
        return self._dbfs[self._slots(start, stop)]

    def _slots(self, start: int, stop: int) -> NDArray[np.intp]:
        """Where the frames between two samples are held."""
        newest = self._stop // self._length
        last = min(-(-stop // self._length), newest)
        first = max(start // self._length, newest - len(self._dbfs))
        return np.arange(first + 1, last + 1) % len(self._dbfs)


def _floor(levels: NDArray[np.float64]) -> float:
    slot = len(levels) * FLOOR_PERCENTILE // 100
    return float(np.partition(levels, slot)[slot])
