"""A small RTSP server on loopback: one sound, sent to whoever asks with the right password.

It speaks as much of RFC 2326 as players need that take the sound over the same connection (RTP over TCP), and
basic authentication. Samples go out as they are (L16), so that what arrives can be compared bit for bit.
"""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

PACKET_SECONDS = 0.02
PAYLOAD_TYPE = 97


class RtspServer:
    """Serves while it is entered; `clients` counts those that were let in, `seen` keeps their requests.

    `playing_since` tells when each was sent its first sample [UTC seconds].
    """

    def __init__(
        self,
        samples: NDArray[np.int16],
        *,
        rate: int = 16000,
        password: str | None = None,
        speed: float = 1.0,
        stalls_after: float | None = None,
    ) -> None:
        """`password` is `user:password`; `speed` 2 sends twice as fast as sound.

        After `stalls_after` seconds of sound nothing more is sent, while the connection stays open.
        """
        self.samples, self.rate, self.speed, self.stalls_after = samples, rate, speed, stalls_after
        self.password = password
        self.clients = 0
        self.playing_since: list[float] = []  # UTC seconds, of each client that was let in
        self.seen: list[str] = []
        self._stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._connections.add(self.request)
                try:
                    outer._converse(self.request)
                except OSError:
                    pass
                finally:
                    outer._connections.discard(self.request)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def url(self, password: str | None = None) -> str:
        """The address, with a `user:password` where one is given."""
        return f"rtsp://{password + '@' if password else ''}127.0.0.1:{self.port}/porch"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self.drop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def drop(self) -> None:
        """Break all connections, as a camera that starts again does."""
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _converse(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        while request := self._request(reader):
            method, headers = request
            self.seen.append(method)
            answer = [f"CSeq: {headers.get('cseq', '0')}"]
            wanted = None if self.password is None else base64.b64encode(self.password.encode()).decode()
            if method == "OPTIONS":
                answer.append("Public: DESCRIBE, SETUP, PLAY, TEARDOWN")
            elif wanted is not None and headers.get("authorization") != f"Basic {wanted}":
                answer.append('WWW-Authenticate: Basic realm="porch"')
                connection.sendall(_response("401 Unauthorized", answer))
                continue
            body = ""
            if method == "DESCRIBE":
                body = (
                    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=porch\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                    f"m=audio 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} L16/{self.rate}/1\r\n"
                    "a=control:track1\r\n"
                )
                answer.append("Content-Type: application/sdp")
            elif method == "SETUP":
                answer += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
            elif method == "PLAY":
                answer += ["Session: 1", "Range: npt=0.000-"]
            connection.sendall(_response("200 OK", answer, body))
            if method == "PLAY":
                self.clients += 1
                self.playing_since.append(time.time())
                self._send(connection)
                return

    def _request(self, reader: object) -> tuple[str, Mapping[str, str]] | None:
        line: bytes = reader.readline()  # type: ignore[attr-defined]
        if not line.strip():
            return None
        headers = {}
        while (header := reader.readline().strip()) and b":" in header:  # type: ignore[attr-defined]
            name, _, value = header.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        return line.decode().split()[0], headers

    def _send(self, connection: socket.socket) -> None:
        length = round(PACKET_SECONDS * self.rate)
        began = time.monotonic()
        for number, start in enumerate(range(0, len(self.samples) - length + 1, length)):
            if self.stalls_after is not None and start >= self.stalls_after * self.rate:
                break
            due = began + start / self.rate / self.speed
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            payload = self.samples[start : start + length].astype(">i2").tobytes()
            header = struct.pack(">BBHII", 0x80, PAYLOAD_TYPE, number & 0xFFFF, start & 0xFFFFFFFF, 1)
            packet = header + payload
            connection.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
        if self.stalls_after is not None:
            self._stopping.wait()


def _response(status: str, headers: list[str], body: str = "") -> bytes:
    lines = [f"RTSP/1.0 {status}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
