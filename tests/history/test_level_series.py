"""Levels as a series: every minute of a day; of longer times points that hold all of their minutes."""

import random
import sqlite3
from contextlib import closing

import pytest

from detector.audio.level_minute import LevelMinute, all_joined, mean_square
from detector.errors import HistoryError
from detector.history.level_series import MOST_POINTS, LevelSeries, level_series, level_sources
from tests.support.history_stores import T0, make_store

FIRST = int(T0 // 60)


def make_minute(number, dbfs, source="Mic"):
    power = mean_square(dbfs)
    return LevelMinute(source, number, 60.0, 0.5, power * 60, power * 4, {int((dbfs + 120) * 2): 2000})


@pytest.fixture
def store(tmp_path):
    store = make_store(tmp_path / "history.db")
    yield store
    store.close()


def series(store, minutes, **wanted):
    return level_series(store.path, since=FIRST * 60.0, until=(FIRST + minutes) * 60.0, **wanted)


def test_a_day_has_a_point_for_each_minute(store):
    minutes = [make_minute(FIRST + n, -60 + n % 7) for n in range(1440) if n != 5]
    minutes.append(LevelMinute("Mic", FIRST + 5, lost_seconds=60.0))
    store.write((), minutes)
    found = series(store, 1440)
    assert (found.step_seconds, found.source, len(found.minutes)) == (60, "Mic", 1440)
    assert (found.leq[0], found.max[0], found.l10[0], found.l90[0]) == (-60.0, -54.0, -59.8, -59.8)
    assert (found.leq[5], found.max[5], found.l10[5], found.heard[5], found.lost[5]) == (
        *(None, None, None),
        *(0.0, 60.0),
    )


def test_points_of_several_minutes_are_these_minutes_joined(store):
    rng = random.Random(3)  # noqa: S311
    minutes = [make_minute(FIRST + n, rng.uniform(-90, -20)) for n in range(4000) if not 700 < n < 800]
    store.write((), minutes)
    found = series(store, 4000)
    assert found.step_seconds == 300 and len(found.minutes) <= MOST_POINTS
    for begin, leq, loudest, l10, l90, heard, lost in zip(
        found.minutes, found.leq, found.max, found.l10, found.l90, found.heard, found.lost, strict=True
    ):
        same = all_joined(m for m in minutes if begin <= m.minute * 60 < begin + 300)
        assert (leq, loudest) == pytest.approx((same.leq_dbfs, same.max_dbfs), abs=0.06)
        assert (l10, l90) == pytest.approx((same.exceeded_dbfs(0.1), same.exceeded_dbfs(0.9)), abs=0.06)
        assert (heard, lost) == (same.heard_seconds, same.lost_seconds)


def test_without_a_name_it_is_the_source_that_was_heard_most(store):
    store.write(
        (), [make_minute(FIRST + n, -50, name) for name, many in (("a", 3), ("b", 9)) for n in range(many)]
    )
    assert series(store, 100).source == "b"
    assert series(store, 100, source="a").minutes == [(FIRST + n) * 60 for n in range(3)]
    assert level_sources(store.path) == ["a", "b"]


def test_where_nothing_is_known_it_is_empty(store):
    store.write([])
    assert series(store, 100) == LevelSeries()
    store.write((), [make_minute(FIRST, -50)])
    assert series(store, 100, source="c") == LevelSeries(source="c")
    store._connection.executescript("DROP TABLE levels; PRAGMA user_version = 1")
    assert series(store, 100) == LevelSeries()
    assert level_sources(store.path) == []


@pytest.mark.parametrize("damage", ["histogram = 5", "heard = 'x'", "leq = 'x'", "minute = 'x' || minute"])
def test_rows_that_hold_something_else_are_an_error_in_one_line(store, damage):
    store.write((), [make_minute(FIRST + n, -50) for n in (0, 1600)])
    store.close()
    with closing(sqlite3.connect(store.path)) as file:
        file.execute(f"UPDATE levels SET {damage}")  # noqa: S608
        file.commit()
    try:
        assert series(store, 2000).minutes == []
    except HistoryError as error:
        assert "cannot be read" in str(error)
