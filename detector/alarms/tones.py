"""The spectra of the last seconds, and the tones that stand out of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BATCH_FRAMES = 32
"""Frames that are looked at together, 0.96 s: in a quiet room one look costs as much as many."""
STIR = 3.0
"""Where no band's power varies by this factor within a batch, nothing beeps there."""
STIR_EDGES_HZ = (450.0, 1500.0, 3500.0)
LOWEST_HZ = 450.0
HIGHEST_HZ = 7000.0
TONAL = 10**0.8
"""A tone stands out of its surroundings by this factor, 8 dB."""
NEAR, FAR = 4, 10
"""The surroundings of a tone: so many bins away, on both sides."""
FLOOR = 10**-11.5
"""Mean square added to each tone before its logarithm: the rounding of 16 bits."""


class ToneHistory:
    """Spectra of frames, newest last, and the tones in them.

    `bins_hz` (bins,): the frequency of each bin [Hz], equally spaced; `frames`: how many are kept.
    """

    def __init__(self, bins_hz: NDArray[np.float64], *, frames: int) -> None:
        self._hz = bins_hz
        self._frames = frames
        first = int(np.searchsorted(bins_hz, LOWEST_HZ))
        last = int(np.searchsorted(bins_hz, min(HIGHEST_HZ, bins_hz[-1 - FAR])))
        self._bands = np.searchsorted(bins_hz, STIR_EDGES_HZ)
        self._first, self._last = max(first, FAR), last
        self._power = np.zeros((2 * frames, len(bins_hz)), np.float32)
        self._row = frames
        self.stop = 0
        """Frames so far."""
        self.peak_frames = np.zeros(0, np.int64)
        """(peaks,) the frame of each tone that is kept."""
        self.peak_bins = np.zeros(0, np.int64)
        """(peaks,) its bin."""

    def push(self, power: NDArray[np.float32]) -> int:
        """Add a batch (frames, bins) of mean squares; returns the number of its tones."""
        count = len(power)
        if self._row + count > len(self._power):
            self._power[: self._frames] = self._power[self._row - self._frames : self._row]
            self._row = self._frames
        self._power[self._row : self._row + count] = power
        self._row += count
        self.stop += count
        if len(self.peak_frames):
            cut = int(np.searchsorted(self.peak_frames, self.stop - self._frames))
            self.peak_frames, self.peak_bins = self.peak_frames[cut:], self.peak_bins[cut:]
        if not count:
            return 0
        bands = np.add.reduceat(power, self._bands, axis=1)
        if not (bands.max(axis=0) > STIR * bands.min(axis=0)).any():
            return 0
        rows, columns = self._peaks(power)
        self.peak_frames = np.concatenate((self.peak_frames, rows + (self.stop - count)))
        self.peak_bins = np.concatenate((self.peak_bins, columns))
        return len(rows)

    def _peaks(self, power: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first, last = self._first, self._last
        tone = power[:, first - 2 : last] + power[:, first - 1 : last + 1] + power[:, first : last + 2]
        # Columns of `tone` are the bins first-1 .. last.
        sums = np.zeros((len(power), power.shape[1] + 1))  # of all bins below a bin
        np.cumsum(power, axis=1, dtype=np.float64, out=sums[:, 1:])
        below = sums[:, first - NEAR + 1 : last - NEAR + 1] - sums[:, first - FAR : last - FAR]
        above = sums[:, first + FAR + 1 : last + FAR + 1] - sums[:, first + NEAR : last + NEAR]
        around = (below + above) * (3 / (2 * (FAR - NEAR + 1)))
        inner = tone[:, 1:-1]
        is_peak = (inner > TONAL * around + FLOOR) & (inner >= tone[:, :-2]) & (inner > tone[:, 2:])
        rows, columns = np.nonzero(is_peak)
        return rows, columns + first

    def newest_peaks(self, frames: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The frame and the bin of each tone in so many newest frames, oldest first."""
        first = int(np.searchsorted(self.peak_frames, self.stop - frames))
        return self.peak_frames[first:], self.peak_bins[first:]

    def levels(self, bins: NDArray[np.int64], frames: int) -> NDArray[np.float32]:
        """(frames, len(bins)): the levels [dBFS] of the newest frames at these tones."""
        power = self._power[self._row - frames : self._row]
        tone = power[:, bins - 1] + power[:, bins] + power[:, bins + 1]
        levels: NDArray[np.float32] = np.float32(10) * np.log10(tone + np.float32(FLOOR))
        return levels

    def spectra(self, start: int, stop: int) -> NDArray[np.float32]:
        """(stop - start, bins): the mean squares of these frames, which must still be kept."""
        offset = self._row - self.stop
        return self._power[max(start + offset, 0) : max(stop + offset, 0)]

    def hertz(self, bin_index: int, start: int, stop: int) -> float:
        """The frequency of a tone [Hz], by the centre of its power in these frames."""
        part = self.spectra(start, stop)[:, bin_index - 1 : bin_index + 2].sum(axis=0, dtype=np.float64)
        total = float(part.sum())
        centre = float(part @ self._hz[bin_index - 1 : bin_index + 2])
        return centre / total if total > 0 else float(self._hz[bin_index])
