"""Sounds to measure with: ESC-10 clips from the data folder, and stationary noises made on the spot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import ROOT

RATE = 16000
"""Sample rate of everything here [Hz]."""

Samples = NDArray[np.float64]


def data_folder() -> Path:
    """Where the recordings lie: `$SOUND_DETECTOR_DATA`, else beside the checkout."""
    default = ROOT.parent / "shared" / "data"
    return Path(os.environ.get("SOUND_DETECTOR_DATA", default))


def has_esc10() -> bool:
    """Whether the ESC-10 clips are there."""
    return any((data_folder() / "esc10").glob("*/*.ogg"))


def esc10(limit: int | None = None) -> Iterator[tuple[str, Samples]]:
    """Class name and samples in [-1, 1) of each clip; `limit` takes that many, evenly over the classes."""
    import soundfile
    import soxr

    paths = sorted((data_folder() / "esc10").glob("*/*.ogg"), key=lambda path: (path.name, path.parent.name))
    if not paths:
        raise SystemExit(f"no ESC-10 clips under {data_folder() / 'esc10'}: set SOUND_DETECTOR_DATA")
    by_class: dict[str, list[Path]] = {}
    for path in paths:
        by_class.setdefault(path.parent.name, []).append(path)
    per_class = len(paths) if limit is None else -(-limit // len(by_class))
    for name, members in sorted(by_class.items()):
        for path in members[:per_class]:
            samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
            yield name.partition(" - ")[2], soxr.resample(samples.mean(axis=1), rate, RATE)


def noise(kind: str, dbfs: float, seconds: float, seed: int = 0) -> Samples:
    """Stationary noise whose mean square is `dbfs`: white, pink, brown, hum (mains) or fan."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    if kind == "hum":  # 50 Hz with harmonics up to 1 kHz, and the amplifier's hiss nearly 40 dB below
        wave = sum((np.sin(2 * np.pi * 50 * k * t + k * k) / k**2 for k in range(1, 21)), np.zeros(n))
        wave += 0.01 * rng.standard_normal(n)
    elif kind == "fan":  # blade tone at 120 Hz with harmonics, slowly unsteady, over brown noise
        steady = 1 + 0.1 * np.sin(2 * np.pi * 0.7 * t)
        tone = sum((np.sin(2 * np.pi * 120 * k * t + k) / k**1.5 for k in range(1, 9)), np.zeros(n))
        wave = 0.7 * steady * tone + _shaped(rng, n, -1.0)
    else:
        wave = _shaped(rng, n, {"white": 0.0, "pink": -0.5, "brown": -1.0}[kind])
    return np.asarray(wave * (10 ** (dbfs / 20) / np.sqrt(np.mean(wave**2))))


def quantised(samples: Samples) -> NDArray[np.int16]:
    """As a 16-bit converter gives it."""
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def active_mean_square(clip: Samples) -> float:
    """Mean square of the clip's 100 ms pieces that are within 20 dB of the loudest."""
    pieces = np.square(clip[: len(clip) // 1600 * 1600]).reshape(-1, 1600).mean(axis=1)
    return float(pieces[pieces >= pieces.max() / 100].mean())


def _shaped(rng: np.random.Generator, n: int, slope: float) -> Samples:
    """Noise of unit mean square whose amplitude goes with frequency to the power `slope`, from 20 Hz up."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    wave = np.fft.irfft(spectrum * np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20) ** slope, n)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))
