"""The subscribers' side of the event socket: one asyncio loop, one protocol object for each connection.

Imported on the server's own thread, so that a daemon without a socket never loads asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from detector.errors import SinkError
from detector.interfaces import Message
from detector.sinks.history import History, Subscription
from detector.sinks.limits import ServerLimits
from detector.sinks.message import dropped_fields, encode, error_fields, heartbeat_fields, utc_text
from detector.sinks.request import MAX_REQUEST_BYTES, parse_request

log = logging.getLogger(__name__)

_PUMP_SECONDS = 0.01
"""At a high rate lines wait this long and leave together: a write costs more than a line."""

_LINGER_SECONDS = 1.0
"""How long a refused subscriber may go on talking before the connection is cut, so that it reads why."""

_FAREWELL_SECONDS = 0.5
"""How long the last lines may take to leave when the daemon ends."""


class Hub:
    """All connections, the history they read from and the beat."""

    def __init__(
        self, limits: ServerLimits, hello: Callable[[], Mapping[str, object]], utc: Callable[[], float]
    ) -> None:
        self.limits = limits
        self.history = History(limits.history_length)
        self.connections: set[Connection] = set()
        self.utc = utc
        self._hello = hello
        self._pump_timer: asyncio.TimerHandle | None = None
        self._pumped = float("-inf")
        self._stop = asyncio.Event()

    async def serve(self, listening: socket.socket, started: Callable[[], None]) -> None:
        """Accept subscribers until `stop`; `started` is called once the loop takes messages."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), sock=listening)
        beating = asyncio.create_task(self._beat())
        started()
        await self._stop.wait()
        server.close()
        # Who is just being accepted must not be left hanging without a word.
        if accepting := asyncio.all_tasks() - {asyncio.current_task(), beating}:
            await asyncio.wait(accepting, timeout=_FAREWELL_SECONDS)
        beating.cancel()
        await self._farewell()

    def stop(self) -> None:
        """Send what is left and end `serve`."""
        self._stop.set()

    def publish(self, messages: Sequence[Message]) -> None:
        """Remember messages and send them, at once or with the next ones."""
        for message in messages:
            oldest = self.history.first
            if (evicted := self.history.append(message)) is not None:
                for connection in self.connections:
                    connection.subscription.evict(oldest, evicted)
        loop = asyncio.get_running_loop()
        if self._pump_timer is None:
            delay = self._pumped + _PUMP_SECONDS - loop.time()
            if delay <= 0:
                self._pump()
            else:
                self._pump_timer = loop.call_later(delay, self._pump)

    def hello_line(self) -> bytes:
        """The first line of every connection."""
        fields = dict(self._hello())
        fields |= {
            "state": self.history.state or fields["state"],
            "time": utc_text(self.utc()),
            "heartbeat_seconds": self.limits.heartbeat_seconds,
            "oldest_seq": self.history.oldest_seq,
            "seq": self.history.seq,
        }
        return encode(fields).line

    def _pump(self) -> None:
        self._pump_timer = None
        self._pumped = asyncio.get_running_loop().time()
        for connection in self.connections:
            connection.pump()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.limits.heartbeat_seconds)
            state = self.history.state or str(self._hello()["state"])
            fields = heartbeat_fields(time=self.utc(), state=state, seq=self.history.seq)
            line = encode(fields).line
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


class Connection(asyncio.Protocol):
    """One subscriber: hello, perhaps its request, then what it wants to hear of."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._received = bytearray()
        self._asked = self._held = self._paused = self._ending = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, and wait a moment for the request."""
        limits = self._hub.limits
        loop = asyncio.get_running_loop()
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=limits.client_buffer_bytes)
        self.subscription = Subscription(self._hub.history)
        self.gone: asyncio.Future[None] = loop.create_future()
        crowded = len(self._hub.connections) >= limits.max_clients
        self._hub.connections.add(self)
        if crowded:
            self._ending = True
            self._send_error(f"too many subscribers: {limits.max_clients} are served at once")
            self.transport.close()
            return
        log.debug("socket.connected clients=%d", len(self._hub.connections))
        self.transport.write(self._hub.hello_line())
        self._held = True
        self._timer = loop.call_later(limits.request_seconds, self._release)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the subscriber."""
        self._ending = True
        self._cancel_timer()
        self._hub.connections.discard(self)
        if not self.gone.done():
            self.gone.set_result(None)
        log.debug("socket.disconnected clients=%d", len(self._hub.connections))

    def data_received(self, data: bytes) -> None:
        """Read the request; anything beyond it, or longer, ends the connection."""
        if self._ending:
            return
        self._received += data
        end = self._received.find(b"\n")
        if self._asked:
            self._refuse("request: expected one line for each connection, got more; connect again")
        elif (len(self._received) if end < 0 else end) > MAX_REQUEST_BYTES:
            self._refuse(f"request: expected a line of at most {MAX_REQUEST_BYTES} bytes")
        elif end >= 0:
            self._ask(bytes(self._received[:end]), rest=bytes(self._received[end + 1 :]))

    def eof_received(self) -> bool:
        """The subscriber has closed its side: so do we."""
        if self._received and not self._ending:
            self._refuse("request: expected a line that ends in a newline")
        elif not self._ending:
            self._ending = True
            self.transport.close()
        return True

    def pause_writing(self) -> None:
        """The subscriber reads too slowly: it lags in the history from now on."""
        self._paused = True

    def resume_writing(self) -> None:
        """The subscriber has read: go on where it was."""
        self._paused = False
        self.pump()

    def pump(self) -> None:
        """Send what the subscriber has not had yet, as far as it keeps up."""
        while not (self._held or self._paused or self._ending):
            if not self._send_next():
                return

    def beat(self, line: bytes) -> None:
        """Send a heartbeat, unless older lines still wait."""
        if not (self._held or self._paused or self._ending):
            self.transport.write(line)

    def finish(self) -> None:
        """Send everything that is left, then close."""
        if self._ending:
            self.transport.abort()
            return
        while self._send_next():
            pass
        self._ending = True
        self.transport.close()

    def _send_next(self) -> bool:
        if dropped := self.subscription.take_dropped():
            self.transport.write(encode(dropped_fields(dropped, time=self._hub.utc())).line)
        batch = self.subscription.take()
        if batch:
            self.transport.write(batch)
        return bool(batch)

    def _ask(self, line: bytes, rest: bytes) -> None:
        self._asked = True
        self._received.clear()
        try:
            self.subscription.apply(parse_request(line))
        except SinkError as error:
            self._refuse(str(error))
            return
        self._release()
        if rest:
            self.data_received(rest)

    def _release(self) -> None:
        self._cancel_timer()
        self._held = False
        self.pump()

    def _refuse(self, reason: str) -> None:
        self._ending = True
        self._received.clear()
        self._cancel_timer()
        self._send_error(reason)
        # Closing with unread input would reset the connection, and the subscriber would not learn why.
        with contextlib.suppress(OSError):
            self.transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(_LINGER_SECONDS, self.transport.abort)

    def _send_error(self, reason: str) -> None:
        self.transport.write(encode(error_fields(reason, time=self._hub.utc())).line)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
