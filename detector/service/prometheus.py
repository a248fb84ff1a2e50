"""A Prometheus text endpoint: GET /metrics on a loopback port."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from detector.errors import SinkError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
REQUEST_SECONDS = 5.0
"""A request must have come, and its answer been read, within this time."""

MAX_CONNECTIONS = 8
"""Connections at once; beyond, the oldest is closed to make room."""

RETRY_SECONDS = 10.0
"""How often a port that is taken is tried again."""


_Request = socket.socket | tuple[bytes, socket.socket]
"""As socketserver declares it; a TCP server's is a socket."""


class BoundedServer(ThreadingHTTPServer):
    """A thread for each of few connections, none of which lasts for long."""

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        *,
        seconds: float,
        most: int,
    ) -> None:
        super().__init__(address, handler)
        self._seconds, self._most = seconds, most
        self._open: dict[int, tuple[_Request, threading.Timer]] = {}
        self._guard = threading.Lock()

    def process_request(self, request: _Request, client_address: object) -> None:
        """Serve a connection on a thread of its own."""
        timer = threading.Timer(self._seconds, _cut, (request,))
        timer.daemon = True
        with self._guard:
            if len(self._open) >= self._most:
                oldest, its_timer = self._open.pop(next(iter(self._open)))
                its_timer.cancel()
                _cut(oldest)
            self._open[id(request)] = request, timer
        timer.start()
        super().process_request(request, client_address)

    def shutdown_request(self, request: _Request) -> None:
        """Close a connection that was served."""
        with self._guard:
            _, timer = self._open.pop(id(request), (None, None))
        if timer is not None:
            timer.cancel()
        super().shutdown_request(request)

    def handle_error(self, request: _Request, client_address: object) -> None:
        """A client that has gone, or was too slow, is no news."""
        log.debug("metrics.failed", exc_info=True)


def _cut(connection: _Request) -> None:
    """End a connection under the thread that reads or writes it."""
    with contextlib.suppress(OSError):
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)


class MetricsServer:
    """Answers with what `text` returns, on a thread of its own, until `close`."""

    def __init__(
        self,
        port: int,
        text: Callable[[], str],
        *,
        seconds: float = REQUEST_SECONDS,
        most: int = MAX_CONNECTIONS,
    ) -> None:
        """Bind at once, to the loopback address alone; raises SinkError where the address cannot be had."""

        class Handler(BaseHTTPRequestHandler):
            timeout = seconds

            def do_GET(self) -> None:
                if self.path.split("?")[0] != "/metrics":
                    self.send_error(404, "expected /metrics")
                    return
                body = text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                log.debug("metrics.request " + format, *args)

        try:
            self._server = BoundedServer((HOST, port), Handler, seconds=seconds, most=most)
        except OSError as error:
            raise SinkError(
                f"cannot listen on {HOST}:{port} for metrics ({error.strerror}); choose another metrics.port"
            ) from error
        self.port: int = self._server.server_address[1]
        """The real port, where 0 was asked for."""
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        log.info("metrics.listening port=%d", self.port)

    def close(self) -> None:
        """Stop answering."""
        if self._thread.ident is not None:
            self._server.shutdown()
        self._server.server_close()


class LateMetricsServer:
    """Makes a metrics server as soon as its port is free, instead of ending the service because of it."""

    def __init__(self, make: Callable[[], MetricsServer], *, retry_seconds: float = RETRY_SECONDS) -> None:
        """`make` raises SinkError while the port is taken."""
        self._make = make
        self._retry_seconds = retry_seconds
        self._ended = threading.Event()
        self._server: MetricsServer | None = None
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to try."""
        self._thread.start()

    def close(self) -> None:
        """Stop trying, or answering."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._server is not None:
            self._server.close()

    def _run(self) -> None:
        told = False
        while not self._ended.is_set():
            try:
                self._server = self._make()
            except SinkError as error:
                if not told:
                    told = True
                    log.warning(
                        "metrics.waiting %s; it is tried again every %g s", error, self._retry_seconds
                    )
                self._ended.wait(self._retry_seconds)
            else:
                self._server.start()
                return
