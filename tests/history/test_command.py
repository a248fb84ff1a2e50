"""`sound-detector history`: a row for each sound, beside the running daemon, for who may read the file."""

import contextlib
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC
from pathlib import Path

import pytest

from detector.cli.main import main
from detector.errors import HistoryError
from detector.history.archive import FileArchive, Query, sounds
from detector.history.command import COLUMNS, history_command
from detector.history.history_paths import reading_paths, writing_path
from tests.support import ROOT
from tests.support.history_stores import T0, make_message, make_store, rows
from tests.support.terminals import FakeTerminal

HOUR = 3600.0


@pytest.fixture
def path(tmp_path):
    """Three sounds: a dog that was told of three times, a cat, and a siren that goes on; the daemon runs."""
    path = tmp_path / "state" / "history.db"
    store = make_store(path)
    store.write(
        [
            make_message(1, "start", id="a", label="Dog", top_score=0.5),
            make_message(2, "start", id="b", label="Cat", start=T0 + HOUR, top_score=0.4),
            make_message(3, "update", id="a", label="Dog", top_score=0.9),
            make_message(4, "end", id="a", stop=T0 + 2, top_score=0.9, ancestors=("Animal",)),
            make_message(5, "end", id="b", label="Cat", start=T0 + HOUR, stop=T0 + HOUR + 1, top_score=0.4),
            make_message(6, "start", id="c", label="Siren", start=T0 + 2 * HOUR, top_score=0.7),
        ]
    )
    yield path
    store.close()


def heard(path, **query):
    return [(message.body.label, message.seq) for message in sounds(path, Query(**query))]


def test_each_sound_is_one_row_its_newest_message_the_newest_sound_last(path):
    assert heard(path) == [("Dog", 4), ("Cat", 5), ("Siren", 6)]
    assert heard(path, limit=10) == heard(path)


def test_a_limit_takes_the_newest(path):
    assert heard(path, limit=2) == [("Cat", 5), ("Siren", 6)]


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ({"since": T0 + 1.0}, ["Cat", "Siren"]),
        ({"until": T0 + 1.0}, ["Dog"]),
        ({"since": T0 + HOUR, "until": T0 + 2 * HOUR}, ["Cat"]),
        ({"since": 4}, ["Cat", "Siren"]),
        ({"since": 3, "until": 5}, ["Dog", "Cat"]),
        ({"labels": ["dog", "/M/SIREN"]}, ["Dog", "Siren"]),
        ({"min_score": 0.7}, ["Dog", "Siren"]),
        ({"labels": ["animal"]}, ["Dog"]),
        ({"labels": ["Owl"]}, []),
    ],
)
def test_questions(path, query, labels):
    assert [label for label, _ in heard(path, **query)] == labels


def show(path, format, **query):
    out, err = io.StringIO(), io.StringIO()
    assert history_command([path], Query(**query), format=format, stdout=out, stderr=err, zone=UTC) == 0
    return out.getvalue(), err.getvalue()


def test_the_table_is_aligned_and_in_local_time(path):
    out, err = show(path, "table")
    assert out.splitlines() == [
        "2026-08-01 14:03:21  Dog     1.0 s  0.90  -23.5 dBFS  Mic",
        "2026-08-01 15:03:21  Cat     1.0 s  0.40  -23.5 dBFS  Mic",
        "2026-08-01 16:03:21  Siren  >1.0 s  0.70  -23.5 dBFS  Mic",
    ]
    assert err == ""


def test_the_table_says_who_spoke_where_two_models_know_a_name(tmp_path):
    store = make_store(tmp_path / "history.db")
    store.write(
        [
            make_message(1, "end", id="a", label="Rain", model="yamnet"),
            make_message(2, "end", id="b", label="Rain", model="esc10"),
            make_message(3, "end", id="c", label="Dog", model="yamnet"),
        ]
    )
    out, _ = show(tmp_path / "history.db", "table")
    store.close()
    assert [line[21:35].strip() for line in out.splitlines()] == ["Rain (yamnet)", "Rain (esc10)", "Dog"]


def test_the_table_says_when_there_may_be_more_and_when_there_is_nothing(path):
    assert "the newest 2; there may be more" in show(path, "table", limit=2)[1]
    assert show(path, "table", labels=["Owl"]) == ("", "no events found\n")


def test_a_group_finds_the_events_of_its_labels(tmp_path):
    store = make_store(tmp_path / "history.db")
    store.write([make_message(1, "end", id="a", label="Siren"), make_message(2, "end", id="b", label="Rain")])
    out, _ = show(tmp_path / "history.db", "table", labels=["alarms"])
    store.close()
    assert "Siren" in out and "Rain" not in out


def test_json_is_what_was_sent(path):
    lines = [json.loads(line) for line in show(path, "json")[0].splitlines()]
    assert [line["seq"] for line in lines] == [4, 5, 6]
    sent = make_message(4, "end", id="a", stop=T0 + 2, top_score=0.9, ancestors=("Animal",))
    assert lines[0] == json.loads(sent.line)


def test_csv_has_a_header_and_survives_any_label(path, tmp_path):
    odd = 'Baby cry, infant "cry"\nnext line'
    other = tmp_path / "other.db"
    make_store(other).write([make_message(1, label=odd)])
    rows = list(csv.DictReader(io.StringIO(show(other, "csv")[0])))
    assert tuple(rows[0]) == (*COLUMNS, "type", "seq")
    assert rows[0]["label"] == odd
    assert rows[0]["end_time"] == ""


def test_a_label_cannot_move_the_terminals_cursor(tmp_path):
    other = tmp_path / "other.db"
    make_store(other).write([make_message(1, label="\x1b[2J")])
    assert "\x1b" not in show(other, "table")[0]


@pytest.mark.parametrize("format", ["json", "csv"])
def test_data_move_no_cursor_either_and_are_as_they_are_in_a_pipe(tmp_path, format):
    other = tmp_path / "other.db"
    make_store(other).write([make_message(1, label="Dog\x9b2J")])
    out = FakeTerminal()
    assert history_command([other], Query(), format=format, stdout=out) == 0
    assert "Dog\\u009b2J" in out.getvalue()
    assert "Dog\x9b2J" in show(other, format)[0]


def test_a_table_whose_name_is_no_text_is_left_aside(tmp_path):
    other = tmp_path / "other.db"
    store = make_store(other)
    store.write([make_message(1)])
    store.close()
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE another (column)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.write_bytes(other.read_bytes().replace(b"another", b"anoth\xff\xf3"))
    store = make_store(other)
    store.write([make_message(2)])
    store.close()
    assert [json.loads(line)["seq"] for line in show(other, "json")[0].splitlines()] == [1, 2]


def test_a_damaged_table_of_contents_with_names_that_are_no_text_is_one_line(tmp_path):
    """Python cannot even read what SQLite says of it."""
    other = tmp_path / "other.db"
    store = make_store(other)
    store.write([make_message(1)])
    store.close()
    content = other.read_bytes()
    assert b"messages_id" in content
    other.write_bytes(content.replace(b"messages_id", b"messa\xff\xf3s_id", 1))
    with pytest.raises(HistoryError, match="the history cannot be read") as caught:
        history_command([other], Query(), stdout=io.StringIO())
    assert str(caught.value).isprintable()
    make_store(other).write([make_message(2)])
    assert rows(other) == [2]
    assert list(tmp_path.glob("other.db.damaged-*"))


def test_a_view_in_place_of_the_table_is_refused(tmp_path):
    """It could go on for ever, and whoever may write the file has made it."""
    other = tmp_path / "other.db"
    store = make_store(other)
    store.write([make_message(1)])
    store.close()
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("DROP TABLE messages")
        connection.execute(
            "CREATE VIEW messages AS WITH RECURSIVE a(seq) AS (VALUES (1) UNION ALL SELECT seq FROM a) "
            "SELECT seq, 1 id, 1 type, 1 label, 1 class_id, 1 start, 1 stop, 1 top_score, 1 source, 1 line "
            "FROM a"
        )
        connection.commit()
    with pytest.raises(HistoryError, match="expected a history of sound-detector, found another"):
        history_command([other], Query(), stdout=io.StringIO())
    with pytest.raises(HistoryError, match="belongs to another program"):
        make_store(other).write([make_message(2)])


def test_no_file_is_one_line(tmp_path):
    with pytest.raises(HistoryError, match=r"there is no history at .*/a or .*/b") as caught:
        history_command([tmp_path / "a", tmp_path / "b"], Query())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"Dear all, " * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_history_is_one_line_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "history.db"
    path.write_bytes(content)
    with pytest.raises(HistoryError) as caught:
        history_command([path], Query(), stdout=io.StringIO())
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_the_command_from_end_to_end(path, capsys):
    assert (
        main(["history", "--file", str(path), "--since", "seq:3", "--label", "DOG", "--format", "json"]) == 0
    )
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [4]


def test_the_command_follows_the_settings(path, tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(f"history: {{path: {path}}}")
    assert main(["history", "--config", str(config), "--min-score", "0.8"]) == 0
    assert "Dog" in capsys.readouterr().out


def test_a_moment_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["history", "--since", "soon"])
    assert caught.value.code == 2
    assert "--since: expected a time such as 2026-11-20" in capsys.readouterr().err


READER = """
import os, pathlib, sys
from detector.history.archive import Query
from detector.history.command import history_command
os.setgroups([]); os.setgid(4242); os.setuid(4343)
history_command([pathlib.Path(sys.argv[1])], Query(), format="json")
"""


@pytest.fixture
def shared_folder():
    """A folder that other users may enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="becoming another user takes root")
@pytest.mark.parametrize("running", [True, False])
def test_who_is_in_its_group_may_read(shared_folder, running):
    path = shared_folder / "state" / "history.db"
    store = make_store(path)
    store.write([make_message(1)])
    if not running:
        store.close()
    for file in (path.parent, *path.parent.iterdir()):
        os.chown(file, -1, 4242)
    root = ROOT
    result = subprocess.run(
        [sys.executable, "-c", READER, str(path)], cwd=root, capture_output=True, text=True, check=False
    )
    store.close()
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["seq"] == 1


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="becoming another user takes root")
def test_who_may_not_read_it_is_told_how(shared_folder):
    """As in the service's state folder, which is root's."""
    path = shared_folder / "state" / "history.db"
    store = make_store(path)
    store.write([make_message(1)])
    store.close()
    result = subprocess.run(
        [sys.executable, "-c", READER, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "Permission denied; read it as its owner, or as root: sudo sound-detector history" in result.stderr


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting takes root")
def test_a_card_that_cannot_be_written_is_read_with_its_log(path, tmp_path):
    """As one out of a machine that lost power: the events are in the log beside the file."""
    card = tmp_path / "card"
    shutil.copytree(path.parent, card, ignore=shutil.ignore_patterns("*-shm"))
    assert (card / "history.db-wal").stat().st_size > 0
    if subprocess.run(["mount", "--bind", card, card], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", card], check=True)
        assert heard(card / "history.db") == heard(path)
    finally:
        subprocess.run(["umount", "-l", card], check=True)


def test_a_copy_without_its_log_is_told_what_is_missing(tmp_path):
    copy = tmp_path / "copy.db"
    copy.touch()
    with pytest.raises(HistoryError, match=r"where it is a copy, copy\.db-wal belongs to it"):
        heard(copy)


def test_the_archive_gives_events_in_order_and_in_pieces(path):
    archive = FileArchive(path, oldest_seq=lambda: 1, newest_seq=lambda: 6)
    assert [message.seq for message in archive.after(0, 4)] == [1, 2, 3, 4]
    assert [message.seq for message in archive.after(4, 4)] == [5, 6]
    assert archive.after(2**80, 4) == []
    assert archive.after(0, 1)[0] == make_message(1, "start", id="a", top_score=0.5)


def test_where_the_history_is():
    service = {"STATE_DIRECTORY": "/var/lib/sound-detector:/other", "XDG_STATE_HOME": "/x"}
    own = Path("/home/me/.local/state/sound-detector/history.db")
    assert writing_path("/mine.db", service) == Path("/mine.db")
    assert writing_path(None, service) == Path("/var/lib/sound-detector/history.db")
    assert writing_path(None, {"XDG_STATE_HOME": "/x"}) == Path("/x/sound-detector/history.db")
    assert writing_path(None, {"XDG_STATE_HOME": "relative", "HOME": "/home/me"}) == own
    assert reading_paths(None, {"HOME": "/home/me"}) == (own, Path("/var/lib/sound-detector/history.db"))
    assert reading_paths("/mine.db", service) == (Path("/mine.db"),)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
def test_a_pipe_is_no_history_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "history.db")
    with pytest.raises(HistoryError, match=r"it is not a regular file$"):
        history_command([tmp_path / "history.db"], Query())
