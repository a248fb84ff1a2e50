"""When a sound really began and ended, by its level.

A window says that a label is somewhere inside it. The onset is the last upward crossing of the
noise floor + 3 dB that follows at least 0.3 s below it, between one second before the first
window that scored and its end; the offset is the last moment above that level in the last
window that scored. On soundscapes this raised event F1 by 8 to 20 points over stamping events
with the window's end, centre or start (DESIGN: the largest gain of all). Digital silence is no
noise: it counts as the floor only where the level shows no crossing otherwise, as for a steady
sound that follows it. Where it still shows none (a sound inside louder ones), the window's
centre is the best guess.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.records import Span

SMOOTHING_SECONDS = 0.05
PEAK_SECONDS = 0.1
FLOOR_SECONDS = 10.0
FLOOR_PERCENTILE = 10
RISE_DB = 3.0
QUIET_SECONDS = 0.3
REACH_SECONDS = 1.0
DIGITAL_SILENCE_DBFS = -100.0
"""Below this there is no microphone: its noise, or 16-bit rounding alone (-101 dBFS), is louder."""
UNHEARD_DBFS = -120.0
"""What digital silence measures, and the level of an event of which no frame is held."""
LOST_DBFS = -200.0
"""Marks frames that were never heard: before the stream, in a gap."""


class LevelHistory:
    """The levels of the last seconds, one value per frame, addressed by sample.

    `frame_length` [samples]; `longest_window` [samples] is the longest window that will be dated.
    """

    def __init__(self, *, sample_rate: int, frame_length: int, longest_window: int) -> None:
        self._length = frame_length
        per_second = sample_rate / frame_length
        self._smoothing = max(1, round(SMOOTHING_SECONDS * per_second))
        self._peak = max(1, round(PEAK_SECONDS * per_second))
        self._quiet = max(1, round(QUIET_SECONDS * per_second))
        self._reach = round(REACH_SECONDS * sample_rate)
        self._floor = round(FLOOR_SECONDS * per_second)
        frames = self._floor + 2 * (self._reach + longest_window) // frame_length + 8
        self._dbfs = np.full(frames, LOST_DBFS)
        self._start = 0
        self._stop = 0

    @property
    def stop(self) -> int:
        """One past the newest sample."""
        return self._stop

    def push(self, span: Span, dbfs: float) -> None:
        """Add one frame's level [dBFS]; a gap before it counts as unheard."""
        place = span.stop // self._length
        lost = place - self._stop // self._length - 1
        if lost > 0:
            self._dbfs[np.arange(place - min(lost, len(self._dbfs)), place) % len(self._dbfs)] = LOST_DBFS
        self._dbfs[place % len(self._dbfs)] = dbfs
        if self._start == self._stop:
            self._start = span.start
        self._stop = span.stop

    def forget(self) -> None:
        """What came before does not connect to what follows."""
        self._dbfs[:] = LOST_DBFS
        self._start = self._stop

    def onset(self, window: Span) -> int:
        """Sample at which the sound in `window`, the first one that scored, began."""
        start = max(window.start - self._reach, self._start)
        levels = self._smoothed(start - self._quiet * self._length, window.stop)
        for threshold in self._thresholds(window.stop):
            above = levels >= threshold
            for frame in range(len(above) - 1, self._quiet - 1, -1):
                if above[frame] and not above[frame - self._quiet : frame].any():
                    return max(start, window.stop - (len(above) - frame) * self._length)
        return max((window.start + window.stop) // 2, self._start)

    def offset(self, window: Span, onset: int) -> int:
        """One past the last sample of the sound in `window`, the last one that scored.

        What followed is known by now and tells the floor under a sound that went on for long.
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
        heard = levels[levels > LOST_DBFS]
        noise = heard[heard > DIGITAL_SILENCE_DBFS]
        return [_floor(part) + RISE_DB for part in (noise, heard) if len(part)]

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

    def _read(self, start: int, stop: int) -> NDArray[np.float64]:
        newest = self._stop // self._length
        last = min(-(-stop // self._length), newest)
        first = max(start // self._length, newest - len(self._dbfs))
        places = np.arange(first + 1, last + 1) % len(self._dbfs)
        return self._dbfs[places]


def _floor(levels: NDArray[np.float64]) -> float:
    place = len(levels) * FLOOR_PERCENTILE // 100
    return float(np.partition(levels, place)[place])
