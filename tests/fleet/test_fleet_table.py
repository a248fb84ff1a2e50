"""`fleet`: who is alive, how much each heard, and what is missing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from detector.fleet.event_database import add_events, add_facts, make_tables
from detector.fleet.fleet_event import NodeFact, event_of
from detector.fleet.fleet_table import CLOCK_SECONDS, DAY_SECONDS, as_table, node_rows
from detector.fleet.missing_numbers import note_missing
from detector.fleet.sqlite_database import SqliteDatabase
from tests.support.fleet_events import HEARD, PREFIX, payload, topic


@pytest.fixture
def database():
    with closing(SqliteDatabase(Path(":memory:"), is_durable=False)) as opened:
        make_tables(opened)
        yield opened


def event(seq, *, node="hall", **changes):
    return event_of(topic(node), payload(seq, node=node, **changes), prefix=PREFIX)


def add(database, *events):
    add_events(database, events, now=100.0)


def sounds(database, now=HEARD + 10.0):
    return {row.node: row.events_day for row in node_rows(database, now=now)}


def test_a_sound_of_several_messages_is_counted_once(database):
    add(database, event(1, id="20260801T140321Z-3f9a-1"))
    add(database, event(2, id="20260801T140321Z-3f9a-1", type="update", label="Cat"))
    add(database, event(3, id="20260801T140321Z-3f9a-1", type="end", label="Cat"))
    add(database, event(4, id="20260801T140321Z-3f9a-2"))
    assert sounds(database) == {"hall": 2}


def test_a_sound_whose_beginning_is_lost_is_counted(database):
    add(database, event(2, type="end"))
    assert sounds(database) == {"hall": 1}


def test_two_daemons_may_give_their_sounds_the_same_id(database):
    add(database, event(1), event(1, node="attic"))
    assert sounds(database) == {"attic": 1, "hall": 1}


def test_a_sound_counts_for_24_hours_from_its_beginning(database):
    add(database, event(1), event(2, type="end"))
    assert sounds(database, now=HEARD + DAY_SECONDS - 1) == {"hall": 2}
    assert sounds(database, now=HEARD + DAY_SECONDS + 1) == {"hall": 0}


def test_a_sound_of_tomorrow_is_not_of_today(database):
    add(database, event(1))
    assert sounds(database, now=HEARD - CLOCK_SECONDS) == {"hall": 1}
    assert sounds(database, now=HEARD - CLOCK_SECONDS - 1) == {"hall": 0}


def test_sounds_are_counted_by_an_index_alone_and_nothing_is_sorted(database):
    class Explaining(SqliteDatabase):
        def run(self, sql, *values):
            plans.append([row[3] for row in super().run(f"EXPLAIN QUERY PLAN {sql}", *values)])
            return super().run(sql, *values)

    plans: list[list[str]] = []
    with closing(Explaining(Path(":memory:"), is_durable=False)) as explaining:
        make_tables(explaining)
        plans.clear()
        node_rows(explaining, now=HEARD)
    (plan,) = [steps for steps in plans if any("events" in step for step in steps)]
    reads = [step for step in plan if " events " in step]
    assert len(reads) == 4 and all(step.startswith("SEARCH events USING COVERING INDEX") for step in reads)
    assert not any("TEMP B-TREE" in step for step in plan)


def test_numbers_that_no_level_and_no_time_has_are_left_out_of_the_table(database):
    text = '{"level_dbfs":1%s,"lost_seconds":true,"uptime_seconds":"x","version":{"a":[]}}' % ("0" * 400)
    add_facts(database, [NodeFact("hall", "", "stats", text)], now=100.0)
    (row,) = node_rows(database, now=100.0)
    assert (row.level_dbfs, row.lost_seconds, row.uptime_seconds) == (None, None, None)
    assert "hall" in as_table([row], now=100.0)


def test_an_event_of_a_clock_that_is_ahead_is_not_shown_as_of_now(database):
    add(database, event(1))
    now = HEARD - 50 * 365 * 86_400
    assert "in 18250 d" in as_table(node_rows(database, now=now), now=now)


def test_the_table_shows_who_is_alive_how_loud_it_is_there_now_and_what_is_missing(database):
    add(database, event(1), event(4))
    note_missing(database, since=0.0, until=1000.0, now=1000.0)
    stats = '{"generation":"g","seq":9,"events_waiting":0,"level_dbfs":-41.2,"version":"1.0"}'
    facts = [
        NodeFact("hall", "", "stats", stats),
        NodeFact("hall", "", "availability", "online"),
        NodeFact("attic", "", "stats", stats.replace("1.0", "1.1")),
        NodeFact("attic", "", "availability", "offline"),
        NodeFact("shed", "", "availability", "online"),
        NodeFact("shed", "", "state", "silent"),
        NodeFact("barn", "", "availability", "online"),
        NodeFact("barn", "", "listen", "OFF"),
    ]
    add_facts(database, facts, now=100.0)
    now = HEARD + 7200
    assert as_table(node_rows(database, now=now), now=now).splitlines() == [
        "node   state    level     events 24 h  last event  missing  lost  up  version",
        "attic  offline            0                        0                  1.1",
        "barn   paused             0                        0",
        "hall   online   -41 dBFS  2            2 h ago     2                  1.0",
        "shed   silent             0                        0",
        "3 of 4 online, 2 events missing",
    ]
