"""A model store of its own for each test, and a web server on loopback that misbehaves on demand."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.small_models import logistic_tflite, write_bundle


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's models folder, which does not exist yet."""
    monkeypatch.setenv("SOUND_DETECTOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models"


@pytest.fixture
def small(models: Path) -> Path:
    """A complete bundle in the user's models folder."""
    content = logistic_tflite()
    folder = write_bundle(models / "small", content)
    (folder / "small.tflite").write_bytes(content)
    return folder


class Server:
    """Serves `content` in the manner that the path names; keeps the Range header of each request."""

    def __init__(self) -> None:
        self.content = b""
        self.ranges: list[str | None] = []
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, manner: str) -> str:
        """right, no_range, truncated, flipped, stalled, missing, longer, redirected.

        Also dripping, dripping_headers and hostile_reason.
        """
        return f"http://127.0.0.1:{self._server.server_port}/{manner}"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                manner = self.path.strip("/")
                given = self.headers.get("Range")
                server.ranges.append(given)
                content, half = server.content, len(server.content) // 2
                if manner == "dripping_headers":
                    self.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    return
                if manner == "hostile_reason":
                    self.send_response(404, "\x1b[2J\x9b31m" + "long " * 100)
                    self.end_headers()
                    return
                if manner == "missing":
                    self.send_error(404)
                    return
                if manner == "redirected":
                    self.send_response(302)
                    self.send_header("Location", server.url("right"))
                    self.end_headers()
                    return
                start = int(re.findall(r"\d+", given)[0]) if given and manner != "no_range" else 0
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
                if manner == "longer":
                    content += b"more"
                if manner == "flipped":
                    content = content[:-1] + bytes([content[-1] ^ 1])
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                if manner == "dripping":
                    self.drip(b"")
                    return
                self.wfile.write(
                    content[start:half] if manner in {"truncated", "stalled"} else content[start:]
                )
                if manner == "stalled":
                    self.wfile.flush()
                    server.released.wait()

            def drip(self, begin: bytes) -> None:
                """Send a byte each 10 ms until the test ends or nobody reads any more."""
                with contextlib.suppress(OSError):
                    self.wfile.write(begin)
                    while not server.released.wait(0.01):
                        self.wfile.write(b"x")

            def log_message(self, *args: object) -> None:
                pass

        return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("NO_PROXY", "*")
    running = Server()
    yield running
    running.close()
