"""A real PostgreSQL takes the statements that SQLite takes, and answers the same."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from detector.fleet.asking import wanted_after
from detector.fleet.event_database import add_events, add_facts, make_tables
from detector.fleet.fleet_event import NodeFact, event_of
from detector.fleet.fleet_table import node_rows
from detector.fleet.missing_numbers import note_missing
from detector.fleet.postgres_database import PostgresDatabase
from detector.fleet.sqlite_database import SqliteDatabase
from tests.support import postgres
from tests.support.fleet_events import HEARD, PREFIX, RUN, payload, topic

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not())]

LARGE = 2**61


def looks(database):
    """What two looks at a fleet find: of the numbers that came, that were said, and that came late."""
    make_tables(database)
    found: list[object] = []
    numbers = {"hall": (1, 2, 5), "attic": (40_000, 40_003), "shed": (1, LARGE), "barn": ()}
    for node, came in numbers.items():
        events = [event_of(topic(node), payload(seq, node=node), prefix=PREFIX) for seq in came]
        add_events(database, events, now=100.0)
        stats = {"generation": "g", "run": RUN, "seq": 40_005, "sent_after": 0, "events_waiting": 0}
        add_facts(database, [NodeFact(node, "", "stats", json.dumps(stats))], now=100.0)
    for until in (1000.0, 2000.0):
        found.append(note_missing(database, since=until - 1000.0, until=until, now=until))
        found.append(wanted_after(database, until=until))
        found.append(
            database.run("SELECT node, COUNT(*), MIN(seq), MAX(seq) FROM missing GROUP BY 1 ORDER BY 1")
        )
        found.append(database.run("SELECT * FROM runs ORDER BY node"))
        found.append(node_rows(database, now=HEARD))
        add_events(database, [event_of(topic(), payload(seq), prefix=PREFIX) for seq in (3, 4)], now=1500.0)
    database.commit()
    return found


def test_it_finds_what_sqlite_finds():
    with ExitStack() as stack:
        server = stack.enter_context(postgres.Postgres())
        other = stack.enter_context(closing(PostgresDatabase(server.uri)))
        ours = stack.enter_context(closing(SqliteDatabase(Path(":memory:"), is_durable=False)))
        assert looks(other) == looks(ours)
