"""A spectrogram of any length in a few hundred columns, gathered while the sound goes by.

Columns start as short as a frame; whenever there are too many, each two neighbours become one that keeps the
louder value of both, so that a short sound in a long recording stays visible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.records import Block

FRAME = 1024
"""Samples in one FFT; 64 ms at 16 kHz."""
HOP = 512
MOST_COLUMNS = 4096
"""A page zooms into them; an hour has one for each half second."""
BANDS = 128
LOWEST_HZ = 50.0
FLOOR_DBFS = -110.0
DYNAMIC_DB = 75.0
"""What pictures show: from so far below the loudest half percent."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """What `Overview` gathered."""

    dbfs: NDArray[np.float32]
    """Shape (bands, columns)."""
    edges_hz: NDArray[np.float64]
    """Shape (bands + 1,), evenly spaced on the mel scale."""
    seconds: float
    """Length of the whole."""

    @property
    def top_dbfs(self) -> float:
        """What pictures show as the loudest: half a percent of the whole is louder."""
        return float(np.percentile(self.dbfs, 99.5))

    def in_columns(self, most: int) -> Spectrogram:
        """The same in less than twice as many columns; of neighbours that become one, the loudest stays."""
        bands, columns = self.dbfs.shape
        merge = columns // most
        if merge < 2:
            return self
        edge = np.repeat(self.dbfs[:, -1:], -columns % merge, axis=1)
        parts = np.hstack((self.dbfs, edge)).reshape(bands, -1, merge)
        return Spectrogram(parts.max(axis=2), self.edges_hz, self.seconds)


class Overview:
    """Takes blocks; between HOP and 2 x MOST_COLUMNS columns are held at any time."""

    def __init__(self, *, sample_rate: int) -> None:
        self._rate = sample_rate
        self._window = np.hanning(FRAME).astype(np.float32)
        # A full-scale square wave is 0 dBFS, as everywhere; one-sided power over the window's own.
        self._norm = 2.0 / (FRAME * float(np.sum(self._window**2))) / 32768.0**2
        self._edges = _mel_edges(sample_rate)
        self._bins = _distinct(self._edges * FRAME / sample_rate)
        self._rest = np.zeros(0, np.int16)
        self._columns: list[NDArray[np.float32]] = []
        self._pending: list[NDArray[np.float32]] = []
        self._merge = 1
        self._samples = 0

    def push(self, block: Block) -> None:
        """Take the next samples; a gap counts as if it were not there."""
        self._samples += len(block.samples)
        held = np.concatenate((self._rest, block.samples))
        count = max(0, (len(held) - FRAME) // HOP + 1)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(held, FRAME)[: count * HOP : HOP]  # (n, FRAME)
            spectrum = np.fft.rfft(frames * self._window)  # (n, FRAME / 2 + 1)
            power = np.square(spectrum.real) + np.square(spectrum.imag)
            bands = np.maximum.reduceat(power, self._bins[:-1], axis=1).astype(np.float32) * self._norm
            for column in bands.astype(np.float32):
                self._add(column)
        self._rest = held[count * HOP :]

    def finish(self) -> Spectrogram:
        """The sound ended."""
        columns = [*self._columns, *([np.max(self._pending, axis=0)] if self._pending else [])]
        power = np.array(columns, np.float32).T if columns else np.zeros((BANDS, 1), np.float32)
        dbfs = 10 * np.log10(np.maximum(power, np.float32(10 ** (FLOOR_DBFS / 10))))
        return Spectrogram(dbfs.astype(np.float32), self._edges, self._samples / self._rate)

    def _add(self, column: NDArray[np.float32]) -> None:
        self._pending.append(column)
        if len(self._pending) < self._merge:
            return
        self._columns.append(np.max(self._pending, axis=0))
        self._pending = []
        if len(self._columns) >= 2 * MOST_COLUMNS:
            pairs = np.array(self._columns)
            self._columns = list(np.maximum(pairs[0::2], pairs[1::2]))
            self._merge *= 2


def _mel_edges(sample_rate: int) -> NDArray[np.float64]:
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, sample_rate / 2))
    edges: NDArray[np.float64] = 700 * (10 ** (np.linspace(low, high, BANDS + 1) / 2595) - 1)
    return edges


def _distinct(bins: NDArray[np.float64]) -> NDArray[np.intp]:
    """Whole FFT bins; bands narrower than one share it."""
    return np.minimum(np.floor(bins).astype(np.intp), FRAME // 2)
