"""The times of the wire, read again."""

from __future__ import annotations

from datetime import datetime


def utc_seconds(text: str | None) -> float | None:
    """UTC seconds since 1970 of a time of the wire; None for null, and for what is no time."""
    try:
        return None if text is None else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
