"""How loud each frame is: one FFT, from which gate, gain and onset dating all take what they need.

Conventions: a frame is 30 ms of int16 mono; levels are dB re a full-scale square wave (a full-scale sine
is -3 dBFS), of the 125-7500 Hz band, which leaves out rumble and what lossy codecs cut off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.records import Block, Span

FLOOR_DBFS = -120.0
"""What digital silence measures; 16-bit quantisation noise alone is -101 dBFS."""

GATE_BAND_EDGES_HZ = (125.0, 500.0, 1500.0, 3500.0, 7500.0)
"""Four bands: rumble and voice pitch, vowels, consonants and alarms, hiss and clicks."""

FLUX_BANDS = (3, 6, 6, 6)
"""Parts each of the four bands is cut into for the flux: narrower ones fluctuate too much in 30 ms."""

FLUX_FLOOR_DBFS = -100.0
"""Added to each part before its logarithm, so that single flickering bits are no change of spectrum."""

TAPER = 0.25
"""Share of the frame under the window's slopes: a Hann window would be deaf to clicks between frames."""

NO_POWER: NDArray[np.float32] = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Level:
    """How loud one frame is, and how much it differs from the frame before."""

    span: Span
    """The frame's place in the stream."""
    dbfs: float
    """Level of 125-7500 Hz in this frame alone, not smoothed, >= -120 [dBFS]."""
    bands: tuple[float, ...]
    """Mean squares of the four bands between `GATE_BAND_EDGES_HZ`, full scale 1."""
    flux: float
    """Mean rise of the 21 narrower bands since the frame before, falls counted as 0; 0 after a gap [dB]."""
    power: NDArray[np.float32] = field(default_factory=lambda: NO_POWER, compare=False, repr=False)
    """Mean squares of the bins of 125-7500 Hz (`LevelMeter.bins_hz`), full scale 1; empty in replays."""


class LevelMeter:
    """Measures frames; remembers only the previous frame's spectrum, and forgets that at a gap.

    `sample_rate` [Hz] of at least 8000; `frame_length` [samples].
    """

    def __init__(self, *, sample_rate: int, frame_length: int) -> None:
        if sample_rate < 8000:
            raise ValueError(f"sample_rate must be at least 8000 Hz, not {sample_rate}")
        window = _tapered(frame_length)
        # One-sided spectrum: twice the power of the positive frequencies is the mean square (Parseval).
        norm = 2.0 / (frame_length * float(np.sum(window**2)))
        self._window = (window * math.sqrt(norm) / 32768).astype(np.float32)
        bins = np.array(GATE_BAND_EDGES_HZ) * frame_length / sample_rate
        edges = np.minimum(np.ceil(bins).astype(int), frame_length // 2 + 1)
        parts = [
            np.linspace(low, high, n, endpoint=False).astype(int)
            for low, high, n in zip(edges[:-1], edges[1:], FLUX_BANDS, strict=True)
        ]
        self._first, self._last = int(edges[0]), int(edges[-1])
        self.bins_hz: NDArray[np.float64] = np.arange(self._first, self._last, dtype=np.float64) * (
            sample_rate / frame_length
        )
        """(bins,) the frequencies of `Level.power` [Hz]."""
        self._parts = np.concatenate(parts) - self._first
        self._groups = np.cumsum((0, *FLUX_BANDS[:-1]))
        self._flux_floor = np.float32(10 ** (FLUX_FLOOR_DBFS / 10))
        self._previous = np.zeros(len(self._parts), np.float32)
        self._expected = -1

    def measure(self, frame: Block) -> Level:
        """Measure the next frame of `frame_length` samples."""
        return self.measure_all([frame])[0]

    def measure_all(self, frames: Sequence[Block]) -> list[Level]:
        """Measure the next frames, which may lie in one block: one FFT call for all is half the cost."""
        if not frames:
            return []
        spectra = np.fft.rfft(np.array([frame.samples for frame in frames]) * self._window)
        spectra = spectra[:, self._first : self._last]
        power = np.square(spectra.real) + np.square(spectra.imag)
        parts = np.add.reduceat(power, self._parts, axis=1)  # (frames, 21)
        logs = np.log10(parts + self._flux_floor)
        previous = np.concatenate((self._previous[np.newaxis], logs[:-1]))
        rises = (np.maximum(logs - previous, 0.0).sum(axis=1) * 10 / logs.shape[1]).tolist()
        bands = np.add.reduceat(parts, self._groups, axis=1).tolist()  # (frames, 4)
        levels = []
        for frame, band, rise, row in zip(frames, bands, rises, power, strict=True):
            levels.append(
                Level(
                    span=Span(frame.start, frame.stop),
                    dbfs=_decibels(sum(band)),
                    bands=tuple(band),
                    flux=rise if frame.start == self._expected else 0.0,
                    power=row,
                )
            )
            self._expected = frame.stop
        self._previous = logs[-1]
        return levels


def _tapered(length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A Tukey window: flat in the middle, raised-cosine slopes over `TAPER` of its length."""
    distance = (np.minimum(np.arange(length), np.arange(length)[::-1]) + 0.5) / (length * TAPER / 2)
    window: np.ndarray[tuple[int], np.dtype[np.float64]] = 0.5 - 0.5 * np.cos(np.pi * np.minimum(distance, 1))
    return window


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 1e-12 else FLOOR_DBFS
