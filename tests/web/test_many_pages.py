"""The page over real connections: twenty streams through a restart of the daemon, and WebSockets."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from detector.web.page_server import make_server, open_socket
from detector.wire.message import utc_text
from tests.support import ROOT, fake_daemon
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import LONG, wait_until
from tests.support.history_stores import make_message, make_store
from tests.support.invented_sounds import HOSTILE, SOURCES, spectrogram_of

pytestmark = pytest.mark.slow
PAGES = 20
PROGRAM = re.compile(r"```python\n(import json, struct\n.*?)```", re.DOTALL)


@pytest.fixture
def daemon(tmp_path):
    with FakeDaemon(tmp_path / "events.sock") as fake:
        yield fake


@pytest.fixture
def url(parts, daemon):
    """The address of a page that follows the daemon, on the page's own server."""
    link, ready = DaemonLink([daemon.uri]), threading.Event()
    listening = open_socket("127.0.0.1", 0)
    server = make_server(make_app(replace(parts, daemon=link)), ready=ready.set)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    assert ready.wait(LONG)
    wait_until(lambda: daemon.watching["events"] == 1 and link.now.connected)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(LONG)
    listening.close()


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


def test_a_viewer_that_reads_nothing_holds_up_nobody_and_then_sees_the_present(url, daemon, monkeypatch):
    monkeypatch.setattr(fake_daemon, "FEED_SECONDS", 0.001)
    columns = spectrogram_of(SOURCES[0], time.time())
    monkeypatch.setattr(fake_daemon, "spectrogram_of", lambda _, now: {**columns, "time": utc_text(now)})
    place = urlsplit(url)
    request = (
        f"GET /api/v1/live HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with slow, connect(f"ws://{place.netloc}/api/v1/live", origin=url) as other:
        slow.connect((place.hostname, place.port))
        slow.sendall(request.encode())
        assert json.loads(other.recv())["source"] == SOURCES[0]
        for _ in range(1000):
            assert len(other.recv(timeout=LONG)) == 16 + 128
        now, received = time.time(), b""
        slow.settimeout(LONG)
        while not (times := [each for each in times_of(received) if each >= now]):
            received += slow.recv(65536)
    stale = [each for each in times_of(received) if each < now]
    assert times
    assert len(stale) < 300  # of more than 1000


def times_of(received):
    """When the newest column of each frame ended, in what a WebSocket sent."""
    parts = received.split(b"\x82\x7e\x00\x90" + bytes([1, 64, 2, 0]))[1:]
    return [struct.unpack_from("<d", part)[0] for part in parts if len(part) >= 8]


def test_another_sites_page_may_not_watch(url):
    address = f"{url.replace('http', 'ws')}/api/v1/live"
    with pytest.raises(InvalidStatus, match="403"), connect(address, origin="http://elsewhere.example"):
        pass


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
