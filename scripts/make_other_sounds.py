#!/usr/bin/env python3
"""Make detector/training/other_sounds.npz: scripts/make_other_sounds.py ESC-10 [OUT].

The bank of other sounds that `sound-detector train` learns as no event: the clips of ESC-10 (a folder for
each of its ten classes; K. J. Piczak, CC BY 3.0), sentences of espeak-ng, and sounds made up from noise,
tones and resonances. Each is laid over backgrounds as in training, and the embeddings of some of its windows
by YAMNet and mn04 are kept, no sound. Needs espeak-ng and a pulled yamnet+mn04; minutes of one core.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.assemble.training import EmbedderMaker, embedding_settings
from detector.config.settings import Settings
from detector.training.other_sounds import FILE, MADE_UP, HeardGroup, write_bank
from detector.training.recording_embeddings import EmbeddedRecording
from detector.training.simulated_scenes import (
    PlacedSound,
    Samples,
    make_scenes,
    read_samples,
    room_noise,
    sounding_part,
    write_scene,
)

BASE = "yamnet+mn04"
YAMNET_FEATURES = 1024
"""The length of its embedding; mn04's follows."""
RATE = 32000
MADE_UP_GROUPS = 4
MADE_UP_SOUNDS = 60
"""In each group."""
SENTENCES_SPOKEN = 80
PAIRS_PER_SOUND = 3
TAIL_SECONDS = 0.7
"""Windows that end so long after a sound still hold it."""
SEED = 5

VOICES = (
    *("en", "en-us", "en-gb-scotland", "en+f2", "en+f4", "en+m3", "en+m7", "en-us+f3"),
    *("en+croak", "en+whisper", "de", "fr", "es", "it"),
)
SENTENCES = (
    "Good morning, did you sleep well?",
    "I will be home a little later tonight.",
    "Could you please pass me the salt?",
    "The train to the coast leaves from platform seven.",
    "No, that is not what I meant at all!",
    "Where did you put the keys?",
    "Thank you very much.",
    "And now for the news.",
    "Hello!",
    "Ha ha ha!",
    "Hmm.",
    "Hey you!",
)


def main() -> None:
    """Read the clips, make the others, write the bank."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    room = Path(__file__).resolve().parents[1] / "detector" / "training"
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else room / FILE
    groups = {}
    for name, sounds in kinds(Path(sys.argv[1])):
        groups[name] = embedded(sounds)
        print(f"{name}: {len(sounds)} sounds, {len(groups[name].sound)} windows", flush=True)
    write_bank(out, groups)
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB")


def kinds(esc10: Path) -> Iterator[tuple[str, list[Samples]]]:
    """Name of each group, and its sounds."""
    for folder in sorted(path for path in esc10.iterdir() if path.is_dir()):
        clips = [read_samples(path, RATE) for path in sorted(folder.glob("*.ogg"))]
        yield folder.name.split(" - ")[-1], [sounding_part(clip, RATE) for clip in clips]
    yield "Speech", [spoken(number) for number in range(SENTENCES_SPOKEN)]
    for group in range(MADE_UP_GROUPS):
        first = group * MADE_UP_SOUNDS
        yield f"{MADE_UP} {group + 1}", [made_up(first + number) for number in range(MADE_UP_SOUNDS)]


def embedded(sounds: Sequence[Samples]) -> HeardGroup:
    """Windows in pairs that follow on each other, each sound in one scene."""
    embedder = EmbedderMaker(embedding_settings(Settings(), BASE))()
    rows, numbers = [], []
    with tempfile.TemporaryDirectory() as folder:
        scenes = make_scenes(sounds, [], sample_rate=RATE, variants=1, seed=SEED)
        for place, scene in enumerate(scenes):
            path = write_scene(Path(folder), place, scene, RATE)
            heard = embedder.embed(path)
            for sound in scene.sounds:
                for first in spread(heard, sound):
                    rows += [heard.embeddings[first], heard.embeddings[first + 1]]
                    numbers += 2 * [place * 1000 + sound.clip]
    values = np.array(rows, np.float32)
    networks = {"yamnet": values[:, :YAMNET_FEATURES], "mn04": values[:, YAMNET_FEATURES:]}
    return HeardGroup(networks, np.unique(numbers, return_inverse=True)[1])


def spread(heard: EmbeddedRecording, sound: PlacedSound) -> list[int]:
    """The first windows of up to PAIRS_PER_SOUND pairs in a sound, evenly spread."""
    inside = np.flatnonzero((heard.stops > sound.onset) & (heard.stops < sound.offset + TAIL_SECONDS))[:-1]
    if len(inside) <= PAIRS_PER_SOUND:
        return inside.tolist()
    return inside[np.linspace(0, len(inside) - 1, PAIRS_PER_SOUND).round().astype(int)].tolist()


def spoken(number: int) -> Samples:
    """A sentence of espeak-ng, in one of its voices, speeds and pitches."""
    rng = np.random.default_rng([SEED, 1, number])
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        speed, pitch = str(rng.integers(110, 240)), str(rng.integers(10, 90))
        voice, text = str(rng.choice(VOICES)), str(rng.choice(SENTENCES))
        subprocess.run(
            ["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", file.name, text],
            check=True,
            capture_output=True,
        )
        return sounding_part(read_samples(Path(file.name), RATE), RATE)


def made_up(number: int) -> Samples:
    """One grain, many of them, a rhythm or a sequence; sometimes in a room."""
    rng = np.random.default_rng([SEED, 2, number])
    length = int(RATE * np.exp(rng.uniform(np.log(0.3), np.log(4))))
    kind = rng.integers(0, 4)
    sound = np.zeros(length + 2 * RATE)
    if kind == 0:
        sound = grain(rng)
    elif kind == 1:
        grains = [grain(rng) for _ in range(rng.integers(1, 5))]
        for _ in range(int(np.exp(rng.uniform(np.log(3), np.log(150))))):
            one = grains[rng.integers(len(grains))] * rng.uniform(0.1, 1)
            first = rng.integers(0, length)
            sound[first : first + len(one)] += one
    elif kind == 2:
        one = grain(rng)[:RATE]
        period = int(RATE * np.exp(rng.uniform(np.log(0.04), np.log(0.9))))
        for beat in range(0, length, period):
            first = max(0, beat + int(rng.normal(0, 0.05) * period))
            sound[first : first + len(one)] += one[: len(sound) - first] * rng.uniform(0.5, 1)
    else:
        parts = []
        for _ in range(rng.integers(2, 7)):
            parts += [grain(rng) * rng.uniform(0.3, 1), np.zeros(int(RATE * rng.uniform(0, 0.3)))]
        sound = np.concatenate(parts)
    if rng.random() < 0.4:
        sound = in_a_room(sound, rng)
    return sounding_part((sound / (np.abs(sound).max() + 1e-9)).astype(np.float32), RATE)


def grain(rng: np.random.Generator) -> NDArray[np.float64]:
    """A short sound: something struck, noise, or a voice-like tone, under an envelope; its peak is 1."""
    length = int(RATE * np.exp(rng.uniform(np.log(0.015), np.log(1.2))))
    kind = rng.integers(0, 6)
    if kind == 0:
        sound = struck(length, rng)
    elif kind == 1:
        sound = resonant(room_noise(length, RATE, rng), rng) * envelope(length, rng)
    elif kind == 2:
        sound = resonant(tone(length, rng), rng) * envelope(length, rng)
    elif kind == 3:
        sound = tone(length, rng) * envelope(length, rng)
    elif kind == 4:
        breath = rng.uniform(0.1, 2) * room_noise(length, RATE, rng)
        sound = resonant(tone(length, rng) + breath, rng) * envelope(length, rng)
    else:
        seconds = np.arange(length) / RATE
        course = np.interp(seconds, [0, seconds[-1]], np.log(rng.uniform(200, 6000, 2)))
        sweep = np.sin(2 * np.pi * np.cumsum(np.exp(course)) / RATE)
        sound = (np.sign(sweep) if rng.random() < 0.3 else sweep) * envelope(length, rng)
    return np.asarray(sound / (np.abs(sound).max() + 1e-9), np.float64)


def envelope(length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Dying away, held, or swelling and fading."""
    seconds = np.arange(length) / RATE
    attack = float(rng.choice([0.001, 0.003, 0.01, 0.05, 0.2]))
    kind = rng.integers(0, 3)
    if kind == 0:
        shape = np.exp(-seconds / rng.uniform(0.02, 0.6))
    elif kind == 1:
        shape = np.minimum(1, (seconds[-1] - seconds) / max(0.02, 0.1 * seconds[-1]))
    else:
        shape = np.hanning(length)
    return np.asarray(shape * np.minimum(1, seconds / attack), np.float64)


def resonant(sound: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float64]:
    """The sound behind three resonances."""
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = np.full(len(hertz), 10 ** (rng.uniform(-40, -10) / 20))
    for _ in range(3):
        centre = np.exp(rng.uniform(np.log(150), np.log(7000)))
        gain = gain + 1 / (1 + ((hertz - centre) / (centre * rng.uniform(0.03, 0.5))) ** 2)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * gain, len(sound)), np.float64)


def tone(length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Harmonics of a pitch that moves, sometimes with vibrato."""
    seconds = np.arange(length) / RATE
    lowest = float(np.exp(rng.uniform(np.log(60), np.log(1500))))
    knots = rng.integers(2, 6)
    course = rng.normal(0, rng.choice([0.02, 0.15, 0.6]), knots)
    pitch = lowest * 2 ** np.interp(seconds, np.linspace(0, seconds[-1], knots), course)
    if rng.random() < 0.4:
        pitch = pitch * (1 + rng.uniform(0.005, 0.08) * np.sin(2 * np.pi * rng.uniform(3, 25) * seconds))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tilt = rng.uniform(0.3, 2.5)
    sound = np.zeros(length)
    for harmonic in range(1, int(min(25, 7800 / lowest)) + 1):
        sound += harmonic**-tilt * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return np.asarray(sound / np.sqrt(np.mean(sound**2)), np.float64)


def struck(length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Modes that ring out, after a click of noise."""
    seconds = np.arange(length) / RATE
    lowest = np.exp(rng.uniform(np.log(80), np.log(5000)))
    sound = rng.uniform(0, 1) * rng.normal(size=length) * np.exp(-seconds / rng.uniform(0.002, 0.03))
    for mode in range(rng.integers(2, 14)):
        hertz = lowest * (1 + mode * rng.uniform(0.2, 1.7))
        if hertz < RATE / 2:
            decay = rng.uniform(0.005, 0.5) / (1 + 0.2 * mode)
            sound += rng.uniform(0.1, 1) * np.exp(-seconds / decay) * np.sin(2 * np.pi * hertz * seconds)
    return np.asarray(sound, np.float64)


def in_a_room(sound: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The sound and its reverberation."""
    length = int(RATE * rng.uniform(0.1, 0.6))
    response = rng.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    response[0] = np.sqrt(np.sum(response**2)) * rng.uniform(0.7, 3)
    size = len(sound) + length
    product = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size), np.float64)


if __name__ == "__main__":
    main()
