"""Scenes with known truth: clips laid over a background, as a microphone in a room would hear them.

A clip alone begins and ends at its edges, at one level, in silence. In a stream a short sound lies anywhere
in a window, at any level, over something. Whoever learns from scenes has met that before.
Shapes: samples float32 (n,) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.sources.recording import Recording
from detector.training.augmentation import coloured_noise
from detector.training.softnoise import write_wave

Samples = NDArray[np.float32]

LEVELS_DBFS = (-55.0, -25.0)
"""RMS of the background: from a quiet room far from the microphone to a loud one close to it."""
SNR_DB = (3.0, 30.0)
"""Level of a sound over the background."""
LEAD_SECONDS = 3.0
"""Background before the first sound: level and gate settle."""
PAUSES_SECONDS = (1.0, 4.0)
TAIL_SECONDS = 2.0
SOUNDS_PER_SCENE = 20
ENOUGH_SOUNDS = 480
"""Of few clips more variants are made, so that there are about so many sounds in all scenes."""
FEWEST_VARIANTS, MOST_VARIANTS = 3, 12
LONGEST_SECONDS = 4.0
"""Of a longer sound a part of this length is taken, another one each time."""
CEILING = 0.99
ROOM_SHARE = 0.5
"""Share of the scenes over recorded backgrounds, where there are any; the others are over noise."""

FRAME_SECONDS = 0.02
BELOW_LOUDEST_DB = 26.0
OVER_ROOM_DB = 6.0
"""A frame belongs to a clip's sound where it is this far over the clip's own background."""
ROOM_PERCENTILE = 10
CLEAR_DB = 12.0
"""A clip whose loudest frame is less than this over its quietest ones sounds all the time."""

SILENT = 1e-5
CROSSFADE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class PlacedSound:
    """One clip in a scene."""

    clip: int
    """Its index among the clips."""
    onset: float
    """Seconds since the scene began."""
    offset: float


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedScene:
    """A background with sounds in it."""

    samples: Samples
    sounds: tuple[PlacedSound, ...]
    """In the order of their onsets; none overlap."""


def make_scenes(
    clips: Sequence[Samples], rooms: Sequence[Samples], *, sample_rate: int, variants: int, seed: int
) -> Iterator[SimulatedScene]:
    """Lay every clip `variants` times over backgrounds, at drawn levels; the same seed gives the same scenes.

    `clips` are the sounding parts alone; silent ones are left out. `rooms` are recorded backgrounds.
    """
    sounding = [index for index, clip in enumerate(clips) if len(clip) and _rms(clip) > SILENT]
    for variant in range(variants):
        order = np.random.default_rng([seed, variant]).permutation(sounding)
        for first in range(0, len(order), SOUNDS_PER_SCENE):
            rng = np.random.default_rng([seed, variant, first + 1])
            chosen = order[first : first + SOUNDS_PER_SCENE].tolist()
            yield _scene({index: clips[index] for index in chosen}, rooms, sample_rate, rng)


def variants_of(clips: int) -> int:
    """How often each of so many clips is laid into scenes."""
    return min(MOST_VARIANTS, max(FEWEST_VARIANTS, -(-ENOUGH_SOUNDS // max(1, clips))))


def read_samples(path: Path, sample_rate: int) -> Samples:
    """Read a whole recording, mono, at this rate; raises SourceError."""
    recording = Recording(path=path, sample_rate=sample_rate, block_length=sample_rate)
    try:
        blocks = [block.samples for block in recording.blocks()]
    finally:
        recording.close()
    if not blocks:
        return np.zeros(0, np.float32)
    return np.concatenate(blocks).astype(np.float32) / np.float32(32768)


def write_scene(folder: Path, number: int, scene: SimulatedScene, sample_rate: int) -> Path:
    """Write a scene as a WAV file and return its path."""
    return write_wave(folder / f"{number:05d}.wav", scene.samples, sample_rate)


def sounding_part(samples: Samples, sample_rate: int) -> Samples:
    """A clip without the pauses before and after its sound; may be empty."""
    frame = round(FRAME_SECONDS * sample_rate)
    count = len(samples) // frame
    if not count:
        return samples
    power = np.square(samples[: count * frame], dtype=np.float64).reshape(count, frame).mean(axis=1)
    levels = 10 * np.log10(power + 1e-12)
    loudest, room = float(levels.max()), float(np.percentile(levels, ROOM_PERCENTILE))
    least = loudest - BELOW_LOUDEST_DB
    if loudest - room > CLEAR_DB:
        least = max(least, room + OVER_ROOM_DB)
    sounding = np.flatnonzero(levels >= least)
    return samples[sounding[0] * frame : (sounding[-1] + 1) * frame]


def room_noise(length: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Make noise of RMS 1 with a spectrum of its own: slope, resonances, sometimes a hum or a slow swell."""
    count = _fast_length(length)
    noise = coloured_noise(count, float(rng.uniform(0, 2)), rng)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(count, 1 / sample_rate), 20) / 20)
    bumps = rng.normal(0, rng.uniform(0, 8), 11)
    spectrum = np.fft.rfft(noise) * 10 ** (np.interp(octaves, np.arange(11), bumps) / 20)
    shaped = np.fft.irfft(spectrum, count)[:length]
    shaped /= np.sqrt(np.mean(shaped**2))
    seconds = np.arange(length) / sample_rate
    if rng.random() < 0.4:
        base = float(rng.choice([50.0, 60.0, 100.0, 120.0, rng.uniform(40, 400)]))
        hum = np.zeros(length)
        for k in range(1, 12):
            hum += rng.uniform(0, 1) / k * np.sin(2 * np.pi * base * k * seconds + rng.uniform(0, 2 * np.pi))
        shaped = shaped + hum / np.sqrt(np.mean(hum**2)) * 10 ** (rng.uniform(-12, 6) / 20)
    if rng.random() < 0.4:
        shaped = shaped * (1 + rng.uniform(0.1, 0.8) * np.sin(2 * np.pi * rng.uniform(0.1, 12) * seconds))
    scaled: Samples = (shaped / np.sqrt(np.mean(shaped**2))).astype(np.float32)
    return scaled


def _fast_length(length: int) -> int:
    """The next length that a transform takes little time for: 4, 5, 6 or 7 times a power of 2.

    A length with a large prime factor takes several times as long.
    """
    step = 1 << max(0, length.bit_length() - 3)
    return -(-length // step) * step


def _scene(
    chosen: dict[int, Samples], rooms: Sequence[Samples], sample_rate: int, rng: np.random.Generator
) -> SimulatedScene:
    parts = {index: _part(clip, sample_rate, rng) for index, clip in chosen.items()}
    at = LEAD_SECONDS
    sounds = []
    for index, part in parts.items():
        seconds = len(part) / sample_rate
        sounds.append(PlacedSound(index, at, at + seconds))
        at += seconds + rng.uniform(*PAUSES_SECONDS)
    length = round((at + TAIL_SECONDS) * sample_rate)
    level = rng.uniform(*LEVELS_DBFS)
    samples = _background(length, rooms, sample_rate, rng) * np.float32(10 ** (level / 20))
    for sound in sounds:
        part = parts[sound.clip]
        gain = 10 ** ((level + rng.uniform(*SNR_DB)) / 20) / _rms(part)
        first = round(sound.onset * sample_rate)
        samples[first : first + len(part)] += part * np.float32(gain)
    loudest = float(np.abs(samples).max())
    return SimulatedScene(samples * np.float32(min(1.0, CEILING / max(loudest, SILENT))), tuple(sounds))


def _part(clip: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
    longest = round(LONGEST_SECONDS * sample_rate)
    first = int(rng.integers(0, max(0, len(clip) - longest) + 1))
    part = clip[first : first + longest]
    return part if _rms(part) > SILENT else clip[:longest]


def _background(length: int, rooms: Sequence[Samples], sample_rate: int, rng: np.random.Generator) -> Samples:
    if rooms and rng.random() < ROOM_SHARE:
        return _looped([rooms[index] for index in rng.permutation(len(rooms))], length, sample_rate)
    return room_noise(length, sample_rate, rng)


def _looped(pieces: Sequence[Samples], length: int, sample_rate: int) -> Samples:
    """Recordings one after the other with cross-fades, again and again; RMS 1, or silence."""
    fade = min(round(CROSSFADE_SECONDS * sample_rate), min(len(piece) for piece in pieces) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    out = np.zeros(length + fade + max(len(piece) for piece in pieces), np.float32)
    at = number = 0
    while at < length + fade:
        piece = pieces[number % len(pieces)].copy()
        piece[:fade] *= ramp
        piece[len(piece) - fade :] *= ramp[::-1]
        out[at : at + len(piece)] += piece
        at += max(1, len(piece) - fade)
        number += 1
    looped = out[fade : fade + length]
    return looped / np.float32(max(_rms(looped), SILENT))


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
