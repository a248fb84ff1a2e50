"""A bare Starlette server that does what the page does, and nothing else: `python -m ... PORT FOLDER`.

Files of a folder, an event stream that says nothing, ten frames a second to each WebSocket, and an empty
object for everything else.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

FRAME = bytes(16 + 2 * 64)
FRAMES_PER_SECOND = 10


async def stream(_: Request) -> Response:
    """An event stream with a comment every 15 s."""

    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield b": still here\n\n"
            await asyncio.sleep(15)

    return StreamingResponse(lines(), media_type="text/event-stream")


async def live(socket: WebSocket) -> None:
    """Frames until the other side leaves."""
    await socket.accept()
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.send_bytes(FRAME)
            await asyncio.sleep(1 / FRAMES_PER_SECOND)


async def answer(_: Request) -> Response:
    """An empty object."""
    return JSONResponse({})


def main() -> None:
    """Serve until SIGTERM."""
    port, folder = int(sys.argv[1]), sys.argv[2]
    routes = [
        Route("/api/v1/events/stream", stream),
        WebSocketRoute("/api/v1/live", live),
        Route("/api/{path:path}", answer),
        Mount("/", StaticFiles(directory=folder, html=True)),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_level="warning"))
    print("the page:", file=sys.stderr, flush=True)
    server.run()


if __name__ == "__main__":
    main()
