"""The page over real connections: twenty streams through a restart of the daemon, and WebSockets."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from tests.support import ROOT
from tests.support.browser_views import served
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import LONG, wait_until
from tests.support.history_stores import make_message, make_store
from tests.support.invented_sounds import HOSTILE, SOURCES

pytestmark = pytest.mark.slow
PAGES = 20
PROGRAM = re.compile(r"```python\n(import json, struct\n.*?)```", re.DOTALL)


@pytest.fixture
def daemon(tmp_path):
    with FakeDaemon(tmp_path / "events.sock") as fake:
        yield fake


@pytest.fixture
def url(parts, daemon):
    """The address of a page that follows the daemon."""
    link = DaemonLink([daemon.uri])
    with served(make_app(replace(parts, daemon=link))) as address:
        wait_until(lambda: daemon.watching["events"] == 1 and link.now.connected)
        yield address


class Stream:
    """One page's stream, which comes again as a browser does."""

    def __init__(self, client, url, number):
        self.seqs, self.labels, self.connected = [], set(), []
        self._client, self._url, self._number = client, url, number

    async def follow(self):
        """Read; every third one is cut off after each event, and comes again with its last id."""
        last = None
        while True:
            headers = {} if last is None else {"Last-Event-ID": last}
            address = f"{self._url}/api/v1/events/stream"
            async with self._client.stream("GET", address, headers=headers, timeout=LONG) as answer:
                event = {}
                async for line in answer.aiter_lines():
                    if line:
                        key, _, value = line.partition(": ")
                        event[key] = value
                        continue
                    last = event.get("id", last)
                    self._take(event)
                    is_cut = event.get("event") == "event" and self._number % 3 == 0
                    event = {}
                    if is_cut:
                        break

    def _take(self, event):
        if event.get("event") == "event":
            data = json.loads(event["data"])
            self.seqs.append(data["seq"])
            self.labels.add(data["label"])
        elif event.get("event") == "daemon":
            self.connected.append(json.loads(event["data"])["connected"])


def test_twenty_pages_see_each_event_once_through_a_restart_of_the_daemon(url, parts, daemon):
    store = make_store(parts.history[0])

    def tell(*seqs):
        for seq in seqs:
            message = make_message(seq, label=HOSTILE)
            store.write([message])
            daemon.tell(message)

    async def until(condition):
        async with asyncio.timeout(LONG):
            while not condition():
                await asyncio.sleep(0.01)

    async def script():
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as client:
            streams = [Stream(client, url, number) for number in range(PAGES)]
            tasks = [asyncio.create_task(stream.follow()) for stream in streams]
            await until(lambda: all(stream.connected for stream in streams))
            tell(1, 2, 3)
            await until(lambda: all(stream.seqs[-1:] == [3] for stream in streams))
            daemon.stop()
            tell(4, 5)
            await until(lambda: all(False in stream.connected for stream in streams))
            daemon.start()
            await until(lambda: daemon.watching["events"] == 1)
            tell(6)
            await until(lambda: all(stream.seqs[-1:] == [6] for stream in streams))
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            return streams

    streams = asyncio.run(script())
    assert [stream.seqs for stream in streams] == [[1, 2, 3, 4, 5, 6]] * PAGES
    assert [stream.labels for stream in streams] == [{HOSTILE}] * PAGES
    assert all(stream.connected[-1] for stream in streams)


def test_a_viewer_that_reads_nothing_holds_up_nobody(url, daemon):
    async def script():
        address = f"{url.replace('http', 'ws')}/api/v1/live"
        async with connect(address, origin=url) as slow, connect(address, origin=url) as other:
            await slow.recv()
            async with asyncio.timeout(LONG):
                frames = [await other.recv() for _ in range(10)]
        return json.loads(frames[0])["source"], {len(frame) for frame in frames[1:]}

    assert asyncio.run(script()) == (SOURCES[0], {16 + 128})
    wait_until(lambda: daemon.watching["spectrogram"] == 0)


def test_another_sites_page_may_not_watch(url):
    async def script():
        address = f"{url.replace('http', 'ws')}/api/v1/live"
        async with connect(address, origin="http://elsewhere.example"):
            pass

    with pytest.raises(InvalidStatus, match="403"):
        asyncio.run(script())


def test_the_program_in_the_documents_shows_the_spectrogram(url):
    (program,) = PROGRAM.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))
    program = program.replace("127.0.0.1:8790", url.removeprefix("http://"))
    running = subprocess.Popen([sys.executable, "-uc", program], stdout=subprocess.PIPE, text=True)
    try:
        lines = [running.stdout.readline() for _ in range(3)]
    finally:
        running.kill()
        running.communicate()
    shown = re.compile(r"kitchen: -\d+\.\d dBFS, band \d+ at -?\d+\.\d dBFS\n")
    assert all(map(shown.fullmatch, lines)), lines
