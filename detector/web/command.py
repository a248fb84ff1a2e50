"""`sound-detector web`: serve the page until it is asked to end."""

from __future__ import annotations

import sys

from detector.web.app import make_app
from detector.web.page_server import open_socket, serve
from detector.web.parts import WebParts

LOOPBACK = "127.0.0.1"


def web_command(parts: WebParts, *, port: int) -> int:
    """Serve the page on this machine; prints its address on standard error once it answers.

    Returns the exit code, 0. SinkError where the port cannot be had.
    """
    with open_socket(LOOPBACK, port) as listening:
        address = f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
        serve(
            make_app(parts),
            listening,
            ready=lambda: print(f"the page: {address}", file=sys.stderr, flush=True),
        )
    return 0
