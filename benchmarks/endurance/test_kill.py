"""Killed at any moment, a process breaks no promise; `kills` tries it 100 times."""

import socket
import tempfile
from pathlib import Path

import pytest

from benchmarks.endurance.kills import run_kills

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets on this platform")
def test_ten_kills_under_load():
    with tempfile.TemporaryDirectory() as folder:  # tmp_path may be too long for a socket
        heard = run_kills(Path(folder), kills=10, rate=1000, seed=1)
    assert heard.events
