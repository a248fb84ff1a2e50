"""The hostile crowd of `benchmarks.endurance.subscribers`: connections as fast as they go, all of them bad.

Half of a TLS handshake, garbage, an endless line, silence, a reset: some are held until the server cuts
them, most are left at once. It runs until standard input ends, then prints how many there were.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
from collections import deque

from benchmarks.endurance.subscriber_crowd import RESET
from detector.wire.address import UnixAddress, parse_address

SAID = (
    b"",
    b"\x16\x03\x01",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\n\r\n",
    b"x" * 9000,
    b'{"token": "not this one, not this one"}\n',
)
HELD = 40
"""Connections that each thread keeps open."""


class Flood:
    """Connects on threads of its own until `stop`."""

    def __init__(self, uri: str, threads: int = 2) -> None:
        self.count = 0
        self._address = parse_address(uri)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; waits for the threads."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        held: deque[socket.socket] = deque()
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                connection: socket.socket | None = self._connect()
                assert connection is not None
                self.count += 1
                connection.send(SAID[self.count % len(SAID)])
                if self.count % 5 == 0:
                    held.append(connection)
                    connection = held.popleft() if len(held) > HELD else None
                if connection is not None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    connection.close()
        for connection in held:
            connection.close()

    def _connect(self) -> socket.socket:
        if isinstance(self._address, UnixAddress):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self._address.path)
            return connection
        return socket.create_connection((self._address.host, self._address.port), timeout=5)


def main() -> None:
    """Flood the address in the first argument."""
    flood = Flood(sys.argv[1])
    select.select([sys.stdin], [], [])
    flood.stop()
    print(flood.count)


if __name__ == "__main__":
    main()
