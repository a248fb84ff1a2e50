"""How much a request may bring, and how long that may take."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from detector.web.access.roles import NO_ENTRY, refusal

MAX_BODY_BYTES = 65536
MAX_HEADER_BYTES = 16384
BODY_SECONDS = 10.0
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_LONGEST_LENGTH = 12
"""Digits of a Content-Length."""
_CLOSE = {"Connection": "close"}
"""What is still to come is not read: the connection ends with the answer."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a body may be."""

    most_bytes: int
    seconds: float

    @property
    def too_long(self) -> str:
        """What a longer one is answered."""
        return f"expected at most {self.most_bytes} bytes"


class BodyLimitMiddleware:
    """Answers 413 to larger bodies, 408 to slower ones, 431 to long headers, 400 to a body of a GET."""

    def __init__(
        self, app: ASGIApp, *, seconds: float = BODY_SECONDS, uploads: Mapping[str, Upload] | None = None
    ) -> None:
        """`uploads` has the limits of paths that take files."""
        self._app = app
        self._usual = Upload(MAX_BODY_BYTES, seconds)
        self._uploads = uploads or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on, and count what comes."""
        if scope["type"] == "websocket" and _header_bytes(scope) > MAX_HEADER_BYTES:
            await WebSocket(scope, receive, send).close(NO_ENTRY)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._uploads.get(scope["path"], self._usual)
        headers = Headers(scope=scope)
        length = headers.get("Content-Length", "0")
        if _header_bytes(scope) > MAX_HEADER_BYTES:
            too_long = f"expected at most {MAX_HEADER_BYTES} bytes of headers"
            await refusal(431, too_long, _CLOSE)(scope, receive, send)
        elif scope["method"] in _WITHOUT_BODY and (length != "0" or "Transfer-Encoding" in headers):
            await refusal(400, f"expected a {scope['method']} without a body", _CLOSE)(scope, receive, send)
        elif not (length.isascii() and length.isdigit() and len(length) <= _LONGEST_LENGTH):
            await refusal(400, "expected a number of bytes in Content-Length")(scope, receive, send)
        elif int(length) > limit.most_bytes:
            await refusal(413, limit.too_long, _CLOSE)(scope, receive, send)
        else:
            with suppress(ClientDisconnect):  # whoever has gone needs no answer
                await self._app(scope, _CountedBody(receive, limit).receive, send)


def _header_bytes(scope: Scope) -> int:
    """The length of the request before its body, but for its method and line ends."""
    fields = sum(len(name) + len(value) for name, value in scope["headers"])
    return fields + len(scope.get("raw_path") or b"") + len(scope["query_string"])


class _CountedBody:
    """The body as it comes; what follows it (that the client has gone) may take any time."""

    def __init__(self, receive: Receive, limit: Upload) -> None:
        self._receive = receive
        self._limit = limit
        self._deadline = asyncio.get_running_loop().time() + limit.seconds
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
        if self._bytes > self._limit.most_bytes:
            raise HTTPException(413, self._limit.too_long, _CLOSE)
        self._complete = not message.get("more_body", False)
        return message
