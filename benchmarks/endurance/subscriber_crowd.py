"""The reading half of `benchmarks.endurance.subscribers`: subscribers good, stalled, slow, and gone again."""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from detector.subscriber.client import Credentials, connect
from detector.wire.address import parse_address

_SEQ = re.compile(rb'"schema":1,"seq":(\d+)}$')
_DROPPED = re.compile(rb'^\{"type":"dropped","count":(\d+),')
_PUBLISHED = re.compile(rb'"source":"(\d+)"')
SLOW_BUFFER = 65536
"""Receive buffer of the slow ones [bytes]: below a segment of the loopback interface, TCP itself crawls."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close with a reset instead of a goodbye."""

Connect = Callable[[], socket.socket]


def connector(uri: str, credentials: Credentials) -> Connect:
    """What makes connections, token shown and TLS done."""
    address = parse_address(uri)
    return lambda: connect([address], credentials)


@dataclass(slots=True)
class Reader:
    """One subscriber's bookkeeping: every event is looked at, and held against the one before."""

    connection: socket.socket
    timed: bool = False
    """Whether the latency of each event is kept; parsing costs more than reading."""
    events: int = 0
    told: int = 0
    """Lost, as it was told."""
    first: int | None = None
    last: int = 0
    disorder: int = 0
    """Events whose number was not above the one before."""
    closed: bool = False
    latencies: list[float] = field(default_factory=list)
    rest: bytes = b""

    @classmethod
    def join(cls, make: Connect, *, timed: bool = False, receive_buffer: int | None = None) -> Reader:
        """Connect, send a request, wait for the hello."""
        connection = make()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.sendall(b"{}\n")
        received = b""
        while not received.endswith(b"\n"):
            received += connection.recv(65536)
        return cls(connection, timed)

    @property
    def lost(self) -> int:
        """Events missing in the middle, told or not."""
        return 0 if self.first is None else self.last - self.first + 1 - self.events

    def read(self) -> None:
        """Take in what is there; the connection does not block."""
        import ssl

        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
            while not self.closed:
                data = self.connection.recv(262144)
                self.closed = not data
                self.take(data)

    def take(self, data: bytes) -> None:
        """Count whole lines."""
        now = time.monotonic_ns()
        data = self.rest + data
        end = data.rfind(b"\n") + 1
        whole, self.rest = data[:end], data[end:]
        for line in whole.splitlines() if self.timed or b'"dropped"' in whole else ():
            if found := _DROPPED.search(line):
                self.told += int(found[1])
            elif self.timed and (published := _PUBLISHED.search(line)):
                self.latencies.append((now - int(published[1])) / 1e9)
        count = whole.count(b'"top_score"')
        if count:
            first, last = self._ends(whole)
            self.disorder += first <= self.last or last - first + 1 < count
            self.first = first if self.first is None else self.first
            self.events += count
            self.last = last

    @staticmethod
    def _ends(whole: bytes) -> tuple[int, int]:
        """`seq` of the first and the last event."""
        start = whole.rfind(b"\n", 0, whole.index(b'"top_score"')) + 1
        first = whole[start : whole.index(b"\n", start)]
        start = whole.rindex(b'"top_score"')
        last = whole[start : whole.index(b"\n", start)]
        found = [_SEQ.search(line) for line in (first, last)]
        assert found[0] and found[1], (first, last)
        return int(found[0][1]), int(found[1][1])


def read_until(readers: Sequence[Reader], done: Callable[[], bool], seconds: float) -> None:
    """Let them read as lines come, until all is done or time is up."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            reader.connection.setblocking(False)
            selector.register(reader.connection, selectors.EVENT_READ, reader)
        while not done() and time.monotonic() < deadline:
            for key, _ in selector.select(0.1):
                key.data.read()
                if key.data.closed:
                    selector.unregister(key.fileobj)


class Background(ABC):
    """A subscriber that does its worst on a thread of its own, from when it is made until `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for what was begun."""
        self._stopping.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Go on until `_stopping` is set."""


class Vanishing(Background):
    """Subscribers that connect and are gone, one after the other, `each_second` of them."""

    def __init__(self, make: Connect, each_second: float) -> None:
        self.count = 0
        self._make = make
        self._pause = 1 / each_second
        super().__init__()

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            with contextlib.suppress(Exception), self._make() as connection:
                self.count += 1
                if self.count % 2:
                    connection.sendall(b'{"labels"' if self.count % 3 else b"{}\n")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


class Trickle(Background):
    """A subscriber that reads a byte a second."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        super().__init__()

    def _run(self) -> None:
        while not self._stopping.wait(1.0):
            self.reader.take(self.reader.connection.recv(1))
