"""The server of the page: uvicorn on one socket, until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from detector.errors import SinkError

BACKLOG = 128
SHUTDOWN_SECONDS = 0.3
"""How long requests that are being answered may take once the server ends."""


def open_socket(host: str, port: int) -> socket.socket:
    """Listen there; SinkError where the port is taken or not allowed."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise SinkError(f"web: port {port} of {host} cannot be opened: {error.strerror}") from error


def serve(app: ASGIApp, listening: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called once connections are accepted."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,  # type: ignore[arg-type]  # it goes to asyncio.wait_for
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    asyncio.run(_run(_PageServer(config, ready), listening))


class _PageServer(uvicorn.Server):
    """uvicorn's, which ends with status 0 where it is asked to, and says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield


async def _run(server: _PageServer, listening: socket.socket) -> None:
    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await server.serve([listening])
