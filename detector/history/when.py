"""Moments as people write them: `2026-11-20`, `2026-11-20 14:30`, `2h`, `3 days ago`, `seq:1234`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from detector.errors import ConfigError

FORMS = "a time such as 2026-11-20, '2026-11-20 14:30', 14:30, yesterday, 2h or '3 days ago', or seq:N"

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGO = re.compile(
    r"(\d{1,9})\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)(\s+ago)?", re.IGNORECASE
)
_SEQ = re.compile(r"seq:(\d{1,18})")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")


def parse_when(text: str, now: datetime) -> float | int:
    """UTC seconds as a float, or the number of an event (`seq:N`) as an int.

    Where no zone is written that of `now` is meant, or the machine's own where `now` has none.
    Raises ConfigError for anything else.
    """
    text = text.strip()
    if match := _SEQ.fullmatch(text):
        return int(match[1])
    try:
        return _moment(text, now).timestamp()
    except (ValueError, OverflowError):
        raise ConfigError(f"expected {FORMS}, got {text[:60]!r}") from None


def _moment(text: str, now: datetime) -> datetime:
    midnight = datetime(now.year, now.month, now.day)
    if match := _AGO.fullmatch(text):
        return now.astimezone() - timedelta(seconds=int(match[1]) * _UNITS[match[2][0].lower()])
    words = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if text.lower() in words:
        moment = words[text.lower()]
    elif _CLOCK.fullmatch(text):
        moment = datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M")
        moment = midnight.replace(hour=moment.hour, minute=moment.minute, second=moment.second)
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        return moment
    # The machine's own zone knows about summer time, a fixed offset does not.
    return moment.astimezone() if now.tzinfo is None else moment.replace(tzinfo=now.tzinfo)
