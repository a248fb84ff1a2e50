"""How much a request may bring, and how long that may take."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.web.access.roles import refusal

MAX_BODY_BYTES = 65536
BODY_SECONDS = 10.0
_LONGEST_LENGTH = 12
"""Digits of a Content-Length."""
_TOO_LONG = f"expected at most {MAX_BODY_BYTES} bytes"
_CLOSE = {"Connection": "close"}
"""What is still to come is not read: the connection ends with the answer."""


class BodyLimitMiddleware:
    """Answers 413 to larger bodies and 408 to slower ones."""

    def __init__(self, app: ASGIApp, *, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on, and count what comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("Content-Length", "0")
        if not (length.isascii() and length.isdigit() and len(length) <= _LONGEST_LENGTH):
            await refusal(400, "expected a number of bytes in Content-Length")(scope, receive, send)
        elif int(length) > MAX_BODY_BYTES:
            await refusal(413, _TOO_LONG, _CLOSE)(scope, receive, send)
        else:
            await self._app(scope, _CountedBody(receive, self._seconds).receive, send)


class _CountedBody:
    """The body as it comes; what follows it (that the client has gone) may take any time."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._bytes = 0
        self._complete = False

    async def receive(self) -> Message:
        """The next part; HTTPException, which a route's caller answers, where it is too much or too late."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the request came too slowly", _CLOSE) from None
        self._bytes += len(message.get("body", b""))
        if self._bytes > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LONG, _CLOSE)
        self._complete = not message.get("more_body", False)
        return message
