"""Accepting connections: agree on TLS, ask for the token, then hand the connection over to its subscriber.

Until then a connection is pending. Few may be pending at once, each has little time, and the oldest is
closed to make room: subscribers, and clients that know the token, must not notice a crowd of others.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import socket
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import cast

from detector.sinks.socket.closing import close_with_line
from detector.sinks.socket.limits import ServerLimits, SubscriberCounts
from detector.wire.access import Keys
from detector.wire.request import MAX_REQUEST_BYTES, parse_token

log = logging.getLogger(__name__)

REMIND_SECONDS = 60.0
"""Refusals are mentioned in the log at most this often, with their number."""

_GOODBYE_SECONDS = 1.0
"""How long the other side may take to end TLS."""

_PAUSE_SECONDS = 0.2
"""After a failed accept, as when descriptors have run out."""


class Acceptor:
    """Accepts connections until it is closed."""

    def __init__(
        self,
        listening: socket.socket,
        limits: ServerLimits,
        *,
        keys: Callable[[], Keys],
        make_protocol: Callable[[], asyncio.Protocol],
        error_line: Callable[[str], bytes],
        counts: SubscriberCounts,
    ) -> None:
        """Each connection asks for `keys`; `make_protocol` makes the protocol that takes it over."""
        self.limits = limits
        self.keys = keys
        self.make_protocol = make_protocol
        self.error_line = error_line
        self._listening = listening
        self._counts = counts
        self._pending: dict[PendingConnection, str] = {}
        self._hosts: Counter[str] = Counter()
        self._unmentioned = 0
        self._quiet_until = float("-inf")
        listening.setblocking(False)

    def replace(self, listening: socket.socket) -> None:
        """Accept at another socket, from the next call of `accept` on, and close the old one."""
        self._listening.close()
        listening.setblocking(False)
        self._listening = listening

    async def accept(self) -> None:
        """Accept connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, name = await loop.sock_accept(self._listening)
            except OSError as error:
                self.refuse("", f"accept: {error.strerror}")
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._receive(connection, name[0] if isinstance(name, tuple) else "")
            # One in each turn of the loop: a flood of connections must not starve the subscribers.
            await asyncio.sleep(0)

    async def close(self, seconds: float) -> None:
        """Give connections that are being set up a moment, then close the pending ones."""
        if entering := [pending.entering for pending in self._pending if pending.entering is not None]:
            await asyncio.wait(entering, timeout=seconds)
        for pending in tuple(self._pending):
            pending.leave()

    def forget(self, pending: PendingConnection) -> None:
        """A pending connection was handed over or closed."""
        if (host := self._pending.pop(pending, None)) is not None:
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

    def refuse(self, host: str, reason: str) -> None:
        """Count a refusal, and log it now and then."""
        self._counts.refused += 1
        self._unmentioned += 1
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            log.warning("socket.refused peer=%s count=%d reason=%r", host or "-", self._unmentioned, reason)
            self._unmentioned = 0
            self._quiet_until = now + REMIND_SECONDS

    def _receive(self, connection: socket.socket, host: str) -> None:
        """Start setting a connection up."""
        guarded = self.keys() != Keys()
        if guarded and self._hosts[host] >= self.limits.max_pending_per_host:
            self._make_room(host, "too many at once from this address, the oldest goes")
        if guarded and len(self._pending) >= self.limits.max_pending:
            self._make_room(
                max(self._hosts, key=self._hosts.__getitem__), "too many at once, the oldest goes"
            )
        pending = PendingConnection(self, host)
        self._pending[pending] = host
        self._hosts[host] += 1
        if host:
            enable_keepalive(connection, self.limits)
        pending.entering = asyncio.get_running_loop().create_task(self._enter(pending, connection))
        pending.entering.add_done_callback(partial(self._entered, pending, connection))

    def _make_room(self, host: str, reason: str) -> None:
        """Close the oldest pending connection of an address."""
        oldest = next(pending for pending, theirs in self._pending.items() if theirs == host)
        self.refuse(host, reason)
        oldest.leave()
        self.forget(oldest)

    async def _enter(self, pending: PendingConnection, connection: socket.socket) -> None:
        tls = self.keys().tls
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: pending,
            connection,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else self.limits.entry_seconds,
            ssl_shutdown_timeout=None if tls is None else _GOODBYE_SECONDS,
        )

    def _entered(
        self, pending: PendingConnection, connection: socket.socket, entering: asyncio.Task[None]
    ) -> None:
        pending.entering = None
        error = None if entering.cancelled() else entering.exception()
        if error is None and not entering.cancelled():
            return
        connection.close()  # nobody else closes the socket of a task that was cancelled before it began
        if error is not None:  # no TLS, another TLS, too slow, or gone
            self.refuse(pending.host, f"TLS: {getattr(error, 'reason', None) or error}")
        self.forget(pending)


class PendingConnection(asyncio.Protocol):
    """A connection that has not shown its token yet; where none is wanted, it is handed over at once."""

    def __init__(self, acceptor: Acceptor, host: str) -> None:
        self.entering: asyncio.Task[None] | None = None
        self._acceptor = acceptor
        self.host = host
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand over, or wait for the token."""
        made = self._transport = cast(asyncio.Transport, transport)
        if self._acceptor.keys().token is None:
            self._hand_over(made, b"")
            return
        limits = self._acceptor.limits
        self._timer = asyncio.get_running_loop().call_later(
            limits.entry_seconds, self._refuse, made, "no token came in time"
        )

    def data_received(self, data: bytes) -> None:
        """Read the first line, which holds the token."""
        if self._answered or self._transport is None:
            return
        self._received += data
        end = self._received.find(b"\n")
        if end < 0 and len(self._received) <= MAX_REQUEST_BYTES:
            return
        line, rest = bytes(self._received[: max(end, 0)]), bytes(self._received[end + 1 :])
        self._received.clear()
        token = self._acceptor.keys().token or b""
        if token and hmac.compare_digest(parse_token(line), token):
            self._hand_over(self._transport, rest)
            return
        # Neither the time nor the answer tells how close the guess was.
        self._answered = True
        self._transport.pause_reading()
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(
            self._acceptor.limits.refusal_seconds, self._refuse, self._transport, "no token or a wrong one"
        )

    def connection_lost(self, error: Exception | None) -> None:
        """The connection was closed before it was handed over."""
        self._cancel_timer()
        self._acceptor.forget(self)

    def leave(self) -> None:
        """Cut the connection, however far it is."""
        if self._transport is not None:
            self._transport.abort()
        elif self.entering is not None:
            self.entering.cancel()

    def _hand_over(self, transport: asyncio.Transport, rest: bytes) -> None:
        self._cancel_timer()
        self._acceptor.forget(self)
        protocol = self._acceptor.make_protocol()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if rest:
            protocol.data_received(rest)

    def _refuse(self, transport: asyncio.Transport, reason: str) -> None:
        self._answered = True
        self._acceptor.refuse(self.host, reason)
        words = (
            "token: missing or wrong; "
            'expected a first line {"token": "..."} with the token of this daemon\'s token_file'
        )
        close_with_line(transport, self._acceptor.error_line(words))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def enable_keepalive(connection: socket.socket, limits: ServerLimits) -> None:
    """Let the kernel notice a TCP subscriber whose machine or cable has gone, where it can."""
    options = {
        "TCP_KEEPIDLE": round(limits.heartbeat_seconds * 2),
        "TCP_KEEPINTVL": 15,
        "TCP_KEEPCNT": 4,
        "TCP_USER_TIMEOUT": round(limits.stall_seconds * 1000),
    }
    with contextlib.suppress(OSError):  # some systems refuse it for a connection that is gone already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in options.items():
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), max(1, value))
