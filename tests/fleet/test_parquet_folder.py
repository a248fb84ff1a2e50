"""Parquet files have every event of the database, also those that an earlier collector could not write."""

from __future__ import annotations

from contextlib import closing

import pytest

from detector.fleet.event_database import DatabaseError, add_events, make_tables
from detector.fleet.fleet_event import event_of
from detector.fleet.parquet_folder import JOURNAL, OVERLAP_SECONDS, ParquetFolder
from detector.fleet.sqlite_database import SqliteDatabase
from tests.support.fleet_events import PREFIX, payload, topic

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def database(tmp_path):
    with closing(SqliteDatabase(tmp_path / JOURNAL, is_durable=False)) as opened:
        make_tables(opened)
        yield opened


def add(database, *numbers, now):
    events = [event_of(topic(), payload(number), prefix=PREFIX) for number in numbers]
    add_events(database, events, now=now)


def written(folder):
    return parquet.read_table(folder / "events").column("seq").to_pylist()


def test_what_could_not_be_written_is_written_by_the_next_collector(tmp_path, database):
    add(database, 1, 2, now=100.0)
    (tmp_path / "events").write_text("no folder")
    with pytest.raises(DatabaseError, match="cannot be written"):
        ParquetFolder(tmp_path).write_changed(database, since=0.0, until=200.0)
    (tmp_path / "events").unlink()
    assert ParquetFolder(tmp_path).write_changed(database, since=5000.0, until=6000.0) == 1
    assert written(tmp_path) == [1, 2]


def test_a_collector_begins_where_the_one_before_has_ended(tmp_path, database):
    add(database, 1, now=100.0)
    first = ParquetFolder(tmp_path)
    assert first.write_changed(database, since=0.0, until=200.0) == 1
    assert first.write_changed(database, since=200.0, until=300.0) == 0
    assert ParquetFolder(tmp_path).write_changed(database, since=5000.0, until=6000.0) == 0
    add(database, 2, now=200.0 - OVERLAP_SECONDS + 1)
    assert ParquetFolder(tmp_path).write_changed(database, since=5000.0, until=6000.0) == 1
    assert written(tmp_path) == [1, 2]
