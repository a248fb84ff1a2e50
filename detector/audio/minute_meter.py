"""Measures one source's sound level minute by minute, from the spectra that its frames have anyway."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.audio.level import Level
from detector.audio.level_minute import (
    MINUTE_SECONDS,
    LevelMinute,
    bin_of,
    decibels,
    minute_of,
)

LONGEST_LOSS_SECONDS = 7 * 86400.0
"""Of a longer gap only the last part is noted: a row for each minute of it is written."""

RECENT_MINUTES = 2
"""So many minutes later the newest minute is no longer what it sounds like now."""


class MinuteMeter:
    """Sums up levels by the minutes of UTC in which they were heard; hands each minute on when it is over.

    `follow` tells, before each block, what the clock says and whether the source is listened to. A minute may
    be handed on in parts, which are to be joined: when the source is interrupted, or the clock is set back.
    `sample_rate` [Hz], `bins_hz` the frequencies of `Level.power` [Hz]; `keep` must not wait.
    """

    def __init__(
        self,
        *,
        source: str,
        sample_rate: int,
        bins_hz: NDArray[np.float64],
        keep: Callable[[Sequence[LevelMinute]], None],
    ) -> None:
        self._newest: LevelMinute | None = None
        self._source = source
        self._rate = sample_rate
        self._weights = a_weights(bins_hz)
        self._keep = keep
        self._to_utc: Callable[[int], float] = lambda sample: sample / sample_rate
        self._listens = True
        self._expected: int | None = None
        self._done: list[LevelMinute] = []
        self._minute = 0
        self._heard = self._lost = self._energy = self._peak = 0.0
        self._counts: dict[int, int] = {}

    def follow(self, to_utc: Callable[[int], float], *, listens: bool) -> None:
        """`to_utc` gives the UTC seconds of a sample; without `listens` nothing is measured, nor lost."""
        self._to_utc = to_utc
        self._listens = listens
        if not listens:
            self._expected = None
            self.flush()

    def push(self, levels: Sequence[Level]) -> None:
        """Measure the next frames."""
        if not levels or not self._listens:
            return
        powers = (np.array([level.power for level in levels]) @ self._weights).tolist()
        for level, power in zip(levels, powers, strict=True):
            start, stop = level.span.start, level.span.stop
            if self._expected is not None and start > self._expected:
                self._lose(self._to_utc(self._expected), self._to_utc(start))
            self._expected = stop
            self._turn_to(minute_of(self._to_utc(start)))
            seconds = (stop - start) / self._rate
            self._heard += seconds
            self._energy += power * seconds
            self._peak = max(self._peak, power)
            number = bin_of(decibels(power))
            self._counts[number] = self._counts.get(number, 0) + 1
        self._hand_on()

    def newest(self, now: float) -> LevelMinute | None:
        """The last minute that was handed on with sound in it; None where that was long before `now` [UTC].

        Any thread may ask.
        """
        newest = self._newest
        return newest if newest and abs(minute_of(now) - newest.minute) <= RECENT_MINUTES else None

    def flush(self) -> None:
        """Hand on what there is of the minute that has not ended."""
        self._end_part()
        self._hand_on()

    def _lose(self, begin: float, end: float) -> None:
        """Sound between two moments is missing [UTC seconds]."""
        begin = max(begin, end - LONGEST_LOSS_SECONDS)
        while begin < end:
            minute = minute_of(begin)
            until = min(end, float((minute + 1) * MINUTE_SECONDS))
            self._turn_to(minute)
            self._lost += until - begin
            begin = until

    def _turn_to(self, minute: int) -> None:
        if minute != self._minute:
            self._end_part()
            self._begin(minute)

    def _end_part(self) -> None:
        if self._heard or self._lost:
            part = LevelMinute(
                self._source,
                self._minute,
                self._heard,
                self._lost,
                self._energy,
                self._peak,
                self._counts,
            )
            self._done.append(part)
            if self._heard:
                self._newest = part
        self._begin(self._minute)

    def _begin(self, minute: int) -> None:
        self._minute = minute
        self._heard = self._lost = self._energy = self._peak = 0.0
        self._counts = {}

    def _hand_on(self) -> None:
        if self._done:
            done, self._done = self._done, []
            self._keep(done)


def a_weights(hertz: NDArray[np.float64]) -> NDArray[np.float32]:
    """The A-weighting of IEC 61672-1 as factors of a mean square: 1 at 1 kHz; `hertz` (bins,) are above 0."""
    squares = np.square(np.asarray(hertz, np.float64))

    def response(squares: NDArray[np.float64]) -> NDArray[np.float64]:
        rolled_off = (squares + 20.6**2) * (squares + 12194.0**2)
        bend = np.sqrt((squares + 107.7**2) * (squares + 737.9**2))
        gain: NDArray[np.float64] = 12194.0**2 * np.square(squares) / (rolled_off * bend)
        return gain

    return np.square(response(squares) / response(np.array([1000.0**2]))).astype(np.float32)
