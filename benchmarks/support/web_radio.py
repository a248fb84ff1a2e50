"""A web radio on loopback: AAC over HTTP at the speed of its sound, as an Icecast server sends it."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

RADIO_RATE = 48000
"""Of what is sent [Hz]."""
FRAME_SAMPLES = 1024
HEAD_BYTES = 7


class WebRadio:
    """Sends one recording to whoever asks, from its beginning, while it is entered.

    `playing_since` tells when each client was sent its first sample [UTC seconds].
    """

    def __init__(self, recording: Path) -> None:
        """ffmpeg encodes the recording here."""
        self.playing_since: list[float] = []
        self._stopping = threading.Event()
        frames = list(adts_frames(encoded(recording)))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "audio/aac")
                self.end_headers()
                with contextlib.suppress(OSError):
                    outer._play(frames, self.wfile.write)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/radio"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _play(self, frames: list[bytes], write: object) -> None:
        began = time.monotonic()
        self.playing_since.append(time.time())
        for number, frame in enumerate(frames):
            due = began + number * FRAME_SAMPLES / RADIO_RATE
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            write(frame)  # type: ignore[operator]


def encoded(recording: Path) -> bytes:
    """The recording as AAC in ADTS frames, at RADIO_RATE."""
    command = ["ffmpeg", "-v", "error", "-i", str(recording), "-ar", str(RADIO_RATE), "-ac", "1"]
    command += ["-c:a", "aac", "-b:a", "96k", "-f", "adts", "pipe:1"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout


def adts_frames(data: bytes) -> Iterator[bytes]:
    """Cut a stream of ADTS frames (ISO/IEC 13818-7, 6.2): each tells its length in 13 bits."""
    at = 0
    while at + HEAD_BYTES <= len(data):
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        yield data[at : at + length]
        at += length
