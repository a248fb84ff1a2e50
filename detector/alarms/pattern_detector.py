"""Levels in, patterns out: smoke alarms (T3), carbon monoxide alarms (T4), chirps, by their rhythm alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.alarms.bursts import BurstFinder
from detector.alarms.chains import BeepingAlarm, RhythmTracker
from detector.alarms.chirps import ChirpTracker
from detector.alarms.rhythms import T3, T4
from detector.alarms.tones import BATCH_FRAMES, ToneHistory
from detector.audio.level import Level
from detector.records import Pattern, Phase

HISTORY_SECONDS = 12.0
"""Spectra that are kept: more than two bursts of T4 and what must be quiet around them."""


@dataclass(frozen=True, slots=True)
class PatternSound:
    """A pattern began, goes on or is over."""

    phase: Phase
    number: int
    """Names it from start to end; counts from 1."""
    pattern: Pattern
    onset: int
    """Sample at which the first beep began."""
    offset: int
    """One past the newest beep's last sample."""
    decided: int
    """The newest sample known."""
    fit: float
    """0..1, how much of the newest cycles sounded as it must."""
    level_dbfs: float
    """Of the beeps' tone."""


class PatternDetector:
    """Recognises patterns in the spectra of the level meter.

    `bins_hz` (bins,) are the frequencies of `Level.power` [Hz], `frame_length` is in samples, `gap_limit`
    [samples]: a longer gap ends what went on; in a shorter one nothing sounds.
    """

    def __init__(
        self, bins_hz: NDArray[np.float64], *, sample_rate: int, frame_length: int, gap_limit: int
    ) -> None:
        seconds = frame_length / sample_rate
        finders = [BurstFinder(rhythm, frame_seconds=seconds) for rhythm in (T3, T4)]
        self._bins_hz = bins_hz
        self._frames = round(HISTORY_SECONDS / seconds)
        self._length = frame_length
        self._gap_limit = gap_limit
        self._tones = ToneHistory(bins_hz, frames=self._frames)
        self._rhythms = [RhythmTracker(finder, frame_seconds=seconds) for finder in finders]
        self._chirps = ChirpTracker(frame_seconds=seconds)
        self._batch: list[NDArray[np.float32]] = []
        self._stop = 0
        self._started = 0
        self._numbers: dict[int, int] = {}  # by id() of what goes on, which the trackers hold

    def push(self, level: Level) -> list[PatternSound]:
        """Take the next frame's level with its power; most frames only wait for others."""
        sounds: list[PatternSound] = []
        if level.span.start != self._stop and self._stop:
            sounds = self._bridge(level.span.start - self._stop)
        self._batch.append(level.power)
        self._stop = level.span.stop
        return sounds if len(self._batch) < BATCH_FRAMES else sounds + self._look()

    def flush(self) -> list[PatternSound]:
        """The stream ended, or a gap follows: what goes on is over."""
        sounds = self._look() if self._batch else []
        over = [alarm for rhythm in self._rhythms for alarm in rhythm.flush()] + self._chirps.flush()
        sounds += [self._sound(alarm) for alarm in over]
        self._tones = ToneHistory(self._bins_hz, frames=self._frames)
        self._stop = 0
        return sounds

    def _bridge(self, lost: int) -> list[PatternSound]:
        if lost > self._gap_limit:
            return self.flush()
        sounds: list[PatternSound] = []
        for _ in range(round(lost / self._length)):
            self._stop += self._length
            self._batch.append(np.zeros(len(self._bins_hz), np.float32))
            if len(self._batch) == BATCH_FRAMES:
                sounds += self._look()
        return sounds

    def _look(self) -> list[PatternSound]:
        found = self._tones.push(np.array(self._batch, np.float32))
        self._batch.clear()
        changed = [alarm for rhythm in self._rhythms for alarm in rhythm.push(self._tones)]
        changed += self._chirps.push(self._tones, found)
        return [self._sound(alarm) for alarm in changed]

    def _sound(self, alarm: BeepingAlarm) -> PatternSound:
        phase: Phase = "end" if alarm.is_over else "update"
        if id(alarm) not in self._numbers:
            self._started += 1
            self._numbers[id(alarm)] = self._started
            phase = "start"
        number = self._numbers[id(alarm)]
        if alarm.is_over:
            del self._numbers[id(alarm)]
        return PatternSound(
            phase=phase,
            number=number,
            pattern=Pattern(alarm.name, alarm.cycles, alarm.hertz),
            onset=max(0, self._sample(alarm.first)),
            offset=self._sample(alarm.stop),
            decided=self._stop,
            fit=alarm.fit,
            level_dbfs=alarm.level_dbfs,
        )

    def _sample(self, frame: float) -> int:
        return self._stop - round((self._tones.stop - frame) * self._length)
