"""`fleet` and `collect` end with 2 where the flag names what can be no database of theirs, else with 1."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from detector.cli.main import main
from detector.fleet.event_database import DatabaseError, make_tables
from detector.fleet.parquet_folder import JOURNAL
from detector.fleet.sqlite_database import SqliteDatabase


def a_text(path):
    path.write_text("no database, but a text\n" * 100)


def a_folder(path):
    path.mkdir()


def another_programs(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE messages (seq INTEGER)")


def of_another_version(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE events (node TEXT)")


def without_tables(path):
    path.touch()


FOUND = {
    a_text: "got no database",
    a_folder: "got a folder",
    another_programs: "got the tables messages",
    of_another_version: "got node: another program or version",
    without_tables: "got one without its tables",
}
NEVER = {make: words for make, words in FOUND.items() if make is not without_tables}
"""A collector makes its tables in an empty file."""


def fault(capsys, *arguments):
    """The exit status, and the one line that is said beside the collector's greeting."""
    status = main(arguments)
    lines = [line for line in capsys.readouterr().err.splitlines() if "collect.starting" not in line]
    assert len(lines) == 1
    return status, lines[0]


@pytest.mark.parametrize("make", FOUND, ids=lambda make: make.__name__)
@pytest.mark.parametrize("form", ["sqlite", "parquet"])
def test_fleet_says_what_it_has_found(tmp_path, capsys, make, form):
    file = tmp_path / (JOURNAL if form == "parquet" else "fleet.db")
    make(file)
    status, line = fault(capsys, "fleet", f"{form}:{tmp_path if form == 'parquet' else file}")
    assert status == 2 and FOUND[make] in line and str(file) in line


@pytest.mark.parametrize("make", NEVER, ids=lambda make: make.__name__)
def test_collect_says_the_same_and_changes_nothing(tmp_path, capsys, make):
    pytest.importorskip("paho.mqtt")
    file = tmp_path / "fleet.db"
    make(file)
    before = None if file.is_dir() else file.read_bytes()
    status, line = fault(capsys, "collect", "mqtt://127.0.0.1:1", "--into", f"sqlite:{file}")
    assert status == 2 and FOUND[make] in line
    assert file.is_dir() or make is of_another_version or file.read_bytes() == before


def test_a_name_below_a_file_can_be_no_database(tmp_path, capsys):
    pytest.importorskip("paho.mqtt")
    a_text(tmp_path / "notes")
    for into in (f"sqlite:{tmp_path}/notes/fleet.db", f"sqlite:{tmp_path}/notes/more/fleet.db"):
        status, line = fault(capsys, "collect", "mqtt://127.0.0.1:1", "--into", into)
        assert status == 2 and "notes, which is a file" in line


@pytest.mark.parametrize("form", ["sqlite", "parquet"])
def test_a_database_that_is_not_there_is_no_fault_of_the_flag(tmp_path, capsys, form):
    status, line = fault(capsys, "fleet", f"{form}:{tmp_path}/nothing")
    assert status == 1 and "there is no such database; `sound-detector collect` makes it" in line
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_of_its_own_is_shown(tmp_path, capsys):
    with closing(SqliteDatabase(tmp_path / "fleet.db")) as database:
        make_tables(database)
    assert main(("fleet", f"sqlite:{tmp_path}/fleet.db")) == 0
    assert capsys.readouterr().out.endswith("0 of 0 online, 0 events missing\n")


def test_a_server_that_cannot_be_reached_is_no_fault_of_the_flag(capsys):
    pytest.importorskip("psycopg")
    status, line = fault(capsys, "fleet", "postgresql://nobody@127.0.0.1:1/sounds")
    assert status == 1 and "cannot be reached" in line


def test_who_may_not_write_there_is_told_who_may(tmp_path):
    path = tmp_path / "fleet.db"
    with closing(SqliteDatabase(path)) as database:
        make_tables(database)
        database.run("PRAGMA query_only = ON")  # as root, in which tests may run, no file is read-only
        with pytest.raises(DatabaseError, match="run this as the user of `sound-detector collect`"):
            database.run("DELETE FROM missing")
