"""What stands behind the `?` of an address, read and checked: each fault is one line, answered with 400."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from detector.errors import ConfigError
from detector.history.when import parse_when
from detector.web.api.answers import refuse

MOST_VALUES = 50
"""How often a key may stand there."""
MOST_LETTERS = 20_000
"""A label may have 10 000 letters."""
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,3}")
_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def check_keys(query: QueryParams, known: Collection[str]) -> None:
    """Raise HTTPException 400 for a key that the route does not know, or one that must stand there once."""
    if unknown := [key for key in query if key not in known]:
        raise refuse(400, f"{unknown[0][:40]!r}: expected one of {', '.join(sorted(known))}")


def texts(query: QueryParams, key: str) -> tuple[str, ...]:
    """All values of a key that may stand there several times, without empty ones."""
    found = query.getlist(key)
    if len(found) > MOST_VALUES:
        raise refuse(400, f"{key}: expected at most {MOST_VALUES} of them")
    if any(len(value) > MOST_LETTERS or "\0" in value for value in found):
        raise refuse(400, f"{key}: expected a name")
    return tuple(value for value in found if value)


def whole(query: QueryParams, key: str, least: int, most: int) -> int | None:
    """A whole number; None where the key is missing."""
    text = query.get(key)
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise refuse(400, f"{key}: expected a whole number from {least} to {most}, got {text[:40]!r}")


def share(query: QueryParams, key: str) -> float:
    """A number from 0 to 1; 0 where the key is missing."""
    text = query.get(key)
    if not text:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= 1.0:
        raise refuse(400, f"{key}: expected a number from 0 to 1, got {text[:40]!r}")
    return value


def yes_or_no(query: QueryParams, key: str) -> bool | None:
    """1 or 0, true or false; None where the key is missing."""
    text = query.get(key)
    if not text:
        return None
    if text.lower() not in _WORDS:
        raise refuse(400, f"{key}: expected 1 or 0, got {text[:40]!r}")
    return _WORDS[text.lower()]


def moment(query: QueryParams, key: str) -> float | None:
    """UTC seconds of a time as `sound-detector history --since` takes it; None where the key is missing."""
    text = query.get(key)
    if not text:
        return None
    try:
        found = parse_when(text, datetime.now())
    except ConfigError:
        found = 0
    if isinstance(found, int):
        raise refuse(
            400, f"{key}: expected a time such as 2026-11-20T14:30:00Z, yesterday or 2h, got {text[:40]!r}"
        )
    return found


def time_zone(query: QueryParams) -> tzinfo | None:
    """The time zone that is asked for; None for this machine's own, also where it knows no such zone.

    HTTPException 400 for what cannot be the name of one.
    """
    name = query.get("tz")
    if not name:
        return None
    if not _ZONE_NAME.fullmatch(name):
        raise refuse(400, f"tz: expected a time zone such as Europe/Berlin, got {name[:64]!r}")
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # a machine may have no zones, or older ones than a browser
        return None
