"""Any rate and channel count to mono int16 at one rate.

Shapes: in (n,) or (n, channels), int16 or float32 in [-1, 1); out (m,) int16, full scale 32768.
Channels are averaged, or mixed as `downmix` says where that would lose sound; resampling is soxr's HQ recipe,
streamed, so that the cutting of the input makes no difference; what lies beyond full scale is clipped.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.errors import SourceError
from detector.sources.downmix import Downmix

FULL_SCALE = 32768.0


class Resampler(Protocol):
    """What is used of soxr.ResampleStream."""

    def resample_chunk(self, x: NDArray[np.float32], last: bool = False) -> NDArray[np.float32]:
        """Return what is ready of the stream so far."""


class Converter:
    """One stream's way to mono int16; nothing to do means that the samples pass untouched."""

    def __init__(self, *, input_rate: int, output_rate: int, channels: int) -> None:
        self._input_rate = input_rate
        self._output_rate = output_rate
        self._channels = channels
        self._resampler = _resampler(input_rate, output_rate)
        self._downmix = Downmix(sample_rate=input_rate, channels=channels) if channels > 1 else None
        self._frames_in = 0
        self._samples_out = 0
        self.recorded: NDArray[np.float32] | None = None
        """What was pushed last, as mono in [-1, 1] at the input's rate; None where nothing is resampled."""
        self.non_finite = 0
        """NaN and infinite input values replaced by 0 so far."""

    @property
    def channel_fault(self) -> str:
        """What is wrong with the channels, once that was noticed; empty where nothing is."""
        return self._downmix.fault if self._downmix else ""

    @property
    def held_seconds(self) -> float:
        """Sound taken in and not yet given out: the resampler's look-ahead."""
        return max(0.0, self._frames_in / self._input_rate - self._samples_out / self._output_rate)

    def push(self, samples: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.int16]:
        """Convert the next samples of the stream."""
        return self._convert(samples, last=False)

    def flush(self) -> NDArray[np.int16]:
        """The stream has ended or breaks off: return what was held; the next push begins anew."""
        tail = self._convert(np.zeros(0, np.float32), last=True)
        self._resampler = _resampler(self._input_rate, self._output_rate)
        self._frames_in = self._samples_out = 0
        return tail

    def _convert(self, samples: NDArray[np.int16] | NDArray[np.float32], *, last: bool) -> NDArray[np.int16]:
        self._frames_in += len(samples)
        if samples.dtype == np.int16 and self._resampler is None and samples.size == len(samples):
            self._samples_out += len(samples)
            return samples.reshape(-1).astype(np.int16, copy=False)
        mono = self._mono(samples)
        if self._resampler is not None:
            self.recorded = mono
            mono = self._resampler.resample_chunk(mono, last=last)
        self._samples_out += len(mono)
        scaled = np.rint(mono * np.float32(FULL_SCALE))
        samples_out: NDArray[np.int16] = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        return samples_out

    def _mono(self, samples: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Mix the channels; float32 (n,) in [-1, 1]."""
        if samples.dtype == np.int16:
            scaled = samples * np.float32(1 / FULL_SCALE)
        else:
            scaled = self._finite(samples.astype(np.float32, copy=False))
        if scaled.ndim == 1:
            return np.ascontiguousarray(scaled)
        if self._downmix is None:
            return np.ascontiguousarray(scaled[:, 0])
        return self._downmix.push(scaled)

    def _finite(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Clip to full scale before the filter sees it, where one huge value would ring for long."""
        finite = np.isfinite(samples)
        if not finite.all():
            self.non_finite += int(samples.size - np.count_nonzero(finite))
            samples = np.where(finite, samples, np.float32(0))
        return np.clip(samples, -1, 1)


def _resampler(input_rate: int, output_rate: int) -> Resampler | None:
    if input_rate == output_rate:
        return None
    try:
        import soxr
    except ImportError as error:
        raise SourceError(
            f"the sound has {input_rate} Hz where {output_rate} Hz are wanted, which needs the package soxr "
            f"({error}): pip install soxr"
        ) from error
    stream: Resampler = soxr.ResampleStream(input_rate, output_rate, 1, dtype="float32", quality="HQ")
    return stream
