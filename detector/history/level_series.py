"""Levels of a time as a series that can be drawn: by minute, or by as many minutes as keep it short."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from detector.audio.level_minute import BINS, MINUTE_SECONDS, LevelMinute, add_packed, mean_square
from detector.history.schema import reading_table

MOST_POINTS = 1500
"""A series has at most about so many points."""

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440)
"""Minutes of a point."""


@dataclass(slots=True)
class LevelSeries:
    """Lists of one length; the levels are None where nothing was heard."""

    step_seconds: int = MINUTE_SECONDS
    """The time of a point."""
    source: str | None = None
    """The source that it is of; None where the history has no levels."""
    minutes: list[int] = field(default_factory=list)
    """When each point's time began [UTC seconds], rising; times of which nothing is known are left out."""
    leq: list[float | None] = field(default_factory=list)
    """dBFS, as the next three."""
    max: list[float | None] = field(default_factory=list)
    l10: list[float | None] = field(default_factory=list)
    l90: list[float | None] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    """Seconds heard."""
    lost: list[float] = field(default_factory=list)
    """Seconds lost."""

    def append(self, minute: int, levels: Iterable[float | None], heard: float, lost: float) -> None:
        """Add a point: LAeq, maximum, L10 and L90 of the time that began with this minute."""
        self.minutes.append(minute * MINUTE_SECONDS)
        for column, level in zip((self.leq, self.max, self.l10, self.l90), levels, strict=True):
            column.append(None if level is None else round(level, 1))
        self.heard.append(round(heard, 1))
        self.lost.append(round(lost, 1))


def level_series(path: Path, *, since: float, until: float, source: str | None = None) -> LevelSeries:
    """The levels of the minutes that begin from `since` until `until` [UTC seconds]; raises HistoryError.

    Of the source that has the most of them where none is named.
    """
    with reading_table(path, "levels") as connection:
        if connection is None:
            return LevelSeries(source=source)
        first, last = since / MINUTE_SECONDS, until / MINUTE_SECONDS
        found = _find(connection, first, last, source)
        if found is None:
            return LevelSeries(source=source)
        number, name, oldest, newest = found
        step = next((each for each in STEPS if newest - oldest < each * MOST_POINTS), STEPS[-1])
        series = LevelSeries(step * MINUTE_SECONDS, name)
        if step == 1:
            for minute, heard, lost, *levels in connection.execute(_PLAIN, (number, first, last)):
                series.append(minute, levels, heard, lost)
            return series
        rows = connection.execute(_WITH_HISTOGRAMS, (number, first, last))
        for begin, part in groupby(rows, lambda row: row[0] - row[0] % step):
            whole = _joined(name, begin, part)
            levels = [whole.leq_dbfs, whole.max_dbfs, whole.exceeded_dbfs(0.1), whole.exceeded_dbfs(0.9)]
            series.append(begin, levels, whole.heard_seconds, whole.lost_seconds)
        return series


def level_sources(path: Path) -> list[str]:
    """The sources that the history has levels of; raises HistoryError."""
    with reading_table(path, "levels") as connection:
        if connection is None:
            return []
        return [str(name) for (name,) in connection.execute("SELECT name FROM level_sources ORDER BY name")]


_PLAIN = """SELECT minute, heard, lost, leq, max, l10, l90 FROM levels
    WHERE source = ? AND minute >= ? AND minute < ? ORDER BY minute"""
_WITH_HISTOGRAMS = """SELECT minute, heard, lost, leq, max, histogram FROM levels
    WHERE source = ? AND minute >= ? AND minute < ? ORDER BY minute"""


def _find(
    connection: sqlite3.Connection, first: float, last: float, source: str | None
) -> tuple[int, str, int, int] | None:
    """Number and name of the source, and its oldest and newest minute of these."""
    found: tuple[int, str, int, int] | None = connection.execute(
        # In this order, as the index is one of sources and their minutes.
        "SELECT one.number, name, min(minute), max(minute) FROM level_sources AS one "
        "CROSS JOIN levels ON levels.source = one.number AND minute >= ? AND minute < ? "
        "WHERE ? IS NULL OR name = ? GROUP BY one.number ORDER BY count(*) DESC, name LIMIT 1",
        (first, last, source, source),
    ).fetchone()
    return found


def _joined(
    name: str, begin: int, rows: Iterable[tuple[int, float, float, float | None, float | None, bytes]]
) -> LevelMinute:
    """The minutes of these rows as one."""
    heard = lost = energy = peak = 0.0
    counts = [0] * BINS
    for _, heard_seconds, lost_seconds, leq, loudest, data in rows:
        heard += heard_seconds
        lost += lost_seconds
        if leq is not None and loudest is not None:
            energy += mean_square(leq) * heard_seconds
            peak = max(peak, mean_square(loudest))
        add_packed(data, counts)
    histogram = {number: count for number, count in enumerate(counts) if count}
    return LevelMinute(name, begin, heard, lost, energy, peak, histogram)
