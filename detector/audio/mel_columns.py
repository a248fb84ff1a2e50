"""A spectrogram for people: columns of mel bands in half decibels, twenty a second.

Conventions: a column is uint8 (BANDS,), the low band first; the level in the band is value / 2 - 120 [dB re a
full-scale square wave, as in `audio.level`].
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMel, LogMelParams, periodic_hann
from detector.records import Block

BANDS = 64
"""Mel bands from LOW_HERTZ to HIGH_HERTZ."""
LOW_HERTZ = 50.0
HIGH_HERTZ = 8000.0
COLUMNS_PER_SECOND = 20
FLOOR_DB = -120.0
"""What the value 0 means, and digital silence."""
STEPS_PER_DB = 2

_FRAME_SECONDS = 0.064
"""Sound in one column, 1024 samples at 16 kHz: long enough to tell low bands apart."""


class MelColumns:
    """Turns samples at `sample_rate` [Hz] into columns; stateless."""

    def __init__(self, *, sample_rate: int) -> None:
        self.frame = round(_FRAME_SECONDS * sample_rate)
        """Samples in one column."""
        self.hop = round(sample_rate / COLUMNS_PER_SECOND)
        """Samples from one column to the next."""
        self.high_hertz = min(HIGH_HERTZ, sample_rate / 2)
        """Upper edge of the highest band."""
        self._mel = LogMel(
            LogMelParams(
                sample_rate=sample_rate,
                frame=self.frame,
                hop=self.hop,
                fft=self.frame,
                bands=BANDS,
                low_hz=LOW_HERTZ,
                high_hz=self.high_hertz,
                log_offset=0.0,
                power=2,
            )
        )
        # One-sided spectrum: twice the power of the positive frequencies is the mean square (Parseval).
        taper = periodic_hann(self.frame).astype(np.float64)
        full_scale = 32768.0**2
        self._norm = np.float32(2.0 / (self.frame * float(np.sum(taper**2)) * full_scale))

    def __call__(self, samples: NDArray[np.int16]) -> NDArray[np.uint8]:
        """Return the columns of samples (n,), full scale 32768: uint8 (columns, BANDS).

        Of fewer samples than `frame` there is none, and one more for each `hop` beyond it.
        """
        if len(samples) < self.frame:
            return np.zeros((0, BANDS), np.uint8)
        power = self._mel.bands(samples.astype(np.float32)) * self._norm
        decibels = 10 * np.log10(np.maximum(power, np.float32(1e-12)))
        steps: NDArray[np.float32] = np.clip(np.rint((decibels - FLOOR_DB) * STEPS_PER_DB), 0, 255)
        return steps.astype(np.uint8)


@cache
def mel_columns(sample_rate: int) -> MelColumns:
    """The columns at a rate [Hz]; the same for all who ask."""
    return MelColumns(sample_rate=sample_rate)


class ColumnStream:
    """Blocks of any length in, `together` columns at once out; a gap discards what was held."""

    def __init__(self, columns: MelColumns, *, together: int) -> None:
        self._columns = columns
        self._new = together * columns.hop
        self._held: Block | None = None

    def push(self, block: Block, /) -> list[tuple[int, NDArray[np.uint8]]]:
        """Take one block; return the columns (together, BANDS) it completes.

        Each comes with the index behind the last sample that is in it.
        """
        held = self._held
        if held is not None and held.stop == block.start:
            block = Block(held.start, np.concatenate((held.samples, block.samples)))
        start, samples = block.start, block.samples
        needed = self._columns.frame - self._columns.hop + self._new
        ready = []
        while len(samples) >= needed:
            ready.append((start + needed, self._columns(samples[:needed])))
            start, samples = start + self._new, samples[self._new :]
        self._held = Block(start, samples.copy())  # a view would keep the whole block
        return ready
