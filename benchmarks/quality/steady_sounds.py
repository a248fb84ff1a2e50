"""An hour of what is always there, made on the spot: rooms, noises, hums, rain, speech, tones.

Each sound is a stream of pieces, float64 at RATE; noises are joined by crossfades, so that no joint is
heard. The level steps twice within the time: a third 10 dB below the nominal level, a third at it, a third
10 dB above it.
"""

from __future__ import annotations

import itertools
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.support.sounds import RATE, Samples, noise

PIECE_SECONDS = 30.0
FADE_SECONDS = 1.0
STEPS_DB = (-10.0, 0.0, 10.0)

SENTENCES = (
    "Good morning, did you sleep well?",
    "I will be home a little later tonight, there is a meeting at five.",
    "Could you please pass me the salt?",
    "The train to the coast leaves from platform seven.",
    "We should call your sister before it gets too late.",
    "It says here that the weather will stay like this all week.",
    "No, that is not what I meant at all!",
    "One, two, three, four, five, six, seven, eight, nine, ten.",
    "Where did you put the keys?",
    "The committee has agreed to postpone its decision until next month.",
    "Well, I am not sure whether that is such a good idea.",
    "Please leave a message after the tone, and we will call you back.",
    "My grandmother used to bake this cake every Sunday afternoon.",
    "Have you read the book that I gave you for your birthday?",
    "Thank you very much, that is really kind of you.",
    "And now for the news: prices have risen again by two percent.",
)
VOICES = (
    *("en", "en-us", "en-gb-scotland", "en+f2", "en+f4", "en+m3", "en+m7", "en-us+f3"),
    *("en+croak", "en+whisper", "de", "fr", "es", "it"),
)


def sounds() -> dict[str, tuple[float, Callable[[], Iterator[Samples]]]]:
    """Name -> nominal level [dBFS], and what makes its endless pieces."""
    return {
        "room tone": (-65.0, lambda: _joined(_room)),
        "pink noise": (-50.0, lambda: _joined(lambda seed: noise("pink", 0.0, PIECE_SECONDS, seed))),
        "brown noise": (-45.0, lambda: _joined(lambda seed: noise("brown", 0.0, PIECE_SECONDS, seed))),
        "fan hum": (-42.0, lambda: _joined(lambda seed: noise("fan", 0.0, PIECE_SECONDS, seed))),
        "mains hum": (-48.0, lambda: _joined(lambda seed: noise("hum", 0.0, PIECE_SECONDS, seed))),
        "rain-like noise": (-40.0, lambda: _joined(_rain)),
        "speech": (-30.0, _speech),
        "music-like tones": (-30.0, _music),
    }


def stream(name: str, seconds: float) -> Iterator[Samples]:
    """The sound for so long, in pieces, at its three levels."""
    dbfs, make = sounds()[name]
    wanted = round(seconds * RATE)
    given = 0
    for piece in make():
        piece = piece[: wanted - given]
        step = STEPS_DB[min(len(STEPS_DB) - 1, len(STEPS_DB) * given // wanted)]
        yield piece * 10 ** ((dbfs + step) / 20)
        given += len(piece)
        if given >= wanted:
            return


def _joined(make: Callable[[int], Samples]) -> Iterator[Samples]:
    """Pieces with equal power where they meet."""
    fade = round(FADE_SECONDS * RATE)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade))
    tail = np.zeros(fade)
    for seed in itertools.count():
        piece = make(seed)
        piece[:fade] = piece[:fade] * ramp + tail * ramp[::-1]
        tail = piece[-fade:].copy()
        yield piece[:-fade]


def _room(seed: int) -> Samples:
    """Faint traffic, a microphone's hiss and a trace of mains."""
    parts = (("brown", 0.0), ("white", -8.0), ("hum", -12.0))
    return np.asarray(sum(noise(kind, dbfs, PIECE_SECONDS, seed) for kind, dbfs in parts))


def _rain(seed: int) -> Samples:
    """A bed of noise above 800 Hz, and 40 drops a second, each a decaying burst of 5 to 20 ms."""
    rng = np.random.default_rng(seed)
    count = round(PIECE_SECONDS * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum *= np.clip(np.fft.rfftfreq(count, 1 / RATE) / 800, 0.02, 1)
    bed = np.fft.irfft(spectrum, count)
    for start in rng.integers(0, count - 800, size=round(40 * PIECE_SECONDS)):
        length = int(rng.integers(80, 320))
        burst = rng.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
        bed[start : start + length] += burst * 10 ** (rng.uniform(-6, 14) / 20)
    return _unit(bed)


def _speech() -> Iterator[Samples]:
    """Sentences in the voices of espeak-ng, of varied pitch and speed, with pauses."""
    import soundfile
    import soxr

    rng = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "say.wav"
        while True:
            voice = VOICES[rng.integers(len(VOICES))]
            text = SENTENCES[rng.integers(len(SENTENCES))]
            pitch, speed = rng.integers(25, 80), rng.integers(130, 210)
            subprocess.run(
                ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "-w", str(path), text],
                check=True,
            )
            samples, rate = soundfile.read(path, dtype="float64")
            said = soxr.resample(samples, rate, RATE)
            pause = noise("pink", -35.0, rng.uniform(0.3, 4.0), int(rng.integers(2**31)))
            yield np.concatenate(
                (_unit(said) + noise("pink", -35.0, len(said) / RATE, 3)[: len(said)], pause)
            )


def _music() -> Iterator[Samples]:
    """Phrases of plucked, bowed and organ-like notes over chords, in changing keys and tempi."""
    rng = np.random.default_rng(6)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    while True:
        root = rng.uniform(110, 260)
        beat = rng.uniform(0.25, 0.6)
        decay = rng.choice([1.5, 4.0, 0.3])  # per second: plucked, short, held
        brightness = rng.uniform(0.8, 2.5)
        notes = 16
        out = np.zeros(round((notes * beat + 2) * RATE))
        for place in range(notes):
            degrees = [int(rng.integers(0, 14))] + ([0, 2, 4] if place % 4 == 0 else [])
            for degree in degrees:
                hertz = root * 2 ** ((scale[degree % 7] + 12 * (degree // 7)) / 12)
                start = round(place * beat * RATE)
                note = _note(hertz, beat * (4 if len(degrees) > 1 else 1.5), decay, brightness, rng)
                stop = min(len(out), start + len(note))
                out[start:stop] += note[: stop - start] * rng.uniform(0.5, 1)
        yield _unit(out)


def _note(hertz: float, seconds: float, decay: float, brightness: float, rng: np.random.Generator) -> Samples:
    t = np.arange(round(seconds * RATE)) / RATE
    wave = np.zeros(len(t))
    for partial in range(1, 9):
        if partial * hertz < RATE / 2:
            wave += np.sin(2 * np.pi * partial * hertz * t + rng.uniform(0, 6)) / partial**brightness
    attack = np.minimum(1, t / 0.01)
    release = np.minimum(1, (t[-1] - t) / 0.05)
    return np.asarray(wave * np.exp(-decay * t) * attack * release)


def _unit(wave: Samples) -> Samples:
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))
