"""What the history knows of single sounds, and of what came after a number: for pages that show events."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from detector.history.archive import event_message
from detector.history.schema import connect_reader, unreadable
from detector.history.verdict_tables import reading
from detector.interfaces import Message


def messages_of(path: Path, id: str) -> list[Message]:
    """All messages of one sound, in order; of a vetoed one the newest. Empty where there is none.

    Raises HistoryError.
    """
    with _opened(path) as connection:
        rows = connection.execute("SELECT line FROM messages WHERE id = ? ORDER BY seq", (id,))
        found = [event_message(line) for (line,) in rows]
    if found:
        return found
    with reading(path) as tables:
        if tables is None:
            return []
        rows = tables.execute("SELECT line FROM vetoed_events WHERE id = ?", (id,))
        return [event_message(line) for (line,) in rows]


def verdicts_said(path: Path, ids: Collection[str]) -> dict[str, str]:
    """What was said of these events: `right`, `wrong` or a label, by their ids. Raises HistoryError."""
    with reading(path) as connection:
        if connection is None or not ids:
            return {}
        marks = ",".join("?" * len(ids))
        rows = connection.execute(f"SELECT id, said FROM verdicts WHERE id IN ({marks})", (*ids,))  # noqa: S608
        return dict(rows.fetchall())


def newest_seq(path: Path) -> int:
    """The number of the newest event in the file, 0 where there is none. Raises HistoryError."""
    with _opened(path) as connection:
        return int(connection.execute("SELECT coalesce(max(seq), 0) FROM messages").fetchone()[0])


def count_after(path: Path, seq: int) -> int:
    """How many events have a greater number. Raises HistoryError."""
    with _opened(path) as connection:
        return int(connection.execute("SELECT count(*) FROM messages WHERE seq > ?", (seq,)).fetchone()[0])


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect_reader(path)) as connection:
        try:
            yield connection
        except (sqlite3.Error, ValueError) as error:
            raise unreadable(path, error) from error
