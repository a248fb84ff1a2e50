"""The log file: every full line can be parsed, whatever happens to the disk."""

import json
import os
import stat
from pathlib import Path

import pytest

from detector.errors import SinkError
from detector.sinks.logfile import LogFileSink
from detector.wire.encoding import encode
from detector.wire.message import HeartbeatBody, StatusBody
from tests.support.dead_shares import kill_descriptor
from tests.support.wire_messages import make_message

LINE = len(make_message(1).line)
"""Bytes of one message, up to seq 9."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "events.jsonl"


@pytest.fixture
def opened(path):
    sinks = []

    def make(**options):
        sink = LogFileSink(path, **options)
        sinks.append(sink)
        sink.open()
        return sink

    yield make
    for sink in sinks:
        sink.close()


def seqs(path):
    return [json.loads(line)["seq"] for line in path.read_bytes().splitlines()]


def write(sink, *numbers):
    for seq in numbers:
        sink.write(make_message(seq))


def test_events_and_status_messages_are_appended(path, opened):
    path.parent.mkdir()
    path.write_text('{"seq":0}\n')
    sink = opened()
    write(sink, 1)
    sink.write(encode(StatusBody(state="listening", source="Mic", time=None), 2))
    sink.write(encode(HeartbeatBody(time=None, state="listening", seq=3)))
    assert seqs(path) == [0, 1, 2]


@pytest.mark.skipif(os.name != "posix", reason="no modes elsewhere")
def test_folder_and_file_are_made_and_closed_to_others(path, opened):
    """Whatever the umask, and the rotated files too."""
    before = os.umask(0)
    try:
        write(opened(max_bytes=LINE, backups=2), 1, 2, 3)
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (path.parent, *path.parent.iterdir())}
    assert modes == {
        "logs": 0o750,
        "events.jsonl": 0o640,
        "events.jsonl.1": 0o640,
        "events.jsonl.2": 0o640,
    }


def test_a_full_file_is_rotated_and_the_oldest_goes(path, opened):
    sink = opened(max_bytes=2 * LINE, backups=2)
    write(sink, *range(1, 9))
    assert seqs(path) == [7, 8]
    assert seqs(Path(f"{path}.1")) == [5, 6]
    assert seqs(Path(f"{path}.2")) == [3, 4]
    assert len(list(path.parent.iterdir())) == 3


def test_without_backups_a_full_file_starts_over(path, opened):
    write(opened(max_bytes=2 * LINE, backups=0), *range(1, 4))
    assert seqs(path) == [3]
    assert len(list(path.parent.iterdir())) == 1


def test_zero_never_rotates_and_a_line_longer_than_the_bound_is_still_written(path, opened):
    write(opened(max_bytes=0), *range(1, 9))
    assert seqs(path) == list(range(1, 9))
    path.unlink()
    write(opened(max_bytes=10), 1)
    assert seqs(path) == [1]


def test_where_rotation_is_impossible_the_file_grows(path, opened, caplog):
    sink = opened(max_bytes=2 * LINE, backups=1)
    Path(f"{path}.1").mkdir()
    (Path(f"{path}.1") / "x").touch()
    write(sink, *range(1, 6))
    assert seqs(path) == [1, 2, 3, 4, 5]
    assert caplog.text.count("logfile.rotate_failed") == 2


def test_reopen_lets_others_rotate(path, opened):
    sink = opened()
    write(sink, 1)
    path.rename(f"{path}.old")
    sink.reopen()
    write(sink, 2)
    assert (seqs(Path(f"{path}.old")), seqs(path)) == ([1], [2])


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be moved elsewhere")
def test_a_file_that_was_moved_without_a_signal_is_made_anew(path, opened):
    sink = opened()
    write(sink, 1)
    path.rename(f"{path}.old")
    write(sink, 2)
    assert (seqs(Path(f"{path}.old")), seqs(path)) == ([1], [2])


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be moved elsewhere")
def test_a_vanished_folder_is_made_again(path, opened):
    sink = opened()
    path.parent.rename(path.parent.with_name("gone"))
    write(sink, 1)
    assert seqs(path) == [1]


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be moved elsewhere")
def test_a_folder_that_cannot_be_made_again_is_told_and_tried_again(path, opened):
    sink = opened()
    path.parent.rename(path.parent.with_name("gone"))
    path.parent.touch()
    for _ in range(2):
        with pytest.raises(SinkError, match=r"Not a directory|File exists"):
            write(sink, 1)
    path.parent.unlink()
    write(sink, 2)
    assert seqs(path) == [2]


def test_after_a_crash_in_the_middle_of_a_line_the_next_one_is_whole(path, opened):
    path.parent.mkdir()
    path.write_bytes(b'{"seq":0}\n{"se')
    write(opened(), 1)
    assert path.read_bytes() == b'{"seq":0}\n{"se\n' + make_message(1).line


def test_what_a_full_disk_cuts_off_is_taken_back(path, opened):
    """A file size limit stops a write half way, as a full disk does."""
    resource = pytest.importorskip("resource", reason="no file size limit on this platform")
    sink = opened()
    write(sink, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LINE + LINE // 2, hard))
    try:
        with pytest.raises(SinkError, match=r"cannot be written.*make room"):
            write(sink, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert seqs(path) == [1]
    write(sink, 3)
    assert seqs(path) == [1, 3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this platform")
def test_a_disk_without_any_room_is_told():
    sink = LogFileSink("/dev/full")
    sink.open()
    with pytest.raises(SinkError, match=r"log:/dev/full cannot be written: No space left"):
        write(sink, 1)
    sink.close()


@pytest.mark.parametrize("make", ["folder", "fifo", "file as folder"])
def test_a_path_that_can_never_work_is_refused_at_once(tmp_path, make):
    path = tmp_path / "x"
    if make == "folder":
        path.mkdir()
    elif make == "fifo":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no FIFOs on this platform")
        os.mkfifo(path)
    else:
        path.touch()
        path /= "y"
    with pytest.raises(SinkError, match="choose another path"):
        LogFileSink(path).open()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_refused_at_once(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SinkError, match="Permission denied"):
        LogFileSink(tmp_path / "x").open()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it finds the open file there")
def test_a_file_whose_share_went_away_is_opened_again(path, opened):
    sink = opened()
    write(sink, 1)
    kill_descriptor(path)
    write(sink, 2)
    assert seqs(path) == [1, 2]
    kill_descriptor(path)
    sink.close()
