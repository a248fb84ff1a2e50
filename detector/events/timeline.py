"""Sample <-> UTC: the one place where sample positions become times of day."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from detector.records import Event

STEP_SECONDS = 1.0
"""A disagreement larger than this is a stepped clock or a pause, not jitter."""
SLEW = 0.001
"""Share of a positive disagreement that is taken over with each block: at eight blocks a second
it follows a sound card that runs 100 ppm off within 0.1 s, and ignores a late read."""


class Timeline:
    """Keeps the UTC time of sample 0, following the source's clock.

    `sample_rate` in Hz, `start` the UTC seconds since 1970 of sample 0. A read can be late
    but not early, so an earlier estimate is taken at once and a later one slowly.
    """

    def __init__(self, *, sample_rate: int, start: float) -> None:
        self._rate = sample_rate
        self._zero = start
        self._observed = False

    def observe(self, stop: int, time: float) -> None:
        """The sample before `stop` was captured at `time` [UTC seconds since 1970]."""
        zero = time - stop / self._rate
        late = zero - self._zero
        if not self._observed or abs(late) > STEP_SECONDS or late < 0:
            self._zero = zero
        else:
            self._zero += SLEW * late
        self._observed = True

    def utc(self, sample: int) -> float:
        """UTC seconds since 1970 at which `sample` sounded."""
        return _utc(self._zero, self._rate, sample)

    def now_fixed(self) -> Callable[[int], float]:
        """`utc` as it is now, whatever is observed later."""
        return partial(_utc, self._zero, self._rate)


class SoundTimes:
    """One time for one sound: a clock that is set while something sounds does not move its beginning.

    All times of a sound, from its start to its end, are worked out by the clock as it was at the start.
    """

    def __init__(self) -> None:
        self._fixed: dict[int, Callable[[int], float]] = {}

    def of(self, event: Event, timeline: Timeline) -> Callable[[int], float]:
        """Map samples to UTC seconds for one event; its `end` is the last that is asked for."""
        to_utc = self._fixed.setdefault(event.id, timeline.now_fixed())
        if event.phase == "end":
            del self._fixed[event.id]
        return to_utc


def _utc(zero: float, rate: int, sample: int) -> float:
    return zero + sample / rate
