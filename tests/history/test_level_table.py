"""Levels in the history's file: written once, joined, kept as long as events, and never at their cost."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.level_minute import LevelMinute, mean_square
from detector.errors import HistoryError
from detector.history.journal import Journal
from detector.history.level_table import level_minutes
from detector.history.migrations import MIGRATIONS
from detector.history.sequence_numbers import SequenceNumbers
from tests.support.fakes import wait_until
from tests.support.history_stores import DAY, T0, Clocks, make_message, make_store, rows

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")

MINUTE = int(T0 // 60)


def make_minute(minute=MINUTE, dbfs=-50.0, *, source="Mic", heard=60.0, lost=0.0):
    power = mean_square(dbfs)
    counts = {int((dbfs + 120) * 2): round(heard / 0.03)} if heard else {}
    return LevelMinute(source, minute, heard, lost, power * heard, power * bool(heard), counts)


def kept(path, **query):
    return list(level_minutes(path, **query))


def numbers(minute):
    return pytest.approx((minute.heard_seconds, minute.lost_seconds, minute.energy, minute.peak))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


def written(path, *minutes, **options):
    store = make_store(path, **options)
    store.write((), minutes)
    return store


def test_what_is_written_is_read_in_order_of_time(path):
    minutes = [make_minute(MINUTE + n, -60.0 + n, source=name) for n in (2, 0, 1) for name in ("b", "a")]
    written(path, *minutes)
    found = kept(path)
    assert [(each.minute - MINUTE, each.source) for each in found] == [
        (n, name) for n in (0, 1, 2) for name in ("a", "b")
    ]
    for each in found:
        (same,) = [m for m in minutes if (m.minute, m.source) == (each.minute, each.source)]
        assert (each.heard_seconds, each.lost_seconds, each.energy, each.peak) == numbers(same)
        assert each.histogram == same.histogram


def test_questions(path):
    written(path, *(make_minute(MINUTE + n, source=name) for n in range(4) for name in ("a", "b")))

    def found(**query):
        return [(each.minute - MINUTE, each.source) for each in kept(path, **query)]

    assert found(source="a", since=(MINUTE + 2) * 60.0) == [(2, "a"), (3, "a")]
    assert found(source="b", until=(MINUTE + 1) * 60.0) == [(0, "b")]
    assert found(newest=3) == [(2, "b"), (3, "a"), (3, "b")]
    assert found(source="c") == []


@given(parts=st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.floats(-110, 0)), max_size=12))
@settings(max_examples=15, deadline=None)
def test_parts_of_a_minute_become_one_row(tmp_path_factory, parts):
    """As after a restart within a minute, or a clock that was set back into it."""
    path = tmp_path_factory.mktemp("parts") / "history.db"
    store = make_store(path)
    for minute, source, dbfs in parts:
        store.write((), [make_minute(minute, dbfs, source=source, heard=15.0, lost=1.0)])
    store.write([])
    found = kept(path)
    assert sorted((each.minute, each.source) for each in found) == sorted({part[:2] for part in parts})
    for each in found:
        same = [part for part in parts if part[:2] == (each.minute, each.source)]
        assert each.heard_seconds == 15.0 * len(same)
        assert each.lost_seconds == len(same)
        assert each.energy == pytest.approx(sum(mean_square(part[2]) * 15.0 for part in same))
    store.close()


def test_a_file_of_the_version_before_is_brought_up_to_date_with_its_events(path):
    store = make_store(path)
    store.write([make_message(1)])
    store.close()
    with closing(sqlite3.connect(path)) as file:
        file.executescript(
            "DROP TABLE levels; DROP TABLE level_sources; DROP TRIGGER pictures_deleted; "
            "DROP TABLE pictures; PRAGMA user_version = 1"
        )
    assert kept(path) == []
    written(path, make_minute())
    assert len(kept(path)) == 1
    assert rows(path) == [1]


def test_the_first_version_can_be_read(path):
    with closing(sqlite3.connect(path)) as file:
        file.executescript(";".join([*MIGRATIONS[0], "PRAGMA user_version = 1"]))
    assert kept(path) == []


def test_levels_are_kept_as_long_as_events_by_the_time_that_has_passed(path):
    clocks = Clocks()
    store = written(
        path, make_minute(), keep_days=10, max_bytes=10**9, utc=clocks.utc, monotonic=clocks.monotonic
    )
    clocks.step(400 * DAY)  # a clock that was wrong deletes nothing
    clocks.pass_by(9 * DAY)
    store.write((), [make_minute(MINUTE + 1)])
    assert not store.tidy()
    assert [each.minute - MINUTE for each in kept(path)] == [0, 1]
    clocks.pass_by(2 * DAY)
    while store.tidy():
        pass
    assert [each.minute - MINUTE for each in kept(path)] == [1]


def test_a_full_file_loses_old_levels_and_old_events_together(path):
    clocks = Clocks()
    store = make_store(path, max_bytes=800_000, utc=clocks.utc, monotonic=clocks.monotonic)
    seq = 0
    for hour in range(60):
        clocks.pass_by(3600.0)
        messages = [make_message(seq + n, label="x" * 60) for n in range(1, 51)]
        seq += len(messages)
        store.write(messages, [make_minute(MINUTE + hour * 60 + n) for n in range(60)])
        while store.tidy():
            pass
    levels, events = kept(path), rows(path)
    assert events[-1] == 3000 and 0 < len(events) < 3000
    assert levels[-1].minute == MINUTE + 59 * 60 + 59
    oldest_hour = (events[0] - 1) // 50
    assert abs((levels[0].minute - MINUTE) // 60 - oldest_hour) <= 12
    assert path.stat().st_size < 1_500_000


class SlowDisk:
    """A store that can be told to fail; keeps what it was given."""

    def __init__(self):
        self.error, self.minutes, self.attempts = None, [], 0

    def write(self, messages, minutes=()):
        self.attempts += bool(minutes)
        if self.error:
            raise self.error
        self.minutes += minutes

    def tidy(self):
        return False

    def close(self):
        pass


def make_journal(store):
    journal = Journal(store, SequenceNumbers(utc=lambda: T0))
    journal.start(lambda message: None)
    return journal


def test_a_minute_is_written_at_once(path):
    journal = make_journal(make_store(path))
    journal.keep_levels([make_minute()])
    wait_until(lambda: kept(path))
    journal.close(30.0)


def test_nothing_is_lost_at_a_clean_stop(path):
    journal = make_journal(make_store(path))
    for n in range(50):
        journal.keep_levels([make_minute(MINUTE + n)])
    journal.close(30.0)
    assert len(kept(path)) == 50


def test_what_a_disk_refuses_is_written_when_it_works_again_and_said_once(caplog):
    store = SlowDisk()
    journal = make_journal(store)
    store.error = HistoryError("the disk is full")
    for n in range(3):
        journal.keep_levels([make_minute(MINUTE + n)])
        wait_until(lambda n=n: store.attempts > n)
    store.error = None
    journal.keep_levels([make_minute(MINUTE + 3)])
    wait_until(lambda: len(store.minutes) == 4)
    journal.close(30.0)
    assert [each.minute - MINUTE for each in store.minutes] == [0, 1, 2, 3]
    said = [record.message.split()[0] for record in caplog.records if "levels" in record.message]
    assert said == ["history.levels_failed", "history.levels_recovered"]


@pytest.mark.parametrize(
    "damage", ["histogram = 'text'", "heard = 'x'", "minute = 'x'", "histogram = x'00ffff'"]
)
def test_a_row_that_holds_no_level_is_an_error_in_one_line(path, damage):
    written(path, make_minute()).close()
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"UPDATE levels SET {damage}")  # noqa: S608
        file.commit()
    with pytest.raises(HistoryError, match="cannot be read"):
        kept(path)
