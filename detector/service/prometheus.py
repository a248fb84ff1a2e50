"""A Prometheus text endpoint: GET /metrics on a loopback port."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from detector.errors import SinkError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
TIMEOUT_SECONDS = 5.0
"""A client that sends or reads nothing for this long is disconnected."""


class MetricsServer:
    """Answers with what `text` returns, on a thread of its own, until `close`."""

    def __init__(self, port: int, text: Callable[[], str]) -> None:
        """Bind at once, to the loopback address alone; raises SinkError where the address cannot be had."""

        class Handler(BaseHTTPRequestHandler):
            timeout = TIMEOUT_SECONDS

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
            self._server = ThreadingHTTPServer((HOST, port), Handler)
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
