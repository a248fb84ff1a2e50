"""One short beep every 30 to 60 s: an alarm whose battery is low, or whose life is over."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detector.alarms.chains import BeepingAlarm
from detector.alarms.tones import ToneHistory

SHORTEST_SECONDS, LONGEST_SECONDS = 25.0, 70.0
"""From chirp to chirp."""
REGULAR = 0.06
"""Share by which two intervals may differ."""
LEAST_FRAMES, MOST_FRAMES = 2, 13
"""A chirp's length, 60 to 390 ms."""
LENGTH_TOLERANCE = 3
"""Frames by which the chirps of one alarm may differ."""
LOUD = 10**-0.8
"""A chirp lasts while its tone is at most 8 dB below its loudest frame: what follows is its echo."""
QUIET_FRAMES = 33
"""For so long before and after a chirp, 1 s, its pitch is quiet."""
LEVEL_TOLERANCE_DB = 4.0
ITSELF_FRAMES = 12
"""Tones so near to a chirp are its attack and its echo."""
OTHERS_DB = 10.0
"""Other tones of that pitch count if they are at most so much weaker."""
MOST_OTHERS = 1
"""So many of them may lie between three chirps."""
LOUD_SHARE = 0.2
"""Share of the tone in the power of its frames, 125-7500 Hz."""
NEEDED = 3
"""Chirps."""
KEPT = 2048
"""Tones that are remembered: where there are more within minutes, no chirp stands alone."""
LOST = 1.6
"""Without a chirp for so many intervals it is over."""


@dataclass(slots=True)
class _Run:
    """A tone that goes on for some frames."""

    bin: int
    first: int
    last: int
    frames: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Tone:
    """A tone that ended."""

    first: int
    stop: int
    bin: int
    level_dbfs: float
    noticed: int
    """Frames so far when its end was noticed: not before its end, and not before that of earlier ones."""
    hertz: float = 0.0
    """Measured where it may be a chirp."""


@dataclass(slots=True)
class _Chirping:
    alarm: BeepingAlarm
    interval: float


class ChirpTracker:
    """Follows alarms that chirp; `frame_seconds` is the length of a frame [s]."""

    def __init__(self, *, frame_seconds: float) -> None:
        self._shortest = SHORTEST_SECONDS / frame_seconds
        self._longest = LONGEST_SECONDS / frame_seconds
        self._runs: list[_Run] = []
        self._tones: deque[_Tone] = deque(maxlen=KEPT)
        self._waiting: list[_Tone] = []
        self._chirps: list[_Tone] = []
        self._chirping: list[_Chirping] = []

    @property
    def alarms(self) -> list[BeepingAlarm]:
        """Those that go on."""
        return [one.alarm for one in self._chirping]

    def push(self, tones: ToneHistory, found: int) -> list[BeepingAlarm]:
        """Look at the newest batch, which has `found` tones; returns the alarms that it changes."""
        changed: list[BeepingAlarm] = []
        now = tones.stop
        if found:
            self._follow(tones.peak_frames[-found:], tones.peak_bins[-found:])
        if self._runs:
            self._close(tones, now)
        if self._waiting:
            ready = [tone for tone in self._waiting if now - tone.stop > QUIET_FRAMES]
            self._waiting = [tone for tone in self._waiting if now - tone.stop <= QUIET_FRAMES]
            changed += [alarm for tone in ready for alarm in self._take(tone)]
        for one in list(self._chirping):
            if now - one.alarm.last > LOST * one.interval + QUIET_FRAMES:
                one.alarm.is_over = True
                self._chirping.remove(one)
                changed.append(one.alarm)
        return changed

    def flush(self) -> list[BeepingAlarm]:
        """No more sound: all alarms are over."""
        over = self.alarms
        for alarm in over:
            alarm.is_over = True
        self._runs, self._waiting, self._chirps, self._chirping = [], [], [], []
        self._tones.clear()
        return over

    def _follow(self, frames: np.ndarray, bins: np.ndarray) -> None:
        """Join tones of neighbouring frames to runs."""
        for frame, bin_index in zip(frames.tolist(), bins.tolist(), strict=True):
            for run in reversed(self._runs):
                if run.last >= frame - 2 and abs(run.bin - bin_index) <= 2:
                    run.last = frame
                    break
            else:
                self._runs.append(_Run(bin_index, frame, frame))

    def _close(self, tones: ToneHistory, now: int) -> None:
        """Measure the runs that ended."""
        going_on = []
        for run in self._runs:
            if run.last >= now - 3:
                going_on.append(run)
                continue
            spectra = tones.spectra(run.first, run.last + 1)
            tone = spectra[:, run.bin - 1 : run.bin + 2].sum(axis=1)
            loudest = int(tone.argmax())
            loud = np.flatnonzero(tone > LOUD * tone[loudest]) + run.first
            power = float(tone[loudest])
            ended = _Tone(
                first=int(loud[0]),
                stop=int(loud[-1]) + 1,
                bin=run.bin,
                level_dbfs=10 * math.log10(power + 1e-12),
                noticed=now,
            )
            self._tones.append(ended)
            is_short = LEAST_FRAMES <= ended.stop - ended.first <= MOST_FRAMES
            if is_short and power >= LOUD_SHARE * (float(spectra[loudest].sum()) + 1e-12):
                hertz = tones.hertz(run.bin, run.first, run.last + 1)
                self._waiting.append(replace(ended, hertz=hertz))
        self._runs = going_on

    def _others(self, chirps: Sequence[_Tone], start: float, stop: float) -> int:
        """Tones of about their pitch and level between two frames that are not these chirps themselves."""
        least = chirps[0].level_dbfs - OTHERS_DB
        count = 0
        for tone in reversed(self._tones):
            if tone.noticed <= start:
                break  # it ended before, and so did all earlier ones
            count += (
                abs(tone.bin - chirps[0].bin) <= 2
                and tone.level_dbfs > least
                and start < tone.stop
                and tone.first < stop
                and not any(
                    one.first - ITSELF_FRAMES < tone.stop and tone.first < one.stop + ITSELF_FRAMES
                    for one in chirps
                )
            )
        return count

    def _take(self, chirp: _Tone) -> list[BeepingAlarm]:
        if self._others([chirp], chirp.first - QUIET_FRAMES, chirp.stop + QUIET_FRAMES):
            return []
        if len(self._tones) == KEPT and self._tones[0].first > chirp.first - 2 * self._longest:
            return []
        self._chirps = [one for one in self._chirps if chirp.first - one.first < 2.2 * self._longest]
        for one in self._chirping:
            if self._is_next(one, chirp):
                one.alarm.cycles += 1
                one.alarm.last, one.alarm.stop = chirp.first, chirp.stop
                return [one.alarm]
        started = self._begin(chirp)
        self._chirps.append(chirp)
        return started

    def _is_next(self, one: _Chirping, chirp: _Tone) -> bool:
        ratio = (chirp.first - one.alarm.last) / one.interval
        return abs(ratio - max(1, round(ratio))) <= 2 * REGULAR and abs(one.alarm.bin - chirp.bin) <= 2

    def _begin(self, third: _Tone) -> list[BeepingAlarm]:
        for one in self._chirping:
            if abs(one.alarm.last - third.first) <= 3:
                return []  # a partial of the same chirp
        alike = [one for one in self._chirps if self._is_alike(one, third)]
        for second in reversed(alike):
            interval = third.first - second.first
            if not self._shortest <= interval <= self._longest:
                continue
            for first in alike:
                if abs(second.first - first.first - interval) > REGULAR * interval:
                    continue
                others = self._others((third, second, first), first.first - QUIET_FRAMES, third.stop)
                if others > MOST_OTHERS:
                    continue
                alarm = BeepingAlarm(
                    "chirp",
                    first=first.first,
                    last=third.first,
                    stop=third.stop,
                    cycles=NEEDED,
                    bin=third.bin,
                    hertz=third.hertz,
                    level_dbfs=max(first.level_dbfs, second.level_dbfs, third.level_dbfs),
                    fit=1 - others / NEEDED,
                )
                self._chirping.append(_Chirping(alarm, interval))
                return [alarm]
        return []

    def _is_alike(self, one: _Tone, other: _Tone) -> bool:
        lengths = (one.stop - one.first) - (other.stop - other.first)
        return (
            abs(one.bin - other.bin) <= 1
            and abs(one.level_dbfs - other.level_dbfs) <= LEVEL_TOLERANCE_DB
            and abs(lengths) <= LENGTH_TOLERANCE
        )
