"""The reading side of the history, beside whoever writes it: events in order, and sounds one by one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from detector.history.schema import connect_reader, unreadable
from detector.interfaces import Message
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
        """Every event up to this one that was ever sent is in the file, or never will be."""
        return self._newest_seq()

    def after(self, seq: int, limit: int) -> list[Message]:
        """At most `limit` events with a greater number, in order; raises HistoryError."""
        with closing(connect_reader(self._path)) as connection:
            query = "SELECT line FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
            try:
                return [_message(line) for (line,) in connection.execute(query, (min(seq, _MAX), limit))]
            except (sqlite3.Error, ValueError) as error:
                raise unreadable(self._path, error) from error


@dataclass(frozen=True, slots=True)
class Question:
    """Which sounds are asked for; each by its own newest event, which tells the most."""

    since: float | int | None = None
    """Begun at or after this [UTC seconds as a float], or told after the event with this number (an int)."""
    until: float | int | None = None
    """Begun before this, or told up to the event with this number."""
    labels: Collection[str] = ()
    """Names, class ids or names of what is above, in any case of letters; empty is all."""
    min_score: float = 0.0
    """0..1, held against `top_score`."""
    limit: int = 0
    """The newest so many; 0 is all."""


def sounds(path: Path, question: Question) -> Iterator[Message]:
    """Each sound's newest event, the newest sound last; raises HistoryError."""
    query, values = _query(question)
    with closing(connect_reader(path)) as connection:
        wanted = Filter(frozenset(label.strip().casefold() for label in question.labels))
        connection.create_function("wanted", 1, partial(_is_wanted, wanted), deterministic=True)
        try:
            rows = connection.execute(query, values)
            for (line,) in reversed(rows.fetchall()) if question.limit else rows:
                yield _message(line)
        except (sqlite3.Error, ValueError) as error:
            raise unreadable(path, error) from error


def _is_wanted(wanted: Filter, line: str) -> bool:
    """As the event socket filters; most lines need not be read for that."""
    folded = line.casefold()
    return any(json.dumps(label, ensure_ascii=False) in folded for label in wanted.labels) and wanted.passes(
        _message(line)
    )


def _query(question: Question) -> tuple[str, list[float | int]]:
    conditions = ["NOT EXISTS (SELECT 1 FROM messages AS later WHERE later.id = m.id AND later.seq > m.seq)"]
    values: list[float | int] = []
    for value, on_time, on_seq in (
        (question.since, "m.start >= ?", "m.seq > ?"),
        (question.until, "m.start < ?", "m.seq <= ?"),
    ):
        if value is not None:
            conditions.append(on_seq if isinstance(value, int) else on_time)
            values.append(value)
    if question.min_score > 0:
        conditions.append("m.top_score >= ?")
        values.append(question.min_score)
    if question.labels:
        conditions.append("wanted(m.line)")
    order = "DESC" if question.limit else "ASC"
    query = f"SELECT m.line FROM messages AS m WHERE {' AND '.join(conditions)} ORDER BY m.start {order}, m.seq {order}"  # noqa: S608, E501
    if question.limit:
        query += " LIMIT ?"
        values.append(question.limit)
    return query, values


_MAX = 2**63 - 1
"""SQLite's greatest integer."""


def _message(line: object) -> Message:
    """The event of a row; raises ValueError where a damaged file holds something else."""
    if not isinstance(line, str):
        raise ValueError("a row holds no event")
    message = decode(line.encode())
    event_of(message)
    return message
