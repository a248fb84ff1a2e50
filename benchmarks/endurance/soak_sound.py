"""A home's sound without end, ten minutes at a time: nine of them quiet, one with things that happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from benchmarks.endurance.soak_child import HEAD
from benchmarks.support.sounds import RATE, noise, quantised
from detector.demo import recording_path

CYCLE_SECONDS = 600
BUSY_SECONDS = 60
BLOCK = 1920
"""Samples: 0.12 s, as the program reads a microphone."""
GAP_SECONDS = 5.0
AWAY_SECONDS = 30.0

ABOUT = (
    "Of every 10 minutes 9 are quiet (pink noise at -60 dBFS; every third time a fan at -45 dBFS, every\n"
    "sixth time digital silence) and 1 is not (the bundled recording, tones and bursts of noise at random\n"
    "levels). Every 10 minutes a block of 0.12 s and 5 s of sound are lost and a subscriber comes\n"
    "and goes; every hour the device goes away for 30 s; every 2 hours the settings are read anew (SIGHUP).\n"
    "One subscriber reads all the time, one never. Before that, 2 hours are busy throughout and subscribers\n"
    "come by eights for a replay of everything, so that what is bounded has reached its bound: the events\n"
    "kept in memory, the database's cache, the log's rotation, the allocator's pools."
)

Samples = NDArray[np.int16]


@dataclass(slots=True)
class Told:
    """What was put into the stream."""

    samples: int = 0
    lost: int = 0
    away: int = 0


class Home:
    """Makes the stream; holds a few minutes of sound, whatever the length."""

    def __init__(self, seed: int, began: float) -> None:
        import soundfile

        self.told = Told()
        self._random = Random(seed)
        self._began = began
        self._position = 0
        self._recording: Samples = soundfile.read(recording_path(), dtype="int16")[0]
        self._quiet = quantised(noise("pink", -60.0, 60.0, seed))
        self._fan = quantised(noise("fan", -45.0, 60.0, seed + 1))
        self._burst = quantised(noise("white", -25.0, 10.0, seed + 2))

    def cycle(self, number: int, *, quiet: bool = True) -> Iterator[bytes]:
        """Ten minutes of framed blocks without what is lost on the way; not `quiet`: busy throughout."""
        background = self._fan if number % 3 == 2 else self._quiet * (number % 6 != 4)
        busy_at = self._random.randrange(30, CYCLE_SECONDS - BUSY_SECONDS - 30) if quiet else 0
        busy = np.tile(self._busy(), 1 if quiet else CYCLE_SECONDS // BUSY_SECONDS)
        lost_at = {self._random.randrange(CYCLE_SECONDS) * RATE // BLOCK}
        gap_at = self._random.randrange(CYCLE_SECONDS - 60) * RATE // BLOCK
        lost_at |= set(range(gap_at, gap_at + round(GAP_SECONDS * RATE / BLOCK)))
        for index in range(CYCLE_SECONDS * RATE // BLOCK):
            at = index * BLOCK
            samples = np.take(background, range(at, at + BLOCK), mode="wrap")
            into = at - busy_at * RATE
            if into >= 0 and into + BLOCK <= len(busy):
                samples = np.clip(samples.astype(np.int32) + busy[into : into + BLOCK], -32768, 32767)
            if index in lost_at:
                self.told.lost += BLOCK
                self._position += BLOCK
            else:
                yield self._framed(samples.astype("<i2"))
        if number % 6 == 5:
            self.told.away += 1
            self.told.lost += round(AWAY_SECONDS * RATE)
            self._position += round(AWAY_SECONDS * RATE)
            yield HEAD.pack(self._position, 0.0, 0)

    def _framed(self, samples: Samples) -> bytes:
        start = self._position
        self._position += len(samples)
        self.told.samples += len(samples)
        time = self._began + self._position / RATE * (1 + 50e-6)  # a sound card's clock is a little off
        return HEAD.pack(start, time, len(samples)) + samples.tobytes()

    def _busy(self) -> NDArray[np.int32]:
        """One minute: the recording, then whatever comes, each at a level of its own."""
        pieces: list[Samples] = [self._recording]
        while sum(map(len, pieces)) < BUSY_SECONDS * RATE:
            seconds = self._random.uniform(0.2, 4.0)
            t = np.arange(round(seconds * RATE)) / RATE
            tone = 9000 * np.sin(2 * np.pi * self._random.uniform(300, 4000) * t)
            sound = self._burst[: len(t)] if self._random.random() < 0.5 else tone
            pieces += [
                sound.astype(np.int16),
                np.zeros(round(self._random.uniform(0.5, 3.0) * RATE), np.int16),
            ]
        gained = [piece * 10 ** (self._random.uniform(-24, 0) / 20) for piece in pieces]
        return np.concatenate(gained).astype(np.int32)[: BUSY_SECONDS * RATE]
