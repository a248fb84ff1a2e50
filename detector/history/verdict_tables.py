"""Tables beside the events in the history's file: embeddings of events, events that were vetoed, verdicts.

An embedding goes with its event: triggers delete it where the event is deleted, and a vetoed event where the
events of its time are. Verdicts hold embeddings of their own and stay until somebody takes them back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from detector.errors import HistoryError
from detector.history.schema import Owner, connect_writer, owner_of, reading_table

STATEMENTS = (
    """CREATE TABLE IF NOT EXISTS event_embeddings (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        heard TEXT NOT NULL,
        told TEXT,
        network TEXT NOT NULL,
        embedding BLOB NOT NULL,
        score REAL
    )""",
    """CREATE TABLE IF NOT EXISTS vetoed_events (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        after_seq INTEGER NOT NULL,
        line TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS vetoed_events_after ON vetoed_events (after_seq)",
    """CREATE TABLE IF NOT EXISTS verdicts (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL,
        said TEXT NOT NULL,
        at REAL NOT NULL,
        network TEXT NOT NULL,
        embedding BLOB NOT NULL,
        score REAL
    )""",
    """CREATE TRIGGER IF NOT EXISTS messages_deleted AFTER DELETE ON messages
    WHEN NOT EXISTS (SELECT 1 FROM messages WHERE id = old.id) BEGIN
        DELETE FROM event_embeddings WHERE id = old.id;
        DELETE FROM vetoed_events WHERE after_seq < old.seq;
    END""",
    """CREATE TRIGGER IF NOT EXISTS vetoed_deleted AFTER DELETE ON vetoed_events
    WHEN NOT EXISTS (SELECT 1 FROM messages WHERE id = old.id) BEGIN
        DELETE FROM event_embeddings WHERE id = old.id;
    END""",
)
"""They may come to a file of any version: an older program leaves tables alone that it does not know."""


@contextmanager
def writing(path: Path, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
    """One transaction on these tables of a history that is there; raises HistoryError.

    A `durable` one outlives a power cut.

    Numbers and events are left to whoever holds the lock of the file: these tables may be written beside it.
    """
    try:
        if owner_of(path) is not Owner.OURS:
            raise HistoryError(f"{path}: there is no history yet, or it is damaged: run the daemon first")
        with closing(connect_writer(path)) as connection:
            for statement in STATEMENTS:
                connection.execute(statement)
            if durable:
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")  # what raises before that is rolled back as the file is closed
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise HistoryError(f"{path}: the history cannot be written: {reason}") from error


def reading(path: Path) -> AbstractContextManager[sqlite3.Connection | None]:
    """A history that has these tables, None for one that has them not yet; raises HistoryError."""
    return reading_table(path, "verdicts")
