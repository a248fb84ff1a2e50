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
from typing import Any, Protocol

from detector.errors import ConfigError, DetectorError
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
    # `fleet` counts by this index alone, and Parquet files are written by it, a day of a node at a time.
    "CREATE INDEX IF NOT EXISTS events_node ON events (node, start_time, id)",
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

COLUMNS = {
    "events": (
        *("node", "generation", "seq", "run", "id", "type", "source", "label", "class_id"),
        *("start_time", "end_time", "top_score", "line", "received"),
    ),
    "missing": ("node", "generation", "seq", "run", "noticed"),
    "runs": ("node", "generation", "run", "settled"),
    "facts": ("node", "source", "kind", "value", "received"),
}
"""What the tables above have."""

Rows = list[tuple[Any, ...]]


class DatabaseError(DetectorError):
    """The database cannot be opened or written to."""


class Database(Protocol):
    """A connection that speaks SQL with `?` for parameters; its methods raise DatabaseError.

    What `run` and `run_each` change is kept when `commit` returns, and all of it is lost if that fails.
    """

    name: str
    """For messages."""

    def columns(self, table: str) -> Sequence[str]:
        """The names of a table's columns; empty where there is no such table."""

    def run(self, sql: str, *values: object) -> Rows:
        """Execute a statement and return its rows."""

    def run_each(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Execute a statement for each row of values; returns how many rows it changed."""

    def be_alone(self) -> None:
        """Until `commit`, wait for others who make tables, or have them wait."""

    def commit(self) -> None:
        """Keep what was changed, on the disk."""

    def close(self) -> None:
        """Drop what was not committed."""


def make_tables(database: Database) -> None:
    """Make the tables where they are not there; ConfigError where others have their names.

    Where all are there, a user who may read and write them needs no right to make some.
    """
    if not has_tables(database):
        database.be_alone()
        for statement in TABLES:
            database.run(statement)
    database.commit()


def has_tables(database: Database) -> bool:
    """Whether all tables are there; ConfigError where others have their names."""
    found = {table: tuple(database.columns(table)) for table in COLUMNS}
    for table, expected in COLUMNS.items():
        if found[table] not in ((), expected):
            raise ConfigError(
                f"{database.name}: expected a table {table} with the columns {', '.join(expected)}, got "
                f"{', '.join(found[table])[:200]}: another program or version has made it, so nothing is "
                "written; use another database, or that version"
            )
    return all(found.values())


def add_events(database: Database, events: Sequence[FleetEvent], *, now: float) -> int:
    """Add events, not those that are there; returns how many were new. `now`: UTC [s since 1970].

    Always in the order of their names: of two collectors that add the same ones, neither waits for the other
    while that waits for it.
    """
    return database.run_each(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                *(e.node, e.generation, e.seq, e.run, e.id, e.type, e.source, e.label, e.class_id),
                *(e.start, e.stop, e.top_score, e.line, now),
            )
            for e in sorted(events, key=lambda e: (e.node, e.generation, e.seq))
        ],
    )


def add_facts(database: Database, facts: Iterable[NodeFact], *, now: float) -> None:
    """Note what daemons say of themselves, in place of what they said before."""
    newest = {(fact.node, fact.source, fact.kind): fact.value for fact in facts}
    database.run_each(
        "INSERT INTO facts VALUES (?, ?, ?, ?, ?) ON CONFLICT (node, source, kind) "
        "DO UPDATE SET value = excluded.value, received = excluded.received",
        [(*key, value, now) for key, value in sorted(newest.items())],
    )


def newest_received(database: Database) -> float:
    """When the newest event came [UTC seconds since 1970]; 0 where there is none."""
    ((newest,),) = database.run("SELECT MAX(received) FROM events")
    return float(newest or 0)
