"""HTTP for strangers: uvicorn's, with limits on connections, slow headers and slow readers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h11

from detector.web.access.body_limit import MAX_HEADER_BYTES
from detector.web.lean_uvicorn import H11Protocol, Server


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be, and how slow."""

    connections: int = 256
    per_address: int = 64
    """Connections of one address that is no proxy's: twenty pages of a browser."""
    header_seconds: float = 10.0
    """From the connection, or from the last answer, until a request's headers are there."""
    idle_seconds: float = 30.0
    """Within these a client has to take something of what waits for it."""
    header_bytes: int = MAX_HEADER_BYTES


LIMITS = ConnectionLimits()
WEBSOCKET_BYTES = 4096
"""What waits for the client of a WebSocket, here and in the kernel: more would show what sounded long ago."""
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 10\r\n"
    b"Content-Type: application/json\r\nContent-Length: 34\r\n\r\n"
    b'{"error": "too many connections"}\n'
)


class BoundedHttp(H11Protocol):
    """One connection."""

    def __init__(
        self,
        server: Server,
        app_state: dict[str, Any],
        *,
        limits: ConnectionLimits,
        is_proxy: Callable[[str], bool],
    ) -> None:
        """The limit of an address does not hold for a proxy's."""
        super().__init__(server.config, server.server_state, app_state)
        self._limits = limits
        self._is_proxy = is_proxy
        self._refused = False
        self._header_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None
        self._unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or turn it away."""
        address = _address_of(transport)
        others = [each for each in self.connections if each.transport is not None]
        of_address = sum(_address_of(each.transport) == address for each in others)
        full = len(others) >= self._limits.connections
        if full or (of_address >= self._limits.per_address and not self._is_proxy(address)):
            transport.write(_FULL)
            transport.close()
            self.transport = transport
            self._refused = True
            return
        super().connection_made(transport)
        self._start_header_timer()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request."""
        if not self._refused:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop_header_timer()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection to the protocol of WebSockets, with little room for what is not read."""
        self._stop_timers()
        self.transport.set_write_buffer_limits(high=WEBSOCKET_BYTES)
        with suppress(OSError):  # whoever has gone needs no room
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, WEBSOCKET_BYTES
            )
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._start_header_timer()

    def pause_writing(self) -> None:
        """Give a client that reads nothing some time."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        self._stop_reader_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timers()
        if not self._refused:
            super().connection_lost(exc)

    def _start_header_timer(self) -> None:
        self._stop_header_timer()
        self._header_timer = self.loop.call_later(self._limits.header_seconds, self._end_without_request)

    def _end_without_request(self) -> None:
        """No request came in time; but who still takes the answer before may do so."""
        if self.transport.get_write_buffer_size():
            self._watch_reader()
        else:
            self.transport.abort()

    def _watch_reader(self) -> None:
        if self._reader_timer is None:
            self._unread = self.transport.get_write_buffer_size()
            self._reader_timer = self.loop.call_later(self._limits.idle_seconds, self._look_at_reader)

    def _look_at_reader(self) -> None:
        """End the connection of a client that has taken nothing."""
        self._reader_timer = None
        unread = self.transport.get_write_buffer_size()
        if unread >= self._unread:
            self.transport.abort()
        elif unread:
            self._watch_reader()
        elif self.cycle is None or self.cycle.response_complete:
            self._start_header_timer()

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_reader_timer(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None

    def _stop_timers(self) -> None:
        self._stop_header_timer()
        self._stop_reader_timer()


def _address_of(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
