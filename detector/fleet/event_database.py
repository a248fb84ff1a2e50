"""Events of a fleet in a database: each exactly once, and what is missing between them.

The tables are the same in SQLite and PostgreSQL:

- `events`: one row for each message, named by `node`, `generation` and `seq`; `line` is the whole event as
  JSON (docs/protocol.md).
- `missing`: numbers that a run of a daemon gave and that have not come. A number that comes late leaves it.
- `runs`: up to which number the events of a run have been looked at for missing ones.
- `facts`: the newest that each daemon said of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Protocol

from detector.errors import DetectorError
from detector.fleet.fleet_event import FleetEvent, NodeFact

TABLES = (
    """CREATE TABLE IF NOT EXISTS events (
        node TEXT NOT NULL, generation TEXT NOT NULL, seq BIGINT NOT NULL, run TEXT NOT NULL,
        id TEXT NOT NULL, type TEXT NOT NULL, source TEXT NOT NULL,
        label TEXT NOT NULL, class_id TEXT NOT NULL,
        start_time DOUBLE PRECISION NOT NULL, end_time DOUBLE PRECISION, top_score DOUBLE PRECISION,
        line TEXT NOT NULL, received DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (node, generation, seq))""",
    "CREATE INDEX IF NOT EXISTS events_start ON events (start_time)",
    "CREATE INDEX IF NOT EXISTS events_received ON events (received)",
    """CREATE TABLE IF NOT EXISTS missing (
        node TEXT NOT NULL, generation TEXT NOT NULL, seq BIGINT NOT NULL, run TEXT NOT NULL,
        noticed DOUBLE PRECISION NOT NULL, PRIMARY KEY (node, generation, seq))""",
    """CREATE TABLE IF NOT EXISTS runs (
        node TEXT NOT NULL, generation TEXT NOT NULL, run TEXT NOT NULL, settled BIGINT NOT NULL,
        PRIMARY KEY (node, generation, run))""",
    """CREATE TABLE IF NOT EXISTS facts (
        node TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
        received DOUBLE PRECISION NOT NULL, PRIMARY KEY (node, source, kind))""",
)

MOST_MISSING = 10_000
"""Numbers of one gap that are noted: a forged number would otherwise fill the disk."""

Rows = list[tuple[Any, ...]]


class DatabaseError(DetectorError):
    """The database cannot be opened or written to."""


class Database(Protocol):
    """A connection that speaks SQL with `?` for parameters; its methods raise DatabaseError.

    What `run` and `run_each` change is kept when `commit` returns, and all of it is lost if that fails.
    """

    def run(self, sql: str, *values: object) -> Rows:
        """Execute a statement and return its rows."""

    def run_each(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Execute a statement for each row of values; returns how many rows it changed."""

    def commit(self) -> None:
        """Keep what was changed, on the disk."""

    def close(self) -> None:
        """Drop what was not committed."""


def make_tables(database: Database) -> None:
    """Make the tables that are not there."""
    for statement in TABLES:
        database.run(statement)
    database.commit()


def add_events(database: Database, events: Sequence[FleetEvent], *, now: float) -> int:
    """Add events, not those that are there; returns how many were new. `now`: UTC [s since 1970]."""
    return database.run_each(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                *(e.node, e.generation, e.seq, e.run, e.id, e.type, e.source, e.label, e.class_id),
                *(e.start, e.stop, e.top_score, e.line, now),
            )
            for e in events
        ],
    )


def add_facts(database: Database, facts: Iterable[NodeFact], *, now: float) -> None:
    """Note what daemons say of themselves, in place of what they said before."""
    newest = {(fact.node, fact.source, fact.kind): fact.value for fact in facts}
    database.run_each(
        "INSERT INTO facts VALUES (?, ?, ?, ?, ?) ON CONFLICT (node, source, kind) "
        "DO UPDATE SET value = excluded.value, received = excluded.received",
        [(*key, value, now) for key, value in newest.items()],
    )


def newest_received(database: Database) -> float:
    """When the newest event came [UTC seconds since 1970]; 0 where there is none."""
    ((newest,),) = database.run("SELECT MAX(received) FROM events")
    return float(newest or 0)


def note_missing(database: Database, *, since: float, until: float, now: float) -> tuple[int, int]:
    """Look for numbers that are missing before events that came between two times [UTC seconds].

    Within a run, `seq` rises by one from event to event; between runs a gap means nothing (docs/protocol.md).
    `until` lies some time back, since collectors that share the work do not write in order. Returns how many
    were noted and how many noted earlier have come by now.
    """
    fresh = database.run(
        "SELECT node, generation, run, seq FROM events WHERE received > ? AND received <= ? "
        "ORDER BY node, generation, run, seq",
        *(since, until),
    )
    noted = 0
    for key, rows in groupby(fresh, key=lambda row: tuple(row[:3])):
        noted += _look_at_run(database, key, [row[3] for row in rows], now)
    came = database.run_each(
        "DELETE FROM missing WHERE EXISTS (SELECT 1 FROM events WHERE events.node = missing.node "
        "AND events.generation = missing.generation AND events.seq = missing.seq)",
        [()],
    )
    return noted, came


def _look_at_run(database: Database, key: tuple[Any, ...], numbers: Sequence[int], now: float) -> int:
    node, generation, run = key
    known = database.run("SELECT settled FROM runs WHERE node = ? AND generation = ? AND run = ?", *key)
    settled: int = known[0][0] if known else numbers[0]
    gaps: list[int] = []
    for number in numbers:
        gaps += range(max(settled + 1, number - MOST_MISSING), number)
        settled = max(settled, number)
    noted = database.run_each(
        "INSERT INTO missing SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM events "
        "WHERE node = ? AND generation = ? AND seq = ?) ON CONFLICT DO NOTHING",
        [(node, generation, number, run, now, node, generation, number) for number in gaps],
    )
    database.run_each(
        "INSERT INTO runs VALUES (?, ?, ?, ?) ON CONFLICT (node, generation, run) "
        "DO UPDATE SET settled = excluded.settled WHERE excluded.settled > runs.settled",
        [(*key, settled)],
    )
    return noted
