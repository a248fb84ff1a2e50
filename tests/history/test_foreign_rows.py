"""Rows of levels and events that we did not write are refused in one line, or read."""

import io
import json
import sqlite3
from contextlib import closing, contextmanager, suppress
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.level_minute import LevelMinute
from detector.errors import HistoryError
from detector.history.level_listing import levels_command
from detector.history.level_series import level_series
from detector.history.sound_overview import HistoryOverview
from tests.support.history_stores import T0, make_message, make_store

MINUTE = int(T0 // 60)
VALUES = st.one_of(
    st.sampled_from(
        [None, "", "x", b"", b"\x00\xff\xff", b"\xf7\x01\x01", -1, 0, 2**62, -(2**62), 0.0, -5.5]
    ),
    st.sampled_from([1e308, -1e308, float("inf"), T0 + 0.5, MINUTE, MINUTE + 1, "1e5", "2026"]),
)
COLUMNS = st.sampled_from(
    [
        *(("levels", name) for name in ("source", "minute", "heard", "lost", "leq", "max", "l10", "l90")),
        *(("levels", "histogram"), ("level_sources", "name")),
        *(("messages", name) for name in ("id", "label", "start", "stop", "source", "type")),
    ]
)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Three sounds, and the levels of four minutes."""
    store = make_store(tmp_path_factory.mktemp("foreign") / "history.db")
    store.write(
        [make_message(seq, "end", start=T0 + 20 * seq, stop=T0 + 20 * seq + 3) for seq in (1, 2, 3)],
        [LevelMinute("Mic", MINUTE + n, 60.0, 0.0, 6e-5, 1e-5, {100: 200}) for n in (0, 1, 2, 1600)],
    )
    store.close()
    return store.path


@given(changes=st.lists(st.tuples(COLUMNS, VALUES, st.integers(1, 4)), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_any_value_is_refused_in_one_line_or_read(history, changes):
    with closing(sqlite3.connect(history, isolation_level=None)) as file:
        file.execute("BEGIN")
        content = {name: file.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}  # noqa: S608
        for (table, column), value, row in changes:
            with suppress(sqlite3.IntegrityError):  # what a file cannot hold
                file.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))  # noqa: S608
        file.execute("COMMIT")
        try:
            for read in (overview, table_of_levels, series):
                with refused_in_one_line():
                    read(history)
        finally:
            for name, rows in content.items():
                file.execute(f"DELETE FROM {name}")  # noqa: S608
                marks = ", ".join("?" * len(rows[0]))
                file.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608


TABLES = ("level_sources", "levels", "messages")


@contextmanager
def refused_in_one_line():
    """A HistoryError of one printable line is as good as an answer."""
    try:
        yield
    except HistoryError as error:
        assert str(error).isprintable()


def overview(path):
    found = HistoryOverview(utc=lambda: T0 + 100).read(path, days=2, zone=UTC)
    assert 0 <= found.events <= 3
    assert found.heard is None or 0 <= found.heard.share <= 1


def table_of_levels(path):
    for form in ("json", "csv", "table"):
        levels_command([path], format=form, stdout=io.StringIO(), stderr=io.StringIO(), zone=UTC)


def series(path):
    for minutes in (60, 3000):
        found = level_series(path, since=T0 - 60, until=T0 + minutes * 60)
        json.dumps([found.minutes, found.leq, found.heard])
