"""The WebRTC voice activity detector, which on other sounds works as a detector of level changes.

Source: https://pypi.org/project/webrtcvad-wheels/, the maintained distribution of the module `webrtcvad`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ConfigError, DetectorError
from detector.records import Block

NATIVE_RATES_HZ = (8000, 16000, 32000, 48000)
"""Rates that the library takes; any other is resampled to `FALLBACK_RATE_HZ`."""

FALLBACK_RATE_HZ = 16000
"""Its cost hardly depends on the rate, and its features end at 4 kHz."""

PIECE_SECONDS = 0.03
"""Length of the pieces it judges after resampling; the library takes 10, 20 or 30 ms."""


class WebRtcVad:
    """Fills `Vad`; at native rates each frame must be 10, 20 or 30 ms.

    `mode` 0..3, from eager to strict. Raises ConfigError for another mode, DetectorError where the library
    is missing.
    """

    def __init__(self, *, sample_rate: int, mode: int) -> None:
        if mode not in range(4):
            raise ConfigError(f"gate.vad_mode: expected 0, 1, 2 or 3, got {mode}")
        self._library = _import_webrtcvad()
        self._mode = mode
        self._frame_rate = sample_rate
        self._resampler: _Resampler | None = None
        self._rate = sample_rate if sample_rate in NATIVE_RATES_HZ else FALLBACK_RATE_HZ
        self.reset()

    def is_active(self, frame: Block) -> bool:
        """Whether speech, or any change of level, is heard in this frame.

        At other rates the answer covers the 30 ms pieces that this frame completed, and repeats the last
        answer where it completed none.
        """
        if self._resampler is None:
            return bool(self._vad.is_speech(frame.samples.tobytes(), self._rate))
        pieces = self._resampler.push(frame.samples)
        if pieces:
            answers = [bool(self._vad.is_speech(piece.tobytes(), self._rate)) for piece in pieces]
            self._last = any(answers)
        return self._last

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        self._vad: Any = self._library.Vad(self._mode)
        self._last = False
        native = self._frame_rate == self._rate
        self._resampler = None if native else _Resampler(self._frame_rate, self._rate)


class _Resampler:
    """Turns frames of any rate into 30 ms pieces of another, keeping what is left over."""

    def __init__(self, rate: int, target_rate: int) -> None:
        import soxr

        # Cubic interpolation ("QQ") is enough to judge whether there is sound, and its delay is the least.
        self._stream = soxr.ResampleStream(rate, target_rate, 1, dtype="int16", quality="QQ")
        self._piece = round(target_rate * PIECE_SECONDS)
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)

    def push(self, samples: NDArray[np.int16]) -> list[NDArray[np.int16]]:
        joined = np.concatenate((self._rest, self._stream.resample_chunk(samples)))
        whole = len(joined) - len(joined) % self._piece
        self._rest = joined[whole:]
        return [joined[at : at + self._piece] for at in range(0, whole, self._piece)]


def _import_webrtcvad() -> ModuleType:
    try:
        import webrtcvad
    except ImportError as error:
        # The abandoned distribution `webrtcvad` needs pkg_resources, which setuptools no longer ships.
        raise DetectorError(
            f"gate mode webrtcvad needs the package webrtcvad-wheels ({error}): "
            "`pip uninstall webrtcvad; pip install webrtcvad-wheels`, or set gate.mode to level or off"
        ) from None
    module: ModuleType = webrtcvad
    return module
