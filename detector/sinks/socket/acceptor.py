"""The way in to the event socket: accept, agree on TLS, ask for the token, then hand over to the hub.

Whoever has not come through yet is a stranger. Strangers are few, each has little time, and the
oldest makes room: those inside, and those who know the token, must not notice a crowd outside.
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

from detector.sinks.socket.connection import Connection, part
from detector.sinks.socket.limits import ServerLimits, SubscriberCounts
from detector.wire.access import Keys
from detector.wire.encoding import encode
from detector.wire.message import ErrorBody, utc_text
from detector.wire.request import MAX_REQUEST_BYTES, parse_token

log = logging.getLogger(__name__)

REMIND_SECONDS = 10.0
"""Refusals are mentioned in the log at most this often, with their number."""

_GOODBYE_SECONDS = 1.0
"""How long the other side may take to end TLS."""

_TURNED_AWAY = 16
"""So many may be turned away in one turn of the loop, which costs little, so that others need not queue."""

_PAUSE_SECONDS = 0.2
"""After a failed accept, as when descriptors have run out."""


class Door:
    """Accepts connections until it is closed."""

    def __init__(
        self,
        listening: socket.socket,
        limits: ServerLimits,
        *,
        keys: Callable[[], Keys],
        admit: Callable[[], Connection],
        utc: Callable[[], float],
        counts: SubscriberCounts,
    ) -> None:
        """`keys` are asked for anew by each connection; `admit` makes a subscriber."""
        self.limits = limits
        self.keys = keys
        self.admit = admit
        self.utc = utc
        self._listening = listening
        self._counts = counts
        self._strangers: dict[Stranger, str] = {}
        self._hosts: Counter[str] = Counter()
        self._unmentioned = 0
        self._quiet_until = float("-inf")
        listening.setblocking(False)

    async def accept(self) -> None:
        """Let in whoever comes, until cancelled."""
        loop = asyncio.get_running_loop()
        turned_away = 0
        while True:
            try:
                connection, name = await loop.sock_accept(self._listening)
            except OSError as error:
                self.refuse("", f"accept: {error.strerror}")
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            taken = self._receive(connection, name[0] if isinstance(name, tuple) else "")
            turned_away = 0 if taken else (turned_away + 1) % _TURNED_AWAY
            # One in each turn of the loop: a flood at the door must not starve those inside.
            if turned_away == 0:
                await asyncio.sleep(0)

    async def close(self, seconds: float) -> None:
        """Give those who are halfway in a moment, then turn away who is left."""
        if entering := [stranger.entering for stranger in self._strangers if stranger.entering is not None]:
            await asyncio.wait(entering, timeout=seconds)
        for stranger in tuple(self._strangers):
            stranger.leave()

    def forget(self, stranger: Stranger) -> None:
        """A stranger has come in or gone."""
        if (host := self._strangers.pop(stranger, None)) is not None:
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

    def refuse(self, host: str, reason: str) -> None:
        """Count a refusal, and mention it now and then."""
        self._counts.refused += 1
        self._unmentioned += 1
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            log.warning("socket.refused peer=%s count=%d reason=%r", host or "-", self._unmentioned, reason)
            self._unmentioned = 0
            self._quiet_until = now + REMIND_SECONDS

    def _receive(self, connection: socket.socket, host: str) -> bool:
        """Begin to let somebody in; False where they are turned away at once."""
        guarded = self.keys() != Keys()
        if guarded and self._hosts[host] >= self.limits.max_strangers_per_host:
            connection.close()
            self.refuse(host, "too many at once from this address")
            return False
        if guarded and len(self._strangers) >= self.limits.max_strangers:
            oldest = next(iter(self._strangers))
            self.refuse(self._strangers[oldest], "too many at once, the oldest goes")
            oldest.leave()
            self.forget(oldest)
        stranger = Stranger(self, host)
        self._strangers[stranger] = host
        self._hosts[host] += 1
        if host:
            watch(connection, self.limits)
        stranger.entering = asyncio.get_running_loop().create_task(self._enter(stranger, connection))
        stranger.entering.add_done_callback(partial(self._entered, stranger, connection))
        return True

    async def _enter(self, stranger: Stranger, connection: socket.socket) -> None:
        tls = self.keys().tls
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: stranger,
            connection,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else self.limits.entry_seconds,
            ssl_shutdown_timeout=None if tls is None else _GOODBYE_SECONDS,
        )

    def _entered(self, stranger: Stranger, connection: socket.socket, entering: asyncio.Task[None]) -> None:
        stranger.entering = None
        error = None if entering.cancelled() else entering.exception()
        if error is None and not entering.cancelled():
            return
        connection.close()  # a task that is cancelled before it began has told nobody of the socket
        if error is not None:  # no TLS, another TLS, too slow, or gone
            self.refuse(stranger.host, f"TLS: {getattr(error, 'reason', None) or error}")
        self.forget(stranger)


class Stranger(asyncio.Protocol):
    """Somebody who has connected; where no token is wanted, they are in as soon as TLS stands."""

    def __init__(self, door: Door, host: str) -> None:
        self.entering: asyncio.Task[None] | None = None
        self._door = door
        self.host = host
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in, or wait for the token."""
        made = self._transport = cast(asyncio.Transport, transport)
        if self._door.keys().token is None:
            self._come_in(made, b"")
            return
        limits = self._door.limits
        self._timer = asyncio.get_running_loop().call_later(
            limits.entry_seconds, self._refuse, made, "no token came in time"
        )

    def data_received(self, data: bytes) -> None:
        """Read the first line, which shows the token."""
        if self._answered or self._transport is None:
            return
        self._received += data
        end = self._received.find(b"\n")
        if end < 0 and len(self._received) <= MAX_REQUEST_BYTES:
            return
        line, rest = bytes(self._received[: max(end, 0)]), bytes(self._received[end + 1 :])
        self._received.clear()
        token = self._door.keys().token or b""
        if token and hmac.compare_digest(parse_token(line), token):
            self._come_in(self._transport, rest)
            return
        # Neither the time nor the words tell how near the guess was.
        self._answered = True
        self._transport.pause_reading()
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(
            self._door.limits.refusal_seconds, self._refuse, self._transport, "no token or a wrong one"
        )

    def connection_lost(self, error: Exception | None) -> None:
        """Gone without coming in."""
        self._cancel_timer()
        self._door.forget(self)

    def leave(self) -> None:
        """Cut the connection, however far it is."""
        if self._transport is not None:
            self._transport.abort()
        elif self.entering is not None:
            self.entering.cancel()

    def _come_in(self, transport: asyncio.Transport, rest: bytes) -> None:
        self._cancel_timer()
        self._door.forget(self)
        connection = self._door.admit()
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if rest:
            connection.data_received(rest)

    def _refuse(self, transport: asyncio.Transport, reason: str) -> None:
        self._answered = True
        self._door.refuse(self.host, reason)
        words = 'token: expected a first line {"token": "..."} with the token of this daemon\'s token_file'
        part(transport, encode(ErrorBody(message=words, time=utc_text(self._door.utc()))).line)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def watch(connection: socket.socket, limits: ServerLimits) -> None:
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
