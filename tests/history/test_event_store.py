"""The file: every event once, a damaged one is set aside, and nobody else gets in."""

import contextlib
import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from detector.errors import HistoryError
from detector.history.event_store import TIDY_SECONDS
from detector.history.schema import VERSION, connect_writer, lock_path
from detector.history.sequence_numbers import SequenceNumbers
from tests.support.dead_shares import kill_descriptor
from tests.support.history_stores import DAY, T0, Clocks, make_message, make_store, rows

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "history.db"


def written(path, *messages, **options):
    store = make_store(path, **options)
    store.write(messages)
    return store


def test_what_is_written_is_there_as_it_was_sent(path):
    messages = [make_message(seq, label="Déjà") for seq in (1, 2, 3)]
    store = written(path, *messages)
    assert store.oldest_seq == 1
    assert [f"{line}\n".encode() for line in rows(path, "line")] == [message.line for message in messages]
    assert rows(path, "start") == [T0] * 3


def test_the_oldest_event_of_an_earlier_run_is_known_at_once(path):
    store = written(path, make_message(1), make_message(2))
    store.close()
    store.close()
    assert store.oldest_seq is None
    assert written(path).oldest_seq == 1


def test_there_is_nothing_to_tidy_before_the_file_is_open(path):
    assert not make_store(path).tidy()
    assert not path.exists()


def test_a_tidy_file_is_left_alone_until_more_is_written_or_time_has_passed(path):
    statements, clocks = [], Clocks()
    store = written(path, make_message(1), connect=traced(statements), monotonic=clocks.monotonic)
    assert not store.tidy()
    statements.clear()
    assert not store.tidy()
    assert statements == []
    clocks.pass_by(TIDY_SECONDS)
    store.tidy()
    assert statements != []


def traced(statements):
    """What opens the file and notes every statement."""

    def connect(path):
        connection = connect_writer(path)
        connection.set_trace_callback(statements.append)
        return connection

    return connect


def test_to_open_a_history_that_is_there_writes_nothing(path):
    """Embeddings are written through a connection of their own, again and again."""
    kept = written(path, make_message(1))
    log = path.with_name(f"{path.name}-wal")
    before = log.read_bytes()
    for _ in range(3):
        connect_writer(path).close()
    assert log.read_bytes() == before
    kept.close()


def test_numbers_are_reserved_before_they_are_used(path):
    """Again when half of them are used, so that they have no gap."""
    numbers = SequenceNumbers(utc=lambda: T0, ahead=10)
    store = written(path, numbers=numbers)
    numbers.begin()
    for wanted in range(1, 31):
        assert numbers.take() == wanted
        with closing(sqlite3.connect(path)) as file:
            (reserved,) = file.execute("SELECT value FROM meta WHERE key = 'reserved'").fetchone()
        assert reserved > wanted
        store.write([make_message(wanted)])


def test_a_reservation_survives_a_power_cut_and_events_need_not(path):
    """SQLite waits for the disk with FULL, which would be too slow for each event."""
    statements = []
    written(path, make_message(1), connect=traced(statements))
    levels = [text.rpartition(" ")[2] for text in statements if text.startswith("PRAGMA synchronous")]
    at = next(n for n, text in enumerate(statements) if text.startswith("UPDATE meta"))
    assert statements[at - 1] == "PRAGMA synchronous = FULL"
    assert levels[-1] == "NORMAL"


def test_a_copy_is_told_in_the_log_and_nothing_else_is_one(path, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    written(path, make_message(1)).close()
    written(path, make_message(2)).close()
    assert "history.copied" not in caplog.text
    shutil.copytree(path.parent, tmp_path / "copy")
    written(tmp_path / "copy" / path.name).close()
    assert "history.copied" in caplog.text


def test_the_same_event_written_twice_is_there_once(path):
    store = written(path, make_message(1))
    store.write([make_message(1), make_message(2)])
    assert rows(path) == [1, 2]


def test_an_event_without_times_or_names_is_kept_all_the_same(path):
    written(path, make_message(1, start_time=None, label="x", top_score=None, source=None))
    assert rows(path) == [1]


def test_only_owner_and_group_get_at_it(path):
    store = written(path, make_message(1))
    files = {file.name: stat.S_IMODE(file.stat().st_mode) & 0o137 for file in path.parent.iterdir()}
    assert {"history.db", "history.db-wal", "history.db-shm"} <= files.keys()
    assert set(files.values()) == {0}
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o027 == 0
    store.close()


def test_the_next_run_goes_on_after_a_good_end_without_a_gap(path):
    numbers = SequenceNumbers(utc=lambda: T0)
    store = make_store(path, numbers)
    store.write([])
    numbers.begin()
    store.write([make_message(numbers.take()) for _ in range(3)])
    store.close()
    after = SequenceNumbers(utc=lambda: T0)
    make_store(path, after).write([])
    after.begin()
    assert after.take() == 4


def test_the_next_run_begins_above_what_a_killed_one_may_have_used(path, tmp_path):
    """Three numbers were given, one was written, the process was killed: its files are as they were."""
    numbers = SequenceNumbers(utc=lambda: T0)
    store = make_store(path, numbers)
    store.write([])
    numbers.begin()
    given_out = [numbers.take() for _ in range(3)]
    store.write([make_message(1)])
    shutil.copytree(path.parent, tmp_path / "killed")
    after = SequenceNumbers(utc=lambda: T0)
    make_store(tmp_path / "killed" / path.name, after).write([])
    after.begin()
    assert max(given_out) < after.take() < 2 * numbers.ahead


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path, content, caplog):
    written(path, make_message(1)).close()
    path.write_bytes(content)
    numbers = SequenceNumbers(utc=lambda: T0)
    make_store(path, numbers).write([make_message(1)])
    (aside,) = path.parent.glob("history.db.damaged-*")
    assert aside.read_bytes() == content
    assert rows(path) == [1]
    assert "history.damaged" in caplog.text
    numbers.begin()
    assert numbers.take() > T0 * 1000  # what the old file held is unknown


def test_a_file_that_is_damaged_while_it_is_used_loses_no_event(path):
    store = written(path, *(make_message(seq) for seq in range(1, 2000)))
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    store = make_store(path)
    store.write([make_message(5000)])
    assert rows(path) == [5000]


def test_a_mistyped_path_moves_nobodys_file(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear all, " * 100)
    with pytest.raises(HistoryError, match=r"set history\.path"):
        make_store(path).write([make_message(1)])
    assert path.read_text().startswith("Dear all")


@pytest.mark.parametrize("version", [0, 1, 7])
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_another_programs_database_is_left_alone(path, version, journal):
    """Not a byte of it is changed, and nothing is put beside it."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA journal_mode = {journal}")
        other.execute("CREATE TABLE messages (url)")
        other.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="belongs to another program"):
        make_store(path).write([make_message(1)])
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_was_never_a_history_is_not_moved_aside(path):
    path.parent.mkdir()
    path.write_bytes(b"another program's own format" * 1000)
    for _ in range(2):
        with pytest.raises(HistoryError, match="found something else"):
            make_store(path).write([make_message(1)])
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_was_cut_off_while_it_is_used_is_set_aside_and_told(path, caplog):
    store = written(path, *(make_message(seq) for seq in range(1, 2000)))
    store.close()
    store = written(path, make_message(2000))
    os.truncate(path, 8192)
    store.write([make_message(2001)])
    assert "history.damaged" in caplog.text
    assert rows(path) == [2001]
    assert list(path.parent.glob("history.db.damaged-*-wal")), "its log goes with it"


def run_of(path, count):
    """Number and write so many events in a run of its own; returns its numbers."""
    numbers = SequenceNumbers(utc=lambda: T0)
    store = make_store(path, numbers)
    with contextlib.suppress(HistoryError):
        store.write([])
    numbers.begin()
    given_out = [numbers.take() for _ in range(count)]
    with contextlib.suppress(HistoryError):
        store.write([make_message(number) for number in given_out])
    store.close()
    return numbers, given_out


def test_numbers_go_on_above_a_history_that_was_deleted(path):
    _, first = run_of(path, 5)
    path.unlink()
    _, second = run_of(path, 5)
    assert min(second) > max(first)


def test_numbers_go_on_above_an_older_copy_that_was_put_back(path, tmp_path):
    run_of(path, 5)
    shutil.copy(path, tmp_path / "backup.db")
    _, second = run_of(path, 5)
    shutil.copy(tmp_path / "backup.db", path)
    _, third = run_of(path, 5)
    assert min(third) > max(second)


def test_a_whole_folder_that_was_put_back_begins_a_new_generation(path, tmp_path):
    """Its numbers come again; where the generation began tells which ones a subscriber has not had."""
    first, _ = run_of(path, 5)
    shutil.copytree(path.parent, tmp_path / "backup")
    run_of(path, 5)
    shutil.rmtree(path.parent)
    shutil.copytree(tmp_path / "backup", path.parent)
    third, numbers = run_of(path, 5)
    assert third.generation != first.generation
    assert third.generation_seq == 5 == min(numbers) - 1


def test_a_disk_that_cannot_be_written_begins_a_generation_with_each_run(tmp_path):
    """The clock shows the same at each boot, so the numbers are the same."""
    (tmp_path / "file").touch()
    first, same = run_of(tmp_path / "file" / "history.db", 3)
    second, again = run_of(tmp_path / "file" / "history.db", 3)
    assert same == again
    assert first.generation != second.generation
    assert first.generation_seq == min(same) - 1


def test_runs_on_one_file_are_one_generation(path):
    runs = [run_of(path, 2) for _ in range(3)]
    assert len({numbers.generation for numbers, _ in runs}) == 1
    assert [number for _, given_out in runs for number in given_out] == [1, 2, 3, 4, 5, 6]


def test_what_was_written_is_in_a_copy_that_lacks_the_log(path, tmp_path):
    """The tables at once, the events once an hour."""
    clocks = Clocks()
    store = make_store(path, utc=clocks.utc, monotonic=clocks.monotonic)
    store.write([make_message(1)])
    shutil.copy(path, tmp_path / "copy.db")
    assert rows(tmp_path / "copy.db") == []
    store.tidy()
    shutil.copy(path, tmp_path / "copy.db")
    assert rows(tmp_path / "copy.db") == [1]


def test_a_file_of_a_later_version_is_refused_and_left_alone(path):
    written(path, make_message(1)).close()
    with closing(sqlite3.connect(path)) as later:
        later.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(HistoryError, match="a newer sound-detector"):
        make_store(path).write([make_message(2)])
    assert rows(path) == [1]


def test_of_two_daemons_one_has_the_history(path):
    pytest.importorskip("fcntl")
    first = written(path, make_message(1))
    second = make_store(path)
    with pytest.raises(HistoryError, match="in use by another daemon"):
        second.write([make_message(2)])
    first.close()
    second.write([make_message(2)])
    assert rows(path) == [1, 2]


def test_a_file_that_was_deleted_is_made_anew_and_the_log_says_so(path, caplog):
    store = written(path, make_message(1))
    for file in path.parent.glob("history.db*"):
        file.unlink()
    store.write([make_message(2)])
    assert rows(path) == [2]
    assert f"history.moved path={path}" in caplog.text


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it finds the open file there")
def test_a_lock_whose_share_went_away_is_taken_anew(path):
    store = written(path, make_message(1))
    kill_descriptor(lock_path(path))
    path.unlink()
    store.write([make_message(2)])
    assert rows(path) == [2]
    with pytest.raises(HistoryError, match="in use by another daemon"):
        make_store(path).write([make_message(3)])
    kill_descriptor(lock_path(path))
    store.close()


def test_a_full_disk_is_told_and_afterwards_all_is_written_once(path):
    limits = [20, None]

    def connect(path):
        connection = connect_writer(path)
        if pages := limits.pop(0):  # SQLite's own "database or disk is full"
            connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    store = written(path, make_message(1), connect=connect)
    many = [make_message(seq) for seq in range(2, 2000)]
    with pytest.raises(HistoryError, match="full"):
        store.write(many)
    store.write(many)  # opened anew, without the limit
    assert rows(path) == list(range(1, 2000))


def test_a_file_that_another_program_holds_is_told(path):
    store = written(path, make_message(1))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="locked"):
            store.write([make_message(2)])
    store.write([make_message(2)])
    assert rows(path) == [1, 2]


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HistoryError, match="cannot be written") as caught:
        make_store(tmp_path / "file" / "history.db").write([])
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting takes root")
@pytest.mark.parametrize("option", ["size=256k", "ro"])
def test_a_real_disk_that_is_full_or_read_only(tmp_path, option):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", option, "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        store = make_store(disk / "history.db")
        many = [make_message(seq) for seq in range(1, 2000)]
        with pytest.raises(HistoryError, match="history cannot be written"):
            store.write(many)
        subprocess.run(["mount", "-o", "remount,rw,size=16m", disk], check=True)
        store.write(many)
        assert rows(disk / "history.db") == list(range(1, 2000))
        store.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def tidy(store):
    steps = 0
    while store.tidy():
        steps += 1
    return steps


def test_old_events_that_cannot_be_deleted_now_are_told(path):
    store = written(path, make_message(1, start=T0 - 100 * DAY))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="locked"):
            store.tidy()
    store.write([make_message(2)])
    assert rows(path) == [1, 2]


def test_the_file_never_stays_above_its_size(path):
    store = make_store(path, max_bytes=1_000_000)
    for start in range(1, 10_001, 250):
        store.write([make_message(seq) for seq in range(start, start + 250)])
        tidy(store)
        assert path.stat().st_size <= 1_300_000
    store.close()
    assert path.stat().st_size <= 1_000_000
    kept = rows(path)
    assert kept == list(range(kept[0], 10_001))
    assert len(kept) > 500


def test_the_retention_does_not_give_numbers_anew(path):
    """The newest events may be deleted by age; their numbers stay used."""
    numbers, clocks = SequenceNumbers(utc=lambda: T0), Clocks()
    store = make_store(path, numbers, utc=clocks.utc, monotonic=clocks.monotonic)
    store.write([])
    numbers.begin()
    store.write([make_message(numbers.take())])
    clocks.pass_by(100 * DAY)
    tidy(store)
    assert rows(path) == []
    store.close()
    after = SequenceNumbers(utc=lambda: T0)
    make_store(path, after).write([])
    after.begin()
    assert after.take() == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
def test_a_pipe_is_not_written_to(path):
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    with pytest.raises(HistoryError, match=r"is not a regular file; set history.path to another$"):
        make_store(path).write([make_message(1)])
