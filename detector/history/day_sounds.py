"""What one day's sounds come to, counted by SQLite: how many by label and hour, the first of each, the quiet.

One sound is several messages; its newest one says what it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

GAP_SECONDS = 60.0
"""A shorter time between two sounds is no silence worth a mention."""

QUARTER_SECONDS = 900
"""Sounds are counted by quarters of an hour of UTC: each lies within one hour of the day, in every zone."""

_NEWEST = "NOT EXISTS (SELECT 1 FROM messages AS later WHERE later.id = m.id AND later.seq > m.seq)"


@dataclass(frozen=True, slots=True)
class DayCounts:
    """The sounds that began on one day."""

    hours: Mapping[str, Sequence[int]]
    """Label -> how many began in each hour of the day, 24 numbers."""
    first: Mapping[str, tuple[float, str]]
    """Label -> when its first one began [UTC seconds], and that one's id."""


@dataclass(frozen=True, slots=True)
class DayQuiet:
    """When there was no sound, as far as those say that began on one day."""

    gaps: Sequence[tuple[float, float]]
    """From when to when [UTC seconds], in order; the day's first and last moment bound them."""
    reach: float
    """When the last of these sounds ended [UTC seconds]; the day's beginning where there was none."""


def day_version(connection: sqlite3.Connection, begin: float, end: float) -> tuple[int, int]:
    """Changes with every message about a sound that began in this time; by an index alone."""
    count, newest = connection.execute(
        "SELECT count(*), max(seq) FROM messages WHERE start >= ? AND start < ?", (begin, end)
    ).fetchone()
    return int(count), int(newest or 0)


def count_day(
    connection: sqlite3.Connection,
    begin: float,
    end: float,
    *,
    sources: Sequence[str] = (),
    hour_of: Callable[[float], int],
) -> DayCounts:
    """Count what began from `begin` until `end` [UTC seconds], of all sources where none is named.

    `hour_of` gives the hour of the day of a moment. Raises sqlite3.Error.
    """
    hours: dict[str, list[int]] = {}
    first: dict[str, tuple[float, str]] = {}
    rows = connection.execute(
        "SELECT label, CAST(start / ? AS INTEGER) AS quarter, count(*), min(start), id FROM messages AS m "  # noqa: S608
        f"WHERE start >= ? AND start < ?{_of(sources)} AND label IS NOT NULL AND {_NEWEST} "
        "GROUP BY label, quarter",
        (QUARTER_SECONDS, begin, end, *sources),
    )
    for label, _, count, start, event_id in rows:
        hours.setdefault(label, [0] * 24)[hour_of(start)] += count
        first[label] = min(first.get(label, (start, event_id)), (start, event_id))
    return DayCounts(hours, first)


def labels_of_day(
    connection: sqlite3.Connection, begin: float, end: float, *, sources: Sequence[str] = ()
) -> frozenset[str]:
    """The labels of the sounds that began in this time [UTC seconds] and have ended; raises sqlite3.Error.

    It takes a third of the time of `count_day`.
    """
    rows = connection.execute(
        "SELECT DISTINCT label FROM messages "  # noqa: S608
        f"WHERE start >= ? AND start < ?{_of(sources)} AND type = 'end' AND label IS NOT NULL",
        (begin, end, *sources),
    )
    return frozenset(label for (label,) in rows)


def quiet_day(
    connection: sqlite3.Connection, begin: float, end: float, *, sources: Sequence[str] = ()
) -> DayQuiet:
    """Find the gaps of GAP_SECONDS and more between sounds that began in this time [UTC seconds]."""
    rows = connection.execute(
        f"SELECT start, coalesce(stop, start) FROM messages WHERE start >= ? AND start < ?{_of(sources)} "  # noqa: S608
        "ORDER BY start",
        (begin, end, *sources),
    )
    gaps: list[tuple[float, float]] = []
    reach = begin
    for start, stop in rows:
        if start - reach >= GAP_SECONDS or (not gaps and start > reach == begin):
            gaps.append((reach, start))
        if stop > reach:
            reach = stop
    if reach < end:
        gaps.append((reach, end))
    return DayQuiet(gaps, reach)


def silences(days: Sequence[DayQuiet]) -> list[tuple[float, float]]:
    """The gaps of consecutive days, joined at midnight, without what a sound of the day before covers."""
    joined: list[tuple[float, float]] = []
    reach = float("-inf")
    for day in days:
        for number, (gap_begin, gap_end) in enumerate(day.gaps):
            begin = max(gap_begin, reach)
            if begin >= gap_end:
                continue
            if number == 0 and joined and joined[-1][1] == begin:  # midnight alone is no sound
                begin = joined.pop()[0]
            joined.append((begin, gap_end))
        reach = max(reach, day.reach)
    return joined


def _of(sources: Sequence[str]) -> str:
    return f" AND source IN ({', '.join('?' * len(sources))})" if sources else ""
