"""Recordings that lie elsewhere: bytes in memory, and a small web server with ranges and faults."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from detector.remote.range_reader import Stamp
from detector.remote.remote_address import RemoteAddress
from detector.remote.remote_file import RemoteFile, RemotePath

ETAG = '"1"'


class HeldBytes:
    """Fills `RangeReader`, and counts what it is asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[tuple[int, int]] = []

    def stamp(self) -> Stamp:
        return Stamp(len(self.content), 1, ETAG)

    def read(self, start: int, stop: int, stamp: Stamp) -> bytes:
        self.asked.append((start, stop))
        return self.content[start:stop]


def held_file(content: bytes, name: str = "a.wav") -> tuple[RemoteFile, HeldBytes]:
    """A recording elsewhere with these bytes, and what counts the requests for it."""
    reader = HeldBytes(content)
    path = RemotePath(RemoteAddress(f"memory://held/{name}"), reader.stamp())
    return RemoteFile(path, reader=reader, sleep=lambda _: None), reader


class RangeServer:
    """A web server on loopback. `files`: by path; `answers`: what is done instead of the next answers.

    Each answer takes the handler, and sends something else or nothing; True goes on as usual.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.etag = ETAG
        self.asked: list[tuple[str, str]] = []
        """Path and Range of each request."""
        self.headers: list[dict[str, str]] = []
        self.answers: list[Callable[[BaseHTTPRequestHandler], bool]] = []
        self.sent_bytes = 0
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        self.asked.append((handler.path, wanted))
        self.headers.append(dict(handler.headers))
        if self.answers and not self.answers.pop(0)(handler):
            return
        content = self.files.get(handler.path.partition("?")[0])
        if content is None:
            handler.send_error(404)
            return
        given = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
        start, stop = (int(given[1]), min(int(given[2]) + 1, len(content))) if given else (0, len(content))
        if given and start >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if given else 200)
        handler.send_header("Content-Length", str(stop - start))
        handler.send_header("ETag", self.etag)
        handler.send_header("Last-Modified", "Fri, 20 Nov 2026 14:30:00 GMT")
        if given:
            handler.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        handler.end_headers()
        handler.wfile.write(content[start:stop])
        self.sent_bytes += stop - start


@contextmanager
def range_server() -> Iterator[RangeServer]:
    """A server until the end of the block."""
    server = RangeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, format: str, *values: object) -> None:
            """Nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
