"""One subscriber of the event socket: hello, perhaps its request, then what it wants to hear of."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, cast

from detector.errors import SinkError
from detector.sinks.socket.backlog import Subscription
from detector.sinks.socket.replay import Replay
from detector.wire.encoding import encode
from detector.wire.message import DroppedBody, ErrorBody, utc_text
from detector.wire.request import MAX_REQUEST_BYTES, parse_request

if TYPE_CHECKING:
    from detector.sinks.socket.hub import Hub

log = logging.getLogger(__name__)

_LINGER_SECONDS = 1.0
"""How long a refused subscriber may go on talking before the connection is cut, so that it reads why."""


class Connection(asyncio.Protocol):
    """One protocol object; it lives on the hub's loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._received = bytearray()
        self._asked = self._held = self._paused = self._ending = False
        self._timer: asyncio.TimerHandle | None = None
        self._replay: Replay | None = None
        self._stuck = (-1, 0.0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, and wait a moment for the request."""
        limits = self._hub.limits
        loop = asyncio.get_running_loop()
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=limits.client_buffer_bytes)
        self.subscription = Subscription(self._hub.history)
        self.gone: asyncio.Future[None] = loop.create_future()
        crowded = len(self._hub.connections) >= limits.max_clients
        if crowded:
            self._ending = True
            self._hub.counts.refused += 1
            self._send_error(f"too many subscribers: {limits.max_clients} are served at once")
            self.transport.close()
            return
        self._hub.connections.add(self)
        self._hub.counts.connected = len(self._hub.connections)
        log.debug("socket.connected clients=%d", len(self._hub.connections))
        self.transport.write(self._hub.hello_line())
        self._held = True
        self._timer = loop.call_later(limits.request_seconds, self._release)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the subscriber."""
        self._ending = True
        self._cancel_waits()
        self._hub.connections.discard(self)
        self._hub.counts.connected = len(self._hub.connections)
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
        return self.transport.can_write_eof()  # TLS closes by itself

    def pause_writing(self) -> None:
        """The subscriber reads too slowly: it lags in the history from now on."""
        self._paused = True
        self._stuck = -1, 0.0
        if self._replay is not None:
            self._replay.pause()

    def resume_writing(self) -> None:
        """The subscriber has read: go on where it was."""
        self._paused = False
        if self._replay is not None:
            self._replay.resume()
        self.pump()

    def pump(self) -> None:
        """Send what the subscriber has not had yet, as far as it keeps up."""
        while not (self._held or self._paused or self._ending):
            if not self._send_next():
                return

    def beat(self, line: bytes) -> None:
        """Send a heartbeat, unless older lines still wait; too long, and the subscriber is let go."""
        if not (self._held or self._paused or self._ending):
            self.transport.write(line)
        elif self._paused:
            waiting, now = self.transport.get_write_buffer_size(), asyncio.get_running_loop().time()
            if waiting != self._stuck[0]:
                self._stuck = waiting, now
            elif now - self._stuck[1] >= self._hub.limits.stall_seconds:
                log.info("socket.stalled seconds=%.0f", now - self._stuck[1])
                self.transport.abort()

    def finish(self) -> None:
        """Send everything that is left, then close."""
        if self._ending:
            self.transport.abort()
            return
        replaying = self._replay is not None
        self._cancel_waits()
        while not replaying and self._send_next():  # after half a replay, the newest would be a hole
            pass
        self._ending = True
        self.transport.close()

    def _send_next(self) -> bool:
        if dropped := self.subscription.take_dropped():
            self.transport.write(encode(DroppedBody(count=dropped, time=utc_text(self._hub.utc()))).line)
        batch = self.subscription.take()
        if batch:
            self.transport.write(batch)
        return bool(batch)

    def _ask(self, line: bytes, rest: bytes) -> None:
        self._asked = True
        self._received.clear()
        try:
            request = parse_request(line)
        except SinkError as error:
            self._refuse(str(error))
            return
        if request.report:
            self._end_with(self._hub.report_line())
            return
        self.subscription.apply(request)
        since = request.since
        if self._hub.archive is None or since is None or since >= self._hub.history.gone_seq:
            self._release()
        else:
            self._cancel_waits()
            self._held = True
            self._replay = Replay(self._hub, self.transport, self.subscription, since)
            self._replay.start(self._replayed)
        if rest:
            self.data_received(rest)

    def _replayed(self) -> None:
        self._replay = None
        self._release()

    def _release(self) -> None:
        self._cancel_waits()
        self._held = False
        self.pump()

    def _refuse(self, reason: str) -> None:
        self._end_with(encode(ErrorBody(message=reason, time=utc_text(self._hub.utc()))).line)

    def _end_with(self, line: bytes) -> None:
        self._ending = True
        self._received.clear()
        self._cancel_waits()
        part(self.transport, line)

    def _send_error(self, reason: str) -> None:
        self.transport.write(encode(ErrorBody(message=reason, time=utc_text(self._hub.utc()))).line)

    def _cancel_waits(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._replay is not None:
            self._replay.cancel()
            self._replay = None


def part(transport: asyncio.Transport, line: bytes) -> None:
    """Say a last line and close, such that it is read."""
    transport.resume_reading()
    transport.write(line)
    if transport.can_write_eof():
        # Closing with unread input would reset the connection, and the other side would not learn why.
        with contextlib.suppress(OSError):
            transport.write_eof()
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, transport.abort)
    else:
        transport.close()
