"""Reading the history while a daemon may be writing it: events in order, and sounds one by one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path

from detector.history.schema import connect_reader, is_damage, unreadable
from detector.interfaces import HistoryHole, Message
from detector.wire.encoding import decode
from detector.wire.message import event_of
from detector.wire.request import Filter


class FileArchive:
    """What the event socket replays from; safe to use from any thread."""

    def __init__(
        self, path: Path, *, oldest_seq: Callable[[], int | None], newest_seq: Callable[[], int]
    ) -> None:
        """`oldest_seq` and `newest_seq` answer at once, without looking at the disk."""
        self._path = path
        self._oldest_seq = oldest_seq
        self._newest_seq = newest_seq

    @property
    def oldest_seq(self) -> int | None:
        """The oldest event kept; None where there is none."""
        return self._oldest_seq()

    @property
    def newest_seq(self) -> int:
        """Every event up to this number is in the file, or never will be."""
        return self._newest_seq()

    def after(self, seq: int, limit: int) -> list[Message]:
        """At most `limit` events with a greater number, in order; raises HistoryHole, HistoryError."""
        with closing(connect_reader(self._path)) as connection:
            found: list[Message] = []
            number = seq = min(seq, _MAX)
            try:
                for number, line in connection.execute(_AFTER, (seq, limit)):  # noqa: B007
                    found.append(event_message(line))
            except (sqlite3.Error, ValueError) as error:
                unread = found[-1].seq or seq if found else seq
                if isinstance(error, ValueError):
                    resume = number
                elif is_damage(error):
                    resume = _behind_damage(connection, unread, self._newest_seq())
                else:
                    raise unreadable(self._path, error) from error
                raise HistoryHole(
                    str(unreadable(self._path, error)),
                    before=found,
                    resume_seq=resume,
                    missing=_count(connection, unread, resume),
                ) from error
            return found


@dataclass(frozen=True, slots=True)
class Query:
    """Which sounds to find; each is given by its newest event, which says the most."""

    since: float | int | None = None
    """Sounds that began at or after this [UTC seconds, a float], or events after this number (an int)."""
    until: float | int | None = None
    """Sounds that began before this, or events up to this number."""
    labels: Collection[str] = ()
    """Names, class ids or names of what is above, in any case of letters, and groups; empty is all."""
    min_score: float = 0.0
    """0..1, held against `top_score`."""
    sources: Collection[str] = ()
    """What events call their source; empty is all."""
    hour: int | None = None
    """Sounds that began in this hour of the day, 0..23, in `zone`."""
    zone: tzinfo | None = None
    """None is the machine's own."""
    before: int | None = None
    """Sounds whose newest event has a smaller number: the next page of a list."""
    limit: int = 0
    """At most so many, the newest; 0 is all."""


def sounds(path: Path, query: Query, *, damaged: Callable[[], None] | None = None) -> Iterator[Message]:
    """Each sound's newest event, the newest one last; raises HistoryError.

    By number, not by time: what was heard while the clock was wrong stands where it was heard. A row
    that holds no event is left out and told to `damaged`; without that it is an error.
    """
    sql, values = _sql(query)
    with closing(connect_reader(path)) as connection:
        wanted = Filter.of(label.strip() for label in query.labels)
        quoted = [json.dumps(name, ensure_ascii=False) for name in wanted.labels | wanted.alone]
        connection.create_function(
            "wanted", 1, partial(_is_wanted, wanted, quoted, damaged is not None), deterministic=True
        )
        connection.create_function("hour_of", 1, partial(hour_of, query.zone), deterministic=True)
        try:
            rows = connection.execute(sql, values)
            for (line,) in reversed(rows.fetchall()) if query.limit else rows:
                try:
                    message = event_message(line)
                except ValueError:
                    if damaged is None:
                        raise
                    damaged()
                    continue
                yield message
        except (sqlite3.Error, ValueError) as error:
            raise unreadable(path, error) from error


def hour_of(zone: tzinfo | None, start: float | None) -> int | None:
    """The hour of the day, 0..23, of UTC seconds since 1970; None for what is no time."""
    try:
        return None if start is None else datetime.fromtimestamp(start, UTC).astimezone(zone).hour
    except (ValueError, OverflowError, OSError):
        return None


def _is_wanted(wanted: Filter, quoted: Collection[str], keeps_damaged: bool, line: object) -> bool:
    """As the event socket filters; lines without any of the names in quotes need not be read for that."""
    folded = line.casefold() if isinstance(line, str) else ""
    if not any(name in folded for name in quoted):
        return False
    try:
        return wanted.passes(event_message(line))
    except ValueError:
        if keeps_damaged:
            return True
        raise


def _sql(query: Query) -> tuple[str, list[float | int | str]]:
    conditions: list[str] = []  # SQLite looks at them in this order: what costs most stands last
    values: list[float | int | str] = []
    for value, on_time, on_seq in (
        (query.since, "m.start >= ?", "m.seq > ?"),
        (query.until, "m.start < ?", "m.seq <= ?"),
    ):
        if value is not None:
            conditions.append(on_seq if isinstance(value, int) else on_time)
            values.append(value)
    if query.min_score > 0:
        conditions.append("m.top_score >= ?")
        values.append(query.min_score)
    if query.before is not None:
        conditions.append("m.seq < ?")
        values.append(min(query.before, _MAX))
    if query.sources:
        conditions.append(f"m.source IN ({','.join('?' * len(query.sources))})")
        values.extend(query.sources)
    if query.hour is not None:
        conditions.append("hour_of(m.start) = ?")
        values.append(query.hour)
    if query.labels:
        conditions.append("wanted(m.line)")
    conditions.append(
        "NOT EXISTS (SELECT 1 FROM messages AS later WHERE later.id = m.id AND later.seq > m.seq)"
    )
    order = "DESC" if query.limit else "ASC"
    sql = f"SELECT m.line FROM messages AS m WHERE {' AND '.join(conditions)} ORDER BY m.seq {order}"  # noqa: S608
    if query.limit:
        sql += " LIMIT ?"
        values.append(query.limit)
    return sql, values


_AFTER = "SELECT seq, line FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"

_MAX = 2**63 - 1
"""SQLite's greatest integer."""


def event_message(line: object) -> Message:
    """The event of a row; raises ValueError where a damaged file holds something else."""
    if not isinstance(line, str):
        raise ValueError("a row holds no event")
    message = decode(line.encode())
    event_of(message)
    return message


def _behind_damage(connection: sqlite3.Connection, seq: int, newest: int) -> int:
    """The number behind which reading goes on, where the event after `seq` lies on a damaged page.

    A damaged page holds consecutive numbers, so halving finds its end; `newest` where nothing is left.
    """
    damaged, behind = seq, max(newest, seq)
    while behind - damaged > 1:
        middle = (damaged + behind) // 2
        try:
            connection.execute(_AFTER, (middle, 1)).fetchall()
        except sqlite3.Error:
            damaged = middle
        else:
            behind = middle
    return behind


def _count(connection: sqlite3.Connection, seq: int, until: int) -> int:
    """How many events have these numbers: by an index, on other pages; else all numbers count."""
    sql = "SELECT count(*) FROM messages INDEXED BY messages_start WHERE seq > ? AND seq <= ?"
    try:
        return int(connection.execute(sql, (seq, until)).fetchone()[0])
    except sqlite3.Error:
        return until - seq
