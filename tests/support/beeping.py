"""Alarms that beep, made: patterns of beeps at any pitch over noise, in a room with an echo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Beeps = Sequence[tuple[float, float]]
"""When each beep starts and how long it lasts [s]."""


def rhythm(count: int, beep: float, gap: float, cycle: float, cycles: int, *, start: float = 0.0) -> Beeps:
    """Bursts of `count` beeps, one burst each `cycle` seconds."""
    return [(start + c * cycle + n * (beep + gap), beep) for c in range(cycles) for n in range(count)]


def t3(cycles: int, *, start: float = 0.0, tempo: float = 1.0) -> Beeps:
    """Smoke alarms: three beeps of 0.5 s, then 1.5 s of silence."""
    return rhythm(3, 0.5 * tempo, 0.5 * tempo, 4 * tempo, cycles, start=start)


def t4(cycles: int, *, start: float = 0.0, tempo: float = 1.0) -> Beeps:
    """Carbon monoxide alarms: four beeps of 0.1 s, then 5 s of silence."""
    return rhythm(4, 0.1 * tempo, 0.1 * tempo, 5.7 * tempo, cycles, start=start)


def sound(
    beeps: Beeps,
    seconds: float,
    *,
    hertz: float = 3100.0,
    dbfs: float = -30.0,
    noise_dbfs: float = -60.0,
    seed: int = 0,
) -> NDArray[np.int16]:
    """Sines of this level over white noise; levels are mean squares re a full-scale square wave."""
    count = round(seconds * RATE)
    noise = np.random.default_rng(seed).standard_normal(count) * 10 ** (noise_dbfs / 20)
    is_on = np.zeros(count)
    for start, length in beeps:
        is_on[max(0, round(start * RATE)) : max(0, round((start + length) * RATE))] = 1
    tone = np.sin(2 * np.pi * hertz * np.arange(count) / RATE) * np.sqrt(2) * 10 ** (dbfs / 20)
    return np.clip(np.round((noise + is_on * tone) * 32768), -32768, 32767).astype(np.int16)
