"""Many recordings into one folder, and what Ctrl-C leaves of that."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from detector.analysis.outputs import PART
from detector.analysis.recording_files import find_recordings
from detector.analysis.session import TOO_LONG, Session
from detector.analysis.summary import Summary
from detector.analysis.task import Done, Wanted
from detector.errors import UnsupportedFormat
from tests.support.terminals import FakeTerminal


def interrupted_at(name: str):
    """Work that writes a line, and has its user press Ctrl-C in the middle of the recording of this name."""

    def work(task, tell):
        output = task.recording.name + ".csv"
        part = Path(task.folder, output + PART)
        part.write_text("half\n")
        if task.recording.name == name:
            Path(task.folder, f"{name}.scores.npz{PART}.rows").write_text("rows")
            os.kill(os.getppid(), signal.SIGINT)
            threading.Event().wait()  # until it is ended from outside
        part.rename(Path(task.folder, output))
        return Done(Summary(heard_seconds=1.0, recordings=1), (output,))

    return work


@pytest.fixture
def interrupts():
    """Ctrl-C is an exception here even where the suite runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
@pytest.mark.skipif(os.name == "nt", reason="no signals to send there")
def test_ctrl_c_keeps_what_is_whole_and_the_same_command_goes_on(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "in" / f"{name}.wav").write_bytes(b"RIFF")
    out = tmp_path / "out"

    def session(stop):
        recordings = find_recordings([tmp_path / "in"])
        wanted = Wanted(("csv",) if stop != "b" else ("csv", "scores"))
        return Session(recordings, wanted, partial(interrupted_at, stop), 1, {"program": "test"})

    with pytest.raises(KeyboardInterrupt):
        session("b").into_folder(out, overwrite=False)
    assert sorted(path.name for path in out.iterdir()) == ["a.csv", "a.summary.json", "analysis.json"]
    told = capsys.readouterr().err
    assert "stopped: 1 of 3 recordings are done; the same command goes on with the others" in told
    assert session("none").into_folder(out, overwrite=False) == 0
    assert {"a.csv", "b.csv", "c.csv"} <= {path.name for path in out.iterdir()}
    assert "1 of 3 are done already" in capsys.readouterr().err


def telling():
    """Work that writes a line of text."""

    def work(task, tell):
        Path(task.folder, f"{task.recording.name}.txt").write_text("12:00:00.000  start   Dog\n")
        return Done(Summary(heard_seconds=1.0, recordings=1), (f"{task.recording.name}.txt",))

    return work


def test_lines_of_several_recordings_come_under_their_names(tmp_path, capfd):
    for name in ("a", "b\n"):
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
    recordings = find_recordings([tmp_path])
    wanted = Wanted(("text",))
    assert Session(recordings, wanted, telling, 1, {}, quiet=True).to_stdout() == 0
    line = "12:00:00.000  start   Dog"
    assert capfd.readouterr().out.splitlines() == [f"{tmp_path}/a.wav:", line, f"{tmp_path}/b\\n.wav:", line]
    assert Session(recordings[:1], wanted, telling, 1, {}, quiet=True).to_stdout() == 0
    assert capfd.readouterr().out.splitlines() == [line]


def unreadable_or_damaged():
    """Work on recordings of which one cannot be read, and one has no end."""

    def work(task, tell):
        name = task.recording.name
        if name == "b":
            raise UnsupportedFormat("b.wav is no sound")
        for output in (f"{name}.csv", f"{name}.report.html"):
            Path(task.folder, output).write_text("")
        summary = Summary(heard_seconds=1.0, recordings=1)
        return Done(summary, (f"{name}.csv", f"{name}.report.html"), "it breaks off" if name == "c" else "")

    return work


def test_the_index_says_what_was_not_read(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
    wanted = Wanted(("csv",), report=True)
    session = Session(find_recordings([tmp_path]), wanted, unreadable_or_damaged, 1, {}, quiet=True)
    assert session.into_folder(tmp_path / "out", overwrite=False) == 1
    faults = (tmp_path / "out" / "index.html").read_text().partition("Not read")[2].partition("</section>")[0]
    assert re.findall(r"<td[^>]*>(?:<div>)?([^<]*)<", faults) == [
        *(f"{tmp_path}/b.wav", "b.wav is no sound"),
        *(f"{tmp_path}/c.wav", "it breaks off"),
    ]


def writing_nothing():
    """Work whose recordings have no files but what says that they are done."""

    def work(task, tell):
        return Done(Summary(heard_seconds=1.0, recordings=1), ())

    return work


def test_a_name_too_long_for_its_results_is_left_out_and_told(tmp_path, capsys):
    for name in ("a", "b" * 250, "c" * 242, "d"):
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
    session = Session(find_recordings([tmp_path]), Wanted(()), writing_nothing, 1, {}, quiet=True)
    for _ in range(2):
        assert session.into_folder(tmp_path / "out", overwrite=False) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line == f"sound-detector: {tmp_path}/{'b' * 250}.wav: {TOO_LONG}"
        done = sorted(path.name for path in (tmp_path / "out").glob("*.summary.json"))
        assert done == ["a.summary.json", f"{'c' * 242}.summary.json", "d.summary.json"]


def telling_codes():
    """Work that writes a line with a control code."""

    def work(task, tell):
        Path(task.folder, f"{task.recording.name}.txt").write_text("0.5\t1.0\tDog\x9b2J\n")
        return Done(Summary(heard_seconds=1.0, recordings=1), (f"{task.recording.name}.txt",))

    return work


def test_data_on_a_terminal_move_no_cursor(tmp_path, monkeypatch):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    monkeypatch.setattr(sys, "stdout", terminal := FakeTerminal())
    recordings = find_recordings([tmp_path / "a.wav"])
    assert Session(recordings, Wanted(("text",)), telling_codes, 1, {}, quiet=True).to_stdout() == 0
    assert terminal.getvalue() == "0.5\t1.0\tDog\\u009b2J\n"


def damaged():
    """Work on a recording of which the end is missing."""

    def work(task, tell):
        Path(task.folder, f"{task.recording.name}.csv").write_text("half\n")
        return Done(
            Summary(heard_seconds=1.0, recordings=1), (f"{task.recording.name}.csv",), "it breaks off"
        )

    return work


def test_a_recording_that_breaks_off_is_used_told_by_the_status_and_read_again(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(b"RIFF")
    for _ in range(2):
        session = Session(
            find_recordings([tmp_path / "in"]), Wanted(("csv",)), damaged, 1, {"program": "test"}
        )
        assert session.into_folder(tmp_path / "out", overwrite=False) == 1
        assert (tmp_path / "out" / "a.csv").read_text() == "half\n"
        assert "are done already" not in capsys.readouterr().err
