"""Bursts that follow each other as a rhythm demands: an alarm, from its second cycle until it stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.alarms.bursts import Burst, BurstFinder
from detector.alarms.rhythms import PatternName
from detector.alarms.tones import BATCH_FRAMES, ToneHistory

CYCLE_TOLERANCE = 0.13
"""Share by which the time from burst to burst may differ from the rhythm's, and from its beeps' tempo."""
STEP_TOLERANCE = 0.11
"""The same between the tempi of two bursts' beeps."""
LEVEL_TOLERANCE_DB = 6.0
"""Two bursts of one alarm are about equally loud."""
BIN_TOLERANCE = 2
"""Bins by which the pitch of an alarm may wander from burst to burst."""
PAUSE_DB = 7.0
LOST_BEEPS = 1
"""In one of two bursts all beeps must be heard: three beeps again and again are no burst of four."""
LOUD_SECONDS = 0.25
"""So long in a pause the tone may be less far below the beeps: another burst of them is longer."""
QUIETER = 0.5
"""The median power of a pause is at most so much of the beeps': an alarm is louder than music around it."""
ECHO_FRAMES = 8
"""So long after a beep its echo is no tone of its own."""
SECOND_AFTER = 1.6
"""Alarms of one rhythm that beep at once are one: another begins so many cycles after the last burst."""
LOST_CYCLES = 1
"""Cycles that may be drowned before an alarm counts as over."""


@dataclass(slots=True)
class BeepingAlarm:
    """A pattern that was recognised and has not stopped."""

    name: PatternName
    first: float
    """Frame at which its first beep began."""
    last: float
    """Frame at which its newest burst began."""
    stop: float
    """Frame at which its newest beep ended."""
    cycles: int
    bin: int
    hertz: float
    level_dbfs: float
    fit: float
    """0..1, the share of the newest cycles that sounded as it must."""
    faults: int = 0
    """Beeps and gaps of the newest burst that were disturbed; a better sight of it replaces it."""
    is_over: bool = False


class RhythmTracker:
    """Follows all alarms of one rhythm."""

    def __init__(self, finder: BurstFinder, *, frame_seconds: float) -> None:
        self._finder = finder
        self._name = finder.rhythm.name
        self._cycle = finder.rhythm.cycle_seconds / frame_seconds
        self._parts = len(finder.rhythm.slots)
        self._steps_in_cycle = finder.rhythm.cycle_seconds / finder.rhythm.step_seconds
        last_slot = max(slot.stop for slot in finder.rhythm.slots) * finder.rhythm.step_seconds
        decision = 1.2 * last_slot / frame_seconds + BATCH_FRAMES
        self._patience = (1 + LOST_CYCLES) * (1 + CYCLE_TOLERANCE) * self._cycle + decision
        self._loud = int(LOUD_SECONDS / frame_seconds)
        self._bursts: list[Burst] = []
        self.alarms: list[BeepingAlarm] = []
        """Those that go on."""

    def push(self, tones: ToneHistory) -> list[BeepingAlarm]:
        """Look at the newest batch; returns the alarms that it starts, continues or ends."""
        changed: list[BeepingAlarm] = []
        now = tones.stop
        self._bursts = [burst for burst in self._bursts if now - burst.start < 2.6 * self._cycle]
        for burst in sorted(self._finder.find(tones), key=lambda one: -one.level_dbfs):
            alarm = self._take(burst, tones)
            if alarm is not None and alarm not in changed:
                changed.append(alarm)
        for alarm in self.alarms:
            if now - alarm.last > self._patience:
                alarm.is_over = True
                changed.append(alarm)
        self.alarms = [alarm for alarm in self.alarms if not alarm.is_over]
        return changed

    def flush(self) -> list[BeepingAlarm]:
        """No more sound: all alarms are over."""
        over, self.alarms, self._bursts = self.alarms, [], []
        for alarm in over:
            alarm.is_over = True
        return over

    def _take(self, burst: Burst, tones: ToneHistory) -> BeepingAlarm | None:
        """Join a burst to an alarm, or begin one with it and an earlier burst."""
        self._bursts.append(burst)
        for alarm in self.alarms:
            since = burst.start - alarm.last
            cycles = max(1, round(since / self._cycle))
            on_time = abs(since - cycles * self._cycle) <= CYCLE_TOLERANCE * self._cycle * cycles
            if on_time and cycles <= 1 + LOST_CYCLES and abs(burst.bin - alarm.bin) <= BIN_TOLERANCE:
                self._extend(alarm, burst)
                return alarm
            if abs(since) <= 1.2 * burst.step and _faults(burst) < alarm.faults:
                alarm.last, alarm.stop, alarm.faults = burst.start, burst.stop, _faults(burst)
            if abs(since) <= 0.5 * burst.step and burst.level_dbfs > alarm.level_dbfs:
                # A louder partial of the same beeps.
                alarm.bin, alarm.hertz, alarm.level_dbfs = burst.bin, burst.hertz, burst.level_dbfs
        if any(burst.start - alarm.last < SECOND_AFTER * self._cycle for alarm in self.alarms):
            return None  # another sight of the same alarm, or one more that beeps with it
        for earlier in reversed(self._bursts):
            if self._follows(earlier, burst) and _is_pause(tones, earlier, burst, frames=self._loud):
                alarm = BeepingAlarm(
                    self._name,
                    first=earlier.start,
                    last=burst.start,
                    stop=burst.stop,
                    cycles=2,
                    bin=burst.bin,
                    hertz=burst.hertz,
                    level_dbfs=max(earlier.level_dbfs, burst.level_dbfs),
                    fit=self._fit(earlier, burst),
                    faults=_faults(burst),
                )
                self.alarms.append(alarm)
                return alarm
        return None

    def _extend(self, alarm: BeepingAlarm, burst: Burst) -> None:
        alarm.cycles += 1
        alarm.last, alarm.stop = burst.start, burst.stop
        alarm.bin = burst.bin
        alarm.fit, alarm.faults = self._fit(burst), _faults(burst)
        if burst.level_dbfs >= alarm.level_dbfs:
            alarm.level_dbfs = burst.level_dbfs

    def _fit(self, *bursts: Burst) -> float:
        return 1 - sum(map(_faults, bursts)) / (self._parts * len(bursts))

    def _follows(self, earlier: Burst, burst: Burst) -> bool:
        """Whether two bursts are two cycles of one alarm, few beeps and gaps of which are disturbed."""
        since = burst.start - earlier.start
        own_cycle = 0.5 * (earlier.step + burst.step) * self._steps_in_cycle
        return (
            abs(since - self._cycle) <= CYCLE_TOLERANCE * self._cycle
            and abs(since - own_cycle) <= 1.3 * CYCLE_TOLERANCE * own_cycle
            and abs(earlier.step - burst.step) <= STEP_TOLERANCE * burst.step
            and abs(earlier.bin - burst.bin) <= BIN_TOLERANCE
            and abs(earlier.level_dbfs - burst.level_dbfs) <= LEVEL_TOLERANCE_DB
            and earlier.lost_beeps + burst.lost_beeps <= LOST_BEEPS
            and earlier.noisy_gaps + burst.noisy_gaps <= self._finder.rhythm.disturbed
        )


def _faults(burst: Burst) -> int:
    return burst.lost_beeps + burst.noisy_gaps


def _is_pause(tones: ToneHistory, earlier: Burst, burst: Burst, *, frames: int) -> bool:
    """Whether two bursts' tone is silent between them, but for so many frames, and all is quieter."""
    start, stop = round(earlier.stop) + ECHO_FRAMES, round(burst.start) - 2
    spectra = tones.spectra(start, stop)
    if float(np.median(spectra.sum(axis=1))) > QUIETER * min(earlier.power, burst.power):
        return False
    power = spectra[:, burst.bin - 1 : burst.bin + 2].sum(axis=1)
    least = 10 ** ((min(earlier.level_dbfs, burst.level_dbfs) - PAUSE_DB) / 10)
    return int(np.count_nonzero(power > least)) <= frames
