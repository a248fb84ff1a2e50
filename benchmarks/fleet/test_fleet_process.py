"""The children of the fleet's measurement: a deadline may meet one between two of its lives."""

from __future__ import annotations

import sys

import pytest

from benchmarks.fleet.run import Process

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

WAITING = [sys.executable, "-c", "import time; time.sleep(1000)"]
ENDING = [sys.executable, "-c", "print('it ends')"]


def test_one_that_is_killed_has_spent_what_it_had_and_can_be_ended(tmp_path):
    process = Process(WAITING, tmp_path / "log")
    process.kill()
    assert process.cpu_seconds() >= 0.0
    assert process.memory_mb() == 0.0
    process.end()
    process.start()
    process.end()
    process.end()


def test_one_that_has_ended_by_itself_is_told_with_what_it_said(tmp_path):
    process = Process(ENDING, tmp_path / "log")
    process._process.wait()
    with pytest.raises(RuntimeError, match=r"it ended by itself, with 0: it ends"):
        process.kill()
