"""Each event once, whatever comes twice; what is missing is noted, and no longer when it comes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.fleet.asking import FIRST_SECONDS, TRIES, Asking, wanted_after
from detector.fleet.event_database import (
    COLUMNS,
    DatabaseError,
    add_events,
    add_facts,
    make_tables,
)
from detector.fleet.fleet_event import NodeFact, event_of
from detector.fleet.many_rows import ROWS_AT_ONCE
from detector.fleet.missing_numbers import MOST_MISSING, note_missing
from detector.fleet.sqlite_database import SqliteDatabase
from tests.support.fleet_events import PREFIX, RUN, payload, topic

OTHER_RUN = "20260802T140321Z-0001"


@pytest.fixture
def database(tmp_path):
    with closing(SqliteDatabase(tmp_path / "fleet.db", is_durable=False)) as opened:
        make_tables(opened)
        yield opened


def add(database, *numbers, now=100.0, node="hall", run=RUN, generation="g"):
    events = [
        event_of(topic(node), payload(n, node=node, run=run, generation=generation), prefix=PREFIX)
        for n in numbers
    ]
    return add_events(database, events, now=now)


def missing(database):
    return [seq for (seq,) in database.run("SELECT seq FROM missing ORDER BY seq")]


def look(database, until=1000.0, since=0.0):
    return note_missing(database, since=since, until=until, now=until)


def test_an_event_that_comes_again_is_kept_once(database):
    assert add(database, 1, 2, 2) == 2
    assert add(database, 2, 3) == 1
    assert database.run("SELECT COUNT(*) FROM events") == [(3,)]


def test_numbers_of_other_nodes_and_generations_are_other_events(database):
    assert add(database, 1) + add(database, 1, node="attic") + add(database, 1, generation="h") == 3


def test_a_gap_within_a_run_is_missing_until_it_comes(database):
    add(database, 1, 2, 5)
    assert look(database) == (2, 0)
    assert missing(database) == [3, 4]
    add(database, 3, now=1001.0)
    assert look(database, until=2000.0, since=1000.0) == (0, 1)
    assert missing(database) == [4]


def test_a_gap_between_runs_means_nothing(database):
    add(database, 1, 2)
    add(database, 100_000, run=OTHER_RUN)
    assert look(database) == (0, 0)


def test_what_came_just_now_is_not_looked_at_yet(database):
    add(database, 1, now=100.0)
    add(database, 5, now=990.0)
    assert look(database, until=960.0) == (0, 0)
    assert look(database, until=1000.0, since=960.0) == (3, 0)


def said(database, seq, *, run=RUN, waiting=0, received=100.0, generation="g", node="hall", source=""):
    stats = {"generation": generation, "run": run, "seq": seq, "events_waiting": waiting}
    add_facts(database, [NodeFact(node, source, "stats", json.dumps(stats))], now=received)


def test_the_lost_end_of_a_run_is_missing_until_it_comes(database):
    add(database, 1, 2)
    look(database, until=150.0)
    said(database, 4, received=200.0)
    assert look(database, until=300.0, since=150.0) == (2, 0)
    assert missing(database) == [3, 4]
    add(database, 3, 4, now=310.0)
    assert look(database, until=400.0, since=300.0) == (0, 2)


def test_an_end_is_not_missing_while_it_waits_or_where_it_is_of_another_run(database):
    add(database, 1, 2)
    said(database, 4, waiting=2)
    assert look(database) == (0, 0)
    said(database, 400, run=OTHER_RUN)
    assert look(database) == (0, 0)
    said(database, 400, generation="other")
    assert look(database) == (0, 0)


@pytest.mark.parametrize(
    "stats", ["{}", '{"seq":-1}', '{"seq":true,"run":"r","generation":"g"}', '{"run":7}']
)
def test_what_no_daemon_says_makes_nothing_missing(database, stats):
    add(database, 1, 2)
    add_facts(database, [NodeFact("hall", "", "stats", stats)], now=100.0)
    assert look(database) == (0, 0)
    assert wanted_after(database, until=1000.0) == {}


def test_a_forged_number_does_not_fill_the_disk(database):
    add(database, 1, 2**40)
    assert look(database) == (MOST_MISSING, 0)


@settings(max_examples=40, deadline=None)
@given(
    st.permutations(range(1, 13)),
    st.sets(st.integers(2, 11), max_size=5),
    st.lists(st.integers(0, 12), max_size=4),
)
def test_in_whatever_order_they_come_what_is_missing_is_what_has_not_come(order, lost, looks):
    with closing(SqliteDatabase(Path(":memory:"), is_durable=False)) as database:
        make_tables(database)
        since = 0.0
        sent = [number for number in order if number not in lost]
        for step, number in enumerate([1, *sent, *sent[:3], 12]):  # the first and the last are there
            add(database, number, now=float(step + 1))
            if step in looks:
                look(database, until=step + 1.0, since=since)
                since = step + 1.0
        look(database, until=1000.0, since=since)
        assert missing(database) == sorted(lost)


class Counting(SqliteDatabase):
    """Counts the statements that it executes."""

    statements = 0

    def run(self, sql, *values):
        self.statements += 1
        return super().run(sql, *values)

    def run_each(self, sql, rows):
        self.statements += len(rows)
        return super().run_each(sql, rows)


def statements_of_a_look(nodes):
    with closing(Counting(Path(":memory:"), is_durable=False)) as database:
        make_tables(database)
        for node in nodes:
            add(database, 1, 4, node=node)
            said(database, 6, node=node)
        before = database.statements
        assert look(database) == (4 * len(nodes), 0)
        assert wanted_after(database, until=1000.0) == {(node, "g"): 1 for node in nodes}
        return database.statements - before


def test_a_look_at_many_daemons_takes_as_many_statements_as_a_look_at_one():
    many = [f"node-{number}" for number in range(ROWS_AT_ONCE // 4)]  # of each, four numbers are missing
    assert statements_of_a_look(many) == statements_of_a_look(["hall"]) < 10


def test_more_rows_than_one_statement_takes_are_all_noted(database):
    add(database, 1, 3 * ROWS_AT_ONCE)
    assert look(database) == (3 * ROWS_AT_ONCE - 2, 0)
    assert missing(database) == [*range(2, 3 * ROWS_AT_ONCE)]


def test_two_collectors_note_the_same_gap_once(database, tmp_path):
    add(database, 1, 4)
    database.commit()
    with closing(SqliteDatabase(tmp_path / "fleet.db")) as second:
        look(database)
        database.commit()
        look(second)
        second.commit()
    assert missing(database) == [2, 3]


def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path):
    (tmp_path / "fleet.db").write_text("no database, but a text that is longer than a page header" * 50)
    with pytest.raises(ConfigError, match=r"fleet\.db: expected .*got no database: .* choose another name"):
        SqliteDatabase(tmp_path / "fleet.db")


def test_a_damaged_file_says_what_to_do(tmp_path):
    path = tmp_path / "fleet.db"
    with closing(SqliteDatabase(path, is_durable=False)) as database:
        make_tables(database)
        add(database, *range(1, 200))
        database.commit()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    path.write_bytes(data)
    with closing(SqliteDatabase(path)) as database, pytest.raises(DatabaseError, match="move it away"):
        make_tables(database)
        add(database, 1)
        database.run("SELECT * FROM events")


def test_another_programs_file_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE messages (seq INTEGER)")
    before = path.read_bytes()
    with pytest.raises(
        ConfigError, match=r"history\.db: expected a new file or one that .* the tables messages"
    ):
        SqliteDatabase(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["history.db"]


def test_the_columns_that_are_expected_are_those_that_are_made(database):
    assert {table: tuple(database.columns(table)) for table in COLUMNS} == COLUMNS
    assert database.columns("nothing") == []


def test_two_collectors_add_what_came_in_other_orders_in_the_same_one():
    class Noting(SqliteDatabase):
        def run_each(self, sql, rows):
            added.append([row[:3] for row in rows])
            return super().run_each(sql, rows)

    orders = []
    for numbers in ((3, 1, 2), (2, 3, 1)):
        added: list[object] = []
        with closing(Noting(Path(":memory:"), is_durable=False)) as database:
            make_tables(database)
            add(database, *numbers)
            add_facts(database, [NodeFact(f"n{n}", "", "stats", "{}") for n in numbers], now=1.0)
        orders.append(added)
    assert orders[0] == orders[1]


def stats(database, node="hall", received=100.0, **values):
    text = '{"generation":"g","seq":9,"events_waiting":0,"level_dbfs":-41.2,"version":"1.0"}'
    for key, value in values.items():
        text = text.replace(f'"{key}":9' if key == "seq" else f'"{key}":0', f'"{key}":{value}')
    add_facts(database, [NodeFact(node, "", "stats", text)], now=received)


def test_gaps_and_a_missing_end_are_asked_for(database):
    add(database, 1, 2, 5)
    look(database)
    stats(database)
    assert wanted_after(database, until=1000.0) == {("hall", "g"): 2}
    add(database, 3, 4, now=1001.0)
    look(database, until=2000.0, since=1000.0)
    assert wanted_after(database, until=1000.0) == {("hall", "g"): 5}


def test_of_what_a_daemon_says_of_several_sources_the_greatest_number_counts(database):
    add(database, 1, 2)
    said(database, 5, source="door")
    said(database, 3, source="yard")
    assert look(database) == (3, 0)
    add(database, 3, 4, now=1001.0)
    look(database, until=2000.0, since=1000.0)
    assert wanted_after(database, until=1000.0) == {("hall", "g"): 4}


def test_a_missing_beginning_is_asked_for(database):
    text = '{"generation":"g","seq":5,"sent_after":2,"events_waiting":0}'
    add_facts(database, [NodeFact("hall", "", "stats", text)], now=100.0)
    assert wanted_after(database, until=1000.0) == {("hall", "g"): 2}
    add(database, 4, 5)
    assert wanted_after(database, until=1000.0) == {("hall", "g"): 2}
    add(database, 3)
    assert wanted_after(database, until=1000.0) == {}


def test_an_end_that_is_on_its_way_is_not_asked_for(database):
    add(database, 1)
    stats(database, events_waiting=8)
    assert wanted_after(database, until=1000.0) == {}
    stats(database, received=999.0)
    assert wanted_after(database, until=960.0) == {}


def test_a_daemon_is_asked_ever_more_seldom_and_not_at_all_where_nothing_comes():
    asking, wanted = Asking(), {("hall", "g"): 2}
    asked = [now for now in range(0, 10_000, 10) if asking.due(wanted, float(now))]
    assert asked == [0, *(int(FIRST_SECONDS * (2**n - 1)) for n in range(1, TRIES))]
    assert asking.due({("hall", "g"): 7}, 10_000.0) == {("hall", "g"): 7}
