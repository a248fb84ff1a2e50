"""The serving side of the event socket: one asyncio loop, the set of its connections, and the heartbeat.

Imported on the server's own thread, so that a daemon without a socket never loads asyncio.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence

from detector.interfaces import Message
from detector.sinks.socket.acceptor import Acceptor
from detector.sinks.socket.connection import Connection
from detector.sinks.socket.feed import Feed
from detector.wire.access import Keys

log = logging.getLogger(__name__)

_PUMP_SECONDS = 0.01
"""At a high rate lines wait this long and are sent together: a write costs more than a line."""

_FAREWELL_SECONDS = 0.5
"""How long the last lines may take to leave when the daemon ends."""


class Hub:
    """Owns the connections and gives each of them what is published."""

    def __init__(
        self,
        feed: Feed,
        keys: Callable[[], Keys],
        renewed: Callable[[], socket.socket | None] = lambda: None,
    ) -> None:
        """`keys` gives the token and the certificate to be used from now on.

        `renewed` is asked with each heartbeat: another listening socket, where the old one cannot be reached.
        """
        self._renewed = renewed
        self._feed = feed
        self._keys = keys
        self._connections: set[Connection] = set()
        self._pump_timer: asyncio.TimerHandle | None = None
        self._pumped = float("-inf")
        self._stop = asyncio.Event()

    async def serve(self, listening: socket.socket, started: Callable[[], None]) -> None:
        """Accept subscribers until `stop`; `started` is called once the loop takes messages."""
        acceptor = Acceptor(
            listening,
            self._feed.limits,
            keys=self._keys,
            make_protocol=lambda: Connection(self._feed, join=self._join, leave=self._leave),
            error_line=self._feed.error_line,
            counts=self._feed.counts,
        )
        self._accepting = asyncio.create_task(acceptor.accept())
        beating = asyncio.create_task(self._beat(acceptor))
        started()
        await self._stop.wait()
        self._accepting.cancel()
        # A client that is just being accepted must not be left without an answer.
        await acceptor.close(_FAREWELL_SECONDS)
        beating.cancel()
        await self._farewell()
        self._feed.close()

    def stop(self) -> None:
        """Send what is left and end `serve`."""
        self._stop.set()

    def publish(self, messages: Sequence[Message]) -> None:
        """Keep messages and send them, at once or together with the next ones."""
        backlog, counts = self._feed.backlog, self._feed.counts
        for message in messages:
            oldest = backlog.first
            if (evicted := backlog.append(message)) is not None:
                for connection in self._connections:
                    counts.dropped += connection.subscription.evict(oldest, evicted)
        loop = asyncio.get_running_loop()
        if self._pump_timer is None:
            delay = self._pumped + _PUMP_SECONDS - loop.time()
            if delay <= 0:
                self._pump()
            else:
                self._pump_timer = loop.call_later(delay, self._pump)

    def _join(self, connection: Connection) -> bool:
        """Take a connection among the subscribers; False, and counted, where they are too many."""
        if len(self._connections) >= self._feed.limits.max_clients:
            self._feed.counts.refused += 1
            return False
        self._connections.add(connection)
        self._count("socket.connected")
        return True

    def _leave(self, connection: Connection) -> None:
        """Forget a connection that was closed, whether it had joined or not."""
        self._connections.discard(connection)
        self._count("socket.disconnected")

    def _count(self, change: str) -> None:
        self._feed.counts.connected = len(self._connections)
        log.debug("%s clients=%d", change, len(self._connections))

    def _pump(self) -> None:
        self._pump_timer = None
        self._pumped = asyncio.get_running_loop().time()
        for connection in self._connections:
            connection.pump()

    async def _beat(self, acceptor: Acceptor) -> None:
        while True:
            await asyncio.sleep(self._feed.limits.heartbeat_seconds)
            if (listening := self._renewed()) is not None:
                self._accepting.cancel()
                await asyncio.sleep(0)  # the old socket is no longer waited for
                acceptor.replace(listening)
                self._accepting = asyncio.create_task(acceptor.accept())
            line = self._feed.heartbeat_line()
            for connection in self._connections:
                connection.beat(line)

    async def _farewell(self) -> None:
        for connection in tuple(self._connections):
            connection.finish()
        if gone := [connection.gone for connection in self._connections]:
            await asyncio.wait(gone, timeout=_FAREWELL_SECONDS)
        for connection in tuple(self._connections):
            connection.transport.abort()
        await asyncio.sleep(0)
