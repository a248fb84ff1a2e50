"""`make run WEB=1`: the daemon and the page begin and end together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.support.fakes import LONG, wait_until

SCRIPT = ROOT / "scripts" / "run_with_page.py"

PROGRAM = """\
import pathlib, signal, sys, time
what, folder = sys.argv[1], pathlib.Path(__file__).parent
def note(number, _):
    (folder / f"{what}-got-{signal.Signals(number).name}").touch()
    sys.exit(3 if what == "run" else 0)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, note)
new = folder / f"{what}-new"
new.write_text(" ".join(sys.argv[2:]))
new.rename(folder / f"{what}-arguments")
if (folder / f"{what}-ends").exists():
    while not (folder / "web-arguments").exists():
        time.sleep(0.01)
    sys.exit(int((folder / f"{what}-ends").read_text() or 7))
time.sleep(60)
"""


@pytest.fixture
def start(tmp_path):
    """Start both as a group of their own; what they do is noted in files of the folder."""
    program = tmp_path / "sound-detector"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}")
    program.chmod(0o755)
    started = []

    def start(*arguments):
        command = [sys.executable, SCRIPT, program, *arguments]
        started.append(subprocess.Popen(command, start_new_session=True))
        wait_until(lambda: all((tmp_path / f"{each}-arguments").exists() for each in ("run", "web")))
        return started[0]

    yield start
    for each in started:
        each.kill()
        each.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both_with_the_status_of_the_daemon(start, tmp_path, number):
    both = start()
    if number == signal.SIGINT:  # from a terminal, to all of them
        os.killpg(both.pid, number)
    else:
        both.send_signal(number)
    assert both.wait(LONG) == 3
    assert (tmp_path / f"run-got-{number.name}").exists()
    assert [*tmp_path.glob("web-got-*")]


def test_the_page_ends_with_the_daemon(start, tmp_path):
    (tmp_path / "run-ends").touch()
    assert start().wait(LONG) == 7
    assert (tmp_path / "web-got-SIGTERM").exists()


def test_the_page_of_a_recording_that_is_over_stays(start, tmp_path):
    (tmp_path / "run-ends").write_text("0")
    both = start()
    with pytest.raises(subprocess.TimeoutExpired):
        both.wait(0.3)
    both.send_signal(signal.SIGTERM)
    assert both.wait(LONG) == 0
    assert (tmp_path / "web-got-SIGTERM").exists()


def test_the_daemon_goes_on_without_the_page(start, tmp_path):
    (tmp_path / "web-ends").touch()
    both = start()
    with pytest.raises(subprocess.TimeoutExpired):
        both.wait(0.3)
    both.send_signal(signal.SIGTERM)
    assert both.wait(LONG) == 3


def test_the_page_reads_the_same_settings(start, tmp_path):
    start("--config", "my.yaml", "--device", "1", "--set=web.port=1")
    assert (tmp_path / "web-arguments").read_text() == "--config my.yaml --set=web.port=1"
    assert (tmp_path / "run-arguments").read_text() == "--config my.yaml --device 1 --set=web.port=1"
