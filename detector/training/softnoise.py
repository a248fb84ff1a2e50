"""Recordings of soft noise, which every head learns as no event, beside its dataset.

The clips of a dataset are sounds; a room is mostly quiet. A head scores a sound that is unlike all of its
clips as the nearest class: one that had only rain as its background took noise at -50 dBFS for a sneeze.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.training.augmentation import coloured_noise

SECONDS = 5.0
SLOPES = (0.0, 1.0, 2.0)
"""White, pink, brown: its power falls with frequency to this power."""
LEVELS_DBFS = (-70.0, -60.0, -50.0)
"""RMS; the noise of a microphone, of a room at night, of a room by day."""
SEED = 5


def write_soft_noise(folder: Path, sample_rate: int) -> tuple[Path, ...]:
    """Write one recording for each colour and level, and one of digital silence; the same every time."""
    rng = np.random.default_rng(SEED)
    length = round(SECONDS * sample_rate)
    recordings = {"silence": np.zeros(length, np.float32)}
    for slope in SLOPES:
        for level in LEVELS_DBFS:
            noise = coloured_noise(length, slope, rng) * np.float32(10 ** (level / 20))
            recordings[f"slope-{slope:g}-at{level:g}"] = noise
    return tuple(write_wave(folder / f"{name}.wav", sound, sample_rate) for name, sound in recordings.items())


def write_wave(path: Path, samples: NDArray[np.float32], sample_rate: int) -> Path:
    """Write samples (n,) in [-1, 1] as a mono WAV file of 16 bits and return its path."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sample_rate, 0, "NONE", ""))
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return path
