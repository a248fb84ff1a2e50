"""Sound levels by minute in the history's file: one row for each source and minute of UTC."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from detector.audio.level_minute import MINUTE_SECONDS, LevelMinute, mean_square, packed, unpacked
from detector.history.schema import reading_table

DELETE_ROWS = 500
"""Rows deleted in one transaction."""

LAST_MINUTE = 253_402_300_800 // MINUTE_SECONDS
"""The year 10000 begins with it: no clock is so wrong."""


def store_minutes(connection: sqlite3.Connection, minutes: Iterable[LevelMinute], *, at: int) -> None:
    """Write minutes, or parts of them: a part is joined with what is there of its source and minute.

    `at` are seconds of the history's own clock, by which rows age. The caller has begun a transaction.
    """
    for minute in minutes:
        connection.execute(
            "INSERT INTO level_sources (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (minute.source,)
        )
        there = connection.execute(
            f"{_SELECT} WHERE name = ? AND minute = ?",
            (minute.source, minute.minute),
        ).fetchone()
        whole = minute if there is None else _read(there).joined(minute)
        connection.execute(_STORE, (at, *_columns(whole), minute.source))


def delete_minutes(connection: sqlite3.Connection, *, before: int | None = None) -> int:
    """Delete the oldest rows, of those written before this on the history's clock; returns how many."""
    oldest = f"SELECT number FROM levels ORDER BY number LIMIT {DELETE_ROWS}"  # noqa: S608
    sql = f"DELETE FROM levels WHERE number IN ({oldest}) AND (? IS NULL OR at < ?)"  # noqa: S608
    return connection.execute(sql, (before, before)).rowcount


def level_minutes(
    path: Path,
    *,
    since: float | None = None,
    until: float | None = None,
    source: str | None = None,
    newest: int = 0,
) -> Iterator[LevelMinute]:
    """Minutes in order of time, then of source; of all sources where none is named. Raises HistoryError.

    `since` and `until` [UTC seconds]: minutes that begin at or after the one, and before the other. `newest`
    leaves out all but so many; 0 is all.
    """
    values: list[object] = []
    sql = f"{_SELECT} WHERE TRUE"
    for condition, value in (
        (" AND minute >= ?", None if since is None else since / MINUTE_SECONDS),
        (" AND minute < ?", None if until is None else until / MINUTE_SECONDS),
        (" AND name = ?", source),
    ):
        if value is not None:
            sql += condition
            values.append(value)
    if newest:
        sql += " ORDER BY minute DESC, name DESC LIMIT ?"
        values.append(newest)
    else:
        sql += " ORDER BY minute, name"
    with reading_table(path, "levels") as connection:
        rows = [] if connection is None else connection.execute(sql, values)
        for row in reversed(list(rows)) if newest else rows:
            yield _read(row)


_SELECT = (
    # In this order, as the index is one of sources and their minutes.
    "SELECT name, minute, heard, lost, leq, max, histogram FROM level_sources "
    "CROSS JOIN levels ON levels.source = level_sources.number"
)

_STORE = """INSERT INTO levels (source, at, minute, heard, lost, leq, max, l10, l90, histogram)
    SELECT number, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM level_sources WHERE name = ?
    ON CONFLICT (source, minute) DO UPDATE SET heard = excluded.heard, lost = excluded.lost,
        leq = excluded.leq, max = excluded.max, l10 = excluded.l10, l90 = excluded.l90,
        histogram = excluded.histogram"""


def _columns(minute: LevelMinute) -> tuple[object, ...]:
    return (
        minute.minute,
        minute.heard_seconds,
        minute.lost_seconds,
        minute.leq_dbfs,
        minute.max_dbfs,
        minute.exceeded_dbfs(0.1),
        minute.exceeded_dbfs(0.9),
        packed(minute.histogram),
    )


def _read(row: tuple[object, ...]) -> LevelMinute:
    """The minute of a row; raises ValueError where a damaged file holds something else."""
    name, minute, heard, lost, leq, loudest, histogram = row
    if not (
        isinstance(name, str)
        and isinstance(minute, int)
        and isinstance(heard, float)
        and isinstance(lost, float)
        and 0 <= minute < LAST_MINUTE
        and 0 <= heard < math.inf
        and isinstance(leq, float | None)
        and isinstance(loudest, float | None)
        and isinstance(histogram, bytes)
    ):
        raise ValueError("a row holds no level")
    return LevelMinute(
        name,
        minute,
        heard,
        lost,
        0.0 if leq is None else mean_square(leq) * heard,
        0.0 if loudest is None else mean_square(loudest),
        unpacked(histogram),
    )
