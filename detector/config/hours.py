"""Hours of the day, as settings write them: `22:00-07:00`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """From one minute of the day up to another, perhaps over midnight."""

    start: int
    """Minutes since midnight, 0..1439."""
    stop: int
    """Minutes since midnight, 0..1440; the first minute that is not meant."""

    def hold(self, minute: int) -> bool:
        """Whether a minute of the day, 0..1439, is meant."""
        if self.start < self.stop:
            return self.start <= minute < self.stop
        return minute >= self.start or minute < self.stop


def parse_hours(text: str) -> Hours | str:
    """Read `HH:MM-HH:MM`; what is wrong with it is returned as text."""
    expected = "expected hours of the day such as 22:00-07:00"
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        return expected
    from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
    start, stop = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if from_minute > 59 or to_minute > 59 or start >= _DAY or stop > _DAY:
        return f"{expected}, from 00:00 to 24:00"
    if start == stop:
        return f"{expected}, with an end that is not the beginning"
    return Hours(start, stop)
