"""Log-mel patches: the spectrogram picture that YAMNet, EfficientAT and their kin look at.

Shapes: samples float32 (n,) in [-1, 1) -> patch float32 (frames, bands), natural logarithm of mel magnitude
or power.
Sources: YAMNet's `features.py` and `params.py` (tensorflow/models, research/audioset/yamnet) and
`tf.signal.linear_to_mel_weight_matrix`: HTK's mel scale, triangles that are straight in mel (librosa's are
straight in hertz), no normalisation, nothing from the zero-frequency bin. Kaldi's `get_mel_banks`, which
EfficientAT uses, is the same; EfficientAT (arXiv:2211.04772) adds pre-emphasis and frames that are centred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

AT_ONCE = 64
"""Frames that are transformed together: more take memory and no less time."""


@dataclass(frozen=True, slots=True)
class LogMelParams:
    """How a model wants its log-mel patches made."""

    sample_rate: int
    """Hertz."""
    frame: int
    """Samples under one analysis window."""
    hop: int
    """Samples from one frame to the next."""
    fft: int
    """Points of the transform; the frame is padded with zeros up to it."""
    bands: int
    """Mel bands."""
    low_hz: float
    """Lower edge of the lowest band."""
    high_hz: float
    """Upper edge of the highest band."""
    log_offset: float
    """Added before the logarithm, so that silence is finite."""
    power: int = 1
    """Exponent of the magnitudes that are summed into bands: 1, or 2 for their power."""
    preemphasis: float = 0.0
    """Share of the sample before that is taken from each sample; the first sample is then used up."""
    centred: bool = False
    """Frames around the multiples of `hop`, the sound mirrored at both ends; else whole frames only."""

    def frames(self, samples: int) -> int:
        """Count the frames in so many samples."""
        usable = samples - bool(self.preemphasis) + 2 * self._mirrored
        return max(0, 1 + (usable - self._reach) // self.hop)

    def reach(self, frames: int) -> int:
        """Count the samples that so many frames take, the mirrored ones left out."""
        return bool(self.preemphasis) + self._reach + (frames - 1) * self.hop - 2 * self._mirrored

    @property
    def mirrored_frames(self) -> int:
        """Frames at either end into which the sound may be mirrored."""
        return -(-self._mirrored // self.hop)

    @property
    def _reach(self) -> int:
        """Samples that a frame and the zeros around it take: a centred frame is padded on both sides."""
        return self.fft if self.centred else self.frame

    @property
    def _mirrored(self) -> int:
        return self.fft // 2 if self.centred else 0


class LogMel:
    """Turns samples into a log-mel patch; stateless."""

    def __init__(self, params: LogMelParams) -> None:
        self.params = params
        self._taper = _taper(params)
        self._mel = mel_weights(params)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the patch, shape (params.frames(len(samples)), bands), float32."""
        return self.logarithm(self.bands(samples))

    def bands(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the logarithm is taken of: the sum in each band, (frames, bands), float32."""
        params = self.params
        if params.preemphasis:
            samples = samples[1:] - np.float32(params.preemphasis) * samples[:-1]
        if params.centred:
            half = params.fft // 2  # np.pad does the same and takes ten times as long
            samples = np.concatenate((samples[half:0:-1], samples, samples[-2 : -half - 2 : -1]))
        frames = sliding_window_view(samples, len(self._taper))[:: params.hop]  # (frames, frame)
        bands = np.empty((len(frames), params.bands), np.float32)
        for start in range(0, len(frames), AT_ONCE):
            stop = start + AT_ONCE
            spectrum = np.fft.rfft(frames[start:stop] * self._taper, n=params.fft)  # (frames, fft / 2 + 1)
            power = np.square(spectrum.real) + np.square(spectrum.imag)
            if params.power == 1:
                np.sqrt(power, out=power)
            np.matmul(power.astype(np.float32, copy=False), self._mel, out=bands[start:stop])
        return bands

    def logarithm(self, bands: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the patch of such sums."""
        patch: NDArray[np.float32] = np.log(bands + np.float32(self.params.log_offset))
        return patch


def _taper(params: LogMelParams) -> NDArray[np.float32]:
    """The window over one frame; in the middle of zeros where frames are centred."""
    taper = periodic_hann(params.frame)
    if not params.centred:
        return taper
    before = (params.fft - params.frame) // 2
    return np.pad(taper, (before, params.fft - params.frame - before))


def periodic_hann(length: int) -> NDArray[np.float32]:
    """Return the Hann window with period `length`, shape (length,), float32."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


def mel_weights(params: LogMelParams) -> NDArray[np.float32]:
    """Return the weight of each bin in each band, shape (fft / 2 + 1, bands), float32, 0..1."""
    bins = _mel(np.linspace(0.0, params.sample_rate / 2, params.fft // 2 + 1))[:, np.newaxis]
    edges = np.linspace(_mel(params.low_hz), _mel(params.high_hz), params.bands + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]  # each (bands,)
    rising = (bins - lower) / (centre - lower)
    falling = (upper - bins) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights.astype(np.float32)


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz, dtype=np.float64) / 700.0))
