"""The page's process stays small with ten pages open: 45 MB, and no library of numbers slips in unseen."""

from __future__ import annotations

import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.fake_daemon import FakeDaemon

pytest.importorskip("starlette", reason="needs the extra [web]")
websockets = pytest.importorskip("websockets.sync.client", reason="needs the extra [web]")

pytestmark = pytest.mark.slow

PAGES = 10
MOST_MIB = 56
"""numpy alone would add 15; other versions of Python differ by a few."""


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_ten_pages_cost_little_memory(start, tmp_path):
    with FakeDaemon(tmp_path / "events.sock") as daemon, ExitStack() as pages:
        program = start("web", daemon.uri, "--set", "web.port=0")
        address = program.says("the page: ").split()[-1].rstrip("/")
        for _ in range(PAGES):
            for path in ("me", "status", "sources", "labels", "events?limit=50"):
                with urllib.request.urlopen(f"{address}/api/v1/{path}", timeout=30) as answer:  # noqa: S310
                    answer.read()
            stream = urllib.request.urlopen(f"{address}/api/v1/events/stream", timeout=30)  # noqa: S310
            pages.enter_context(stream)
            live = f"{address.replace('http', 'ws')}/api/v1/live"
            viewer = pages.enter_context(websockets.connect(live, origin=address))
            assert [type(viewer.recv(timeout=30)) for _ in range(2)] == [str, bytes]
        assert resident_mib(program.process.pid) < MOST_MIB
