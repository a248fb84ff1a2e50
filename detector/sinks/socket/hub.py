"""The subscribers' side of the event socket: one asyncio loop, what all connections share.

Imported on the server's own thread, so that a daemon without a socket never loads asyncio.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from detector.interfaces import Archive, Message
from detector.sinks.socket.acceptor import Door
from detector.sinks.socket.backlog import History
from detector.sinks.socket.connection import Connection
from detector.sinks.socket.limits import ServerLimits, SubscriberCounts
from detector.wire.access import Keys
from detector.wire.encoding import encode
from detector.wire.message import ErrorBody, HeartbeatBody, HelloBody, ReportBody, utc_text

_PUMP_SECONDS = 0.01
"""At a high rate lines wait this long and leave together: a write costs more than a line."""

_FAREWELL_SECONDS = 0.5
"""How long the last lines may take to leave when the daemon ends."""


class Hub:
    """All connections, the history they read from and the beat."""

    def __init__(
        self,
        limits: ServerLimits,
        *,
        hello: Callable[[], HelloBody],
        report: Callable[[], ReportBody] | None,
        keys: Callable[[], Keys],
        utc: Callable[[], float],
        counts: SubscriberCounts,
        archive: Archive | None = None,
    ) -> None:
        self.limits = limits
        self.counts = counts
        self.archive = archive
        self.history = History(limits.history_length, before=0 if archive is None else archive.newest_seq)
        self.connections: set[Connection] = set()
        self.utc = utc
        self._hello = hello
        self._report = report
        self._keys = keys
        self._pump_timer: asyncio.TimerHandle | None = None
        self._pumped = float("-inf")
        self._stop = asyncio.Event()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="replay")

    async def serve(self, listening: socket.socket, started: Callable[[], None]) -> None:
        """Accept subscribers until `stop`; `started` is called once the loop takes messages."""
        door = Door(
            listening,
            self.limits,
            keys=self._keys,
            admit=lambda: Connection(self),
            utc=self.utc,
            counts=self.counts,
        )
        accepting = asyncio.create_task(door.accept())
        beating = asyncio.create_task(self._beat())
        started()
        await self._stop.wait()
        accepting.cancel()
        # Who is just being accepted must not be left hanging without a word.
        await door.close(_FAREWELL_SECONDS)
        beating.cancel()
        await self._farewell()
        self._reader.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """Send what is left and end `serve`."""
        self._stop.set()

    def publish(self, messages: Sequence[Message]) -> None:
        """Remember messages and send them, at once or with the next ones."""
        for message in messages:
            oldest = self.history.first
            if (evicted := self.history.append(message)) is not None:
                for connection in self.connections:
                    self.counts.dropped += connection.subscription.evict(oldest, evicted)
        loop = asyncio.get_running_loop()
        if self._pump_timer is None:
            delay = self._pumped + _PUMP_SECONDS - loop.time()
            if delay <= 0:
                self._pump()
            else:
                self._pump_timer = loop.call_later(delay, self._pump)

    def hello_line(self) -> bytes:
        """The first line of every connection."""
        hello = self._hello()
        hello = replace(
            hello,
            state=self.history.state or hello.state,
            time=utc_text(self.utc()),
            heartbeat_seconds=self.limits.heartbeat_seconds,
            history=self.archive is not None,
            oldest_seq=self._oldest_seq(),
            seq=self.history.seq,
        )
        return encode(hello).line

    async def read_archive(self, seq: int, limit: int) -> list[Message]:
        """The next events after `seq`, read on a thread that all replays share; raises HistoryError."""
        if self.archive is None:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self.archive.after, seq, limit)

    def report_line(self) -> bytes:
        """What `status` shows."""
        if self._report is None:
            reason = "request: there is no report here"
            return encode(ErrorBody(message=reason, time=utc_text(self.utc()))).line
        return encode(self._report()).line

    def _oldest_seq(self) -> int | None:
        kept = None if self.archive is None else self.archive.oldest_seq
        return self.history.oldest_seq if kept is None else kept

    def _pump(self) -> None:
        self._pump_timer = None
        self._pumped = asyncio.get_running_loop().time()
        for connection in self.connections:
            connection.pump()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.limits.heartbeat_seconds)
            state = self.history.state or self._hello().state
            beat = HeartbeatBody(state=state, time=utc_text(self.utc()), seq=self.history.seq)
            line = encode(beat).line
            for connection in self.connections:
                connection.beat(line)

    async def _farewell(self) -> None:
        for connection in tuple(self.connections):
            connection.finish()
        if gone := [connection.gone for connection in self.connections]:
            await asyncio.wait(gone, timeout=_FAREWELL_SECONDS)
        for connection in tuple(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
