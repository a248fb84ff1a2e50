"""The real program between a real broker and a real database, which are killed: each event is there once."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from detector.fleet import postgres_database
from detector.fleet.event_database import COLUMNS, DatabaseError, add_events, make_tables
from detector.fleet.fleet_event import event_of
from detector.fleet.postgres_database import PostgresDatabase
from tests.support import postgres
from tests.support.fakes import LONG, wait_until
from tests.support.fleet_events import PREFIX, payload, topic
from tests.support.mosquitto import Mosquitto, why_not
from tests.support.mqtt_daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]


class Collecting:
    """The program, started again after it was killed."""

    def __init__(self, folder, broker, into, *, name="first"):
        self._command = [sys.executable, "-m", "detector", "collect", f"mqtt://{broker.host}"]
        self._command += ["--into", into, "--name", name]
        self.log = folder / f"{name}.log"
        self.start()

    def start(self):
        before = self.log.read_text().count("collect.connected") if self.log.exists() else 0
        with self.log.open("a") as file:
            self._process = subprocess.Popen(self._command, stderr=file, stdout=file)
        wait_until(lambda: self.log.read_text().count("collect.connected") > before)

    def kill(self):
        self._process.kill()
        self._process.wait(LONG)

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(LONG)


@pytest.fixture
def stack():
    with contextlib.ExitStack() as opened:
        yield opened


@pytest.fixture
def broker(tmp_path, stack):
    made = Mosquitto(tmp_path)
    stack.callback(made.kill)
    made.start()
    return made


@pytest.fixture
def daemon(tmp_path, stack, broker):
    made = Daemon(tmp_path, f"mqtt://{broker.host}")
    stack.callback(made.dispatcher.close)
    wait_until(lambda: made.is_in_state("connected"))
    return made


def collect(stack, *arguments, **options):
    made = Collecting(*arguments, **options)
    stack.callback(made.kill)
    return made


def numbers(path):
    with closing(sqlite3.connect(path)) as database:
        return [seq for (seq,) in database.execute("SELECT seq FROM events ORDER BY seq")]


def test_two_collectors_share_the_work_and_one_that_is_killed_loses_nothing(tmp_path, stack, broker, daemon):
    path = tmp_path / "fleet.db"
    first = collect(stack, tmp_path, broker, f"sqlite:{path}")
    second = collect(stack, tmp_path, broker, f"sqlite:{path}", name="second")
    daemon.tell(100)
    first.kill()
    daemon.tell(100)
    first.start()
    wait_until(lambda: numbers(path) == list(range(1, 201)))
    assert first.stop() == second.stop() == 0
    shown = subprocess.run(
        [sys.executable, "-m", "detector", "fleet", f"sqlite:{path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "hall" in shown.stdout and "1 of 1 online, 0 events missing" in shown.stdout


@pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not())
def test_a_server_that_is_killed_gets_every_event_all_the_same(tmp_path, stack, broker, daemon):
    import psycopg

    server = stack.enter_context(postgres.Postgres())
    collector = collect(stack, tmp_path, broker, server.uri)
    daemon.tell(100)
    server.kill()
    daemon.tell(100)
    wait_until(lambda: "collect.waiting" in collector.log.read_text())
    server.start()

    def stored():
        with psycopg.connect(server.uri) as connection:
            return connection.execute("SELECT seq FROM events ORDER BY seq").fetchall()

    wait_until(lambda: stored() == [(seq,) for seq in range(1, 201)])
    assert collector.stop() == 0


@pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not())
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the server's processes in /proc")
def test_a_server_that_hangs_is_given_up_and_loses_nothing(stack, monkeypatch):
    monkeypatch.setattr(postgres_database, "ANSWER_SECONDS", 0.5)
    server = stack.enter_context(postgres.Postgres())
    hanging = PostgresDatabase(server.uri)
    make_tables(hanging)
    stack.callback(server.go_on)
    server.hang()
    with pytest.raises(DatabaseError, match="no answer within"):
        add_events(hanging, [event_of(topic(), payload(1), prefix=PREFIX)], now=1.0)
    hanging.close()
    server.go_on()
    with closing(PostgresDatabase(server.uri)) as database:
        assert add_events(database, [event_of(topic(), payload(1), prefix=PREFIX)], now=1.0) == 1


@pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not())
def test_postgresql_takes_a_user_who_may_write_and_make_nothing(stack):
    server = stack.enter_context(postgres.Postgres())
    with closing(PostgresDatabase(server.uri)) as owner:
        owner.run("CREATE ROLE guest LOGIN")
        owner.commit()
        guest = PostgresDatabase(server.uri.replace("sounds@", "guest@"))
        with closing(guest), pytest.raises(DatabaseError, match="permission denied for schema public"):
            make_tables(guest)
        make_tables(owner)
        assert {table: tuple(owner.columns(table)) for table in COLUMNS} == COLUMNS
        owner.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest")
        owner.commit()
    with closing(PostgresDatabase(server.uri.replace("sounds@", "guest@"))) as guest:
        make_tables(guest)
        assert add_events(guest, [event_of(topic(), payload(1), prefix=PREFIX)], now=1.0) == 1


@pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not())
def test_collectors_that_begin_at_once_make_the_tables_once(stack):
    server = stack.enter_context(postgres.Postgres())

    def begin(_):
        with closing(PostgresDatabase(server.uri)) as database:
            make_tables(database)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(begin, range(8))) == [None] * 8


def test_parquet_files_have_a_folder_for_each_day_and_node(tmp_path, stack, broker, daemon):
    parquet = pytest.importorskip("pyarrow.parquet")
    collector = collect(stack, tmp_path, broker, f"parquet:{tmp_path / 'events'}")
    daemon.tell(5)
    wait_until(lambda: len(numbers(tmp_path / "events" / ".events.db")) == 5)
    assert collector.stop() == 0
    table = parquet.read_table(tmp_path / "events" / "events")
    assert table.column("seq").to_pylist() == [1, 2, 3, 4, 5]
    assert {str(day) for day in table.column("day").to_pylist()} == {"2026-08-01"}
    assert set(table.column("node").to_pylist()) == {"hall"}
