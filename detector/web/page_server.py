"""The server of the page: uvicorn on one socket, within limits, until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from starlette.types import ASGIApp

from detector.errors import SinkError
from detector.web.bounded_http import LIMITS, BoundedHttp, ConnectionLimits
from detector.web.lean_uvicorn import Config, Server

BACKLOG = 128
READERS = 4
"""Threads that read the history and clips: each costs memory, and the disk serves no more at once."""
SETTLE_SECONDS = 0.2
"""How long each step of the end may take: answers first, then streams, then the page's own tasks."""
HANDSHAKE_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 5
MAX_SOCKET_MESSAGE_BYTES = 4096
"""What a WebSocket's client may send at once: the page sends nothing long."""


def open_socket(host: str, port: int) -> socket.socket:
    """Listen there; SinkError where the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    dual = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=dual)
    except OSError as error:
        raise SinkError(f"web: port {port} of {host} cannot be opened: {error.strerror}") from error


def make_server(
    app: ASGIApp,
    *,
    ready: Callable[[], None],
    tls: ssl.SSLContext | None = None,
    is_proxy: Callable[[str], bool] = lambda _: False,
    limits: ConnectionLimits = LIMITS,
) -> Server:
    """A server whose `serve` takes listening sockets; it ends once `should_exit` is true.

    `ready` is called once connections are accepted. `is_proxy` tells the addresses that may have many.
    """
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return _PageServer(app, ready, tls, is_proxy, limits)


def serve(
    server: Server,
    listening: socket.socket,
    *,
    on_signals: Mapping[signal.Signals, Callable[[], None]],
) -> None:
    """Serve until SIGINT or SIGTERM; `on_signals` are called for other signals."""
    asyncio.run(_run(server, listening, on_signals))


class _PageServer(Server):
    """uvicorn's, with limits; it ends with status 0 where it is asked to, and says when it is ready."""

    def __init__(
        self,
        app: ASGIApp,
        ready: Callable[[], None],
        tls: ssl.SSLContext | None,
        is_proxy: Callable[[str], bool],
        limits: ConnectionLimits,
    ) -> None:
        super().__init__(
            Config(
                app,
                http=BoundedHttp,
                ws="websockets-sansio",
                ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
                ws_per_message_deflate=False,
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                h11_max_incomplete_event_size=limits.header_bytes,
            )
        )
        self._ready = ready
        self._tls = tls
        self._is_proxy = is_proxy
        self._limits = limits

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections on the sockets, with the limits on each."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SinkError("web: the page cannot be started; the log says why")
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                self._make_protocol,
                sock=each,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=None if self._tls is None else HANDSHAKE_SECONDS,
                backlog=BACKLOG,
            )
            for each in sockets or ()
        ]
        self.started = True
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all connections: answers have a moment, streams have no end of their own."""
        for server in self.servers:
            server.close()
        connections = self.server_state.connections
        for connection in list(connections):
            connection.shutdown()
        await self._settle()
        for connection in list(connections):
            connection.transport.abort()
        await self._settle()
        # What still waits, such as for a daemon that hangs, is cut off: no fault that a log should show.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self.lifespan.shutdown()

    async def _settle(self) -> None:
        """Wait, for a moment at most, until no connection and no request is left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.01)

    def _make_protocol(self) -> asyncio.Protocol:
        return BoundedHttp(self, self.lifespan.state, limits=self._limits, is_proxy=self._is_proxy)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield


async def _run(
    server: Server,
    listening: socket.socket,
    on_signals: Mapping[signal.Signals, Callable[[], None]],
) -> None:
    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(READERS, "page"))
    for number, call in {signal.SIGINT: stop, signal.SIGTERM: stop, **on_signals}.items():
        loop.add_signal_handler(number, call)
    await server.serve([listening])
