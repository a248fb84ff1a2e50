"""The part of a clip that sounds: its first uninterrupted stretch, so that it has one onset and one offset.

Shapes: samples float32 (n,) in [-1, 1].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

FRAME_SECONDS = 0.01
SMOOTH_FRAMES = 5
BELOW_LOUDEST_DB = 30.0
"""A frame sounds where its 50 ms level is at most this far below the clip's loudest."""
PAUSE_SECONDS = 1.0
"""A longer silence ends the stretch: what follows would be another event."""
SHORTEST_SECONDS = 0.1
LONGEST_SECONDS = 4.0
FADE_SECONDS = 0.02
ACTIVE_DB = 20.0
"""The level of a sound is the mean square of its 100 ms pieces within this of the loudest."""


def stretch(samples: Samples, rate: int) -> tuple[int, int] | None:
    """First and one past the last sample of the first stretch within 10 dB of the loudest; None: silence."""
    step = round(FRAME_SECONDS * rate)
    count = len(samples) // step
    if count < SMOOTH_FRAMES:
        return None
    power = np.square(samples[: count * step], dtype=np.float64).reshape(count, step).mean(axis=1)
    smooth = np.convolve(power, np.full(SMOOTH_FRAMES, 1 / SMOOTH_FRAMES), mode="same")
    loudest = smooth.max()
    if loudest <= 0:
        return None
    sounding = np.flatnonzero(smooth >= loudest * 10 ** (-BELOW_LOUDEST_DB / 10))
    pieces = np.split(sounding, np.flatnonzero(np.diff(sounding) > PAUSE_SECONDS / FRAME_SECONDS) + 1)
    loud = next(piece for piece in pieces if smooth[piece].max() >= loudest / 10)
    first, last = int(loud[0]), int(loud[-1]) + 1
    last = min(last, first + round(LONGEST_SECONDS / FRAME_SECONDS))
    return (first * step, last * step) if (last - first) * FRAME_SECONDS >= SHORTEST_SECONDS else None


def cut(samples: Samples, rate: int) -> Samples | None:
    """That stretch with its end faded out; None where there is none."""
    found = stretch(samples, rate)
    if found is None:
        return None
    piece = samples[found[0] : found[1]].copy()
    fade = min(round(FADE_SECONDS * rate), len(piece) // 2)
    piece[len(piece) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return piece


def active_power(samples: Samples, rate: int) -> float:
    """Mean square of the pieces of 100 ms that are within ACTIVE_DB of the loudest."""
    step = min(len(samples), rate // 10)
    pieces = (
        np.square(samples[: len(samples) // step * step], dtype=np.float64).reshape(-1, step).mean(axis=1)
    )
    return float(pieces[pieces >= pieces.max() * 10 ** (-ACTIVE_DB / 10)].mean())
