"""Log-mel patches: the spectrogram picture that YAMNet and its kin look at.

Shapes: samples float32 (n,) in [-1, 1) -> patch float32 (frames, bands), natural logarithm of mel magnitude.
Source: YAMNet's `features.py` and `params.py` (tensorflow/models, research/audioset/yamnet) and
`tf.signal.linear_to_mel_weight_matrix`: HTK's mel scale, triangles that are straight in mel (librosa's are
straight in hertz), no normalisation, nothing from the zero-frequency bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


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

    def frames(self, samples: int) -> int:
        """Count the whole frames in so many samples."""
        return max(0, 1 + (samples - self.frame) // self.hop)


class LogMel:
    """Turns samples into a log-mel patch; stateless."""

    def __init__(self, params: LogMelParams) -> None:
        self.params = params
        self._taper = periodic_hann(params.frame)
        self._mel = mel_weights(params)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the patch, shape (params.frames(len(samples)), bands), float32."""
        params = self.params
        frames = sliding_window_view(samples, params.frame)[:: params.hop]  # (frames, frame)
        spectrum = np.abs(np.fft.rfft(frames * self._taper, n=params.fft))  # (frames, fft / 2 + 1)
        mel = spectrum.astype(np.float32, copy=False) @ self._mel  # (frames, bands)
        patch: NDArray[np.float32] = np.log(mel + np.float32(params.log_offset))
        return patch


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
