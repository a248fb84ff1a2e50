"""Streams end with the log-in: what is sent for hours is cut off once whoever gets it is no longer let in."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Message, Send
from starlette.websockets import WebSocketDisconnect

from detector.web.access.roles import NO_ENTRY

CHECK_SECONDS = 2.0
"""How long something may still be sent after a log-out, a new password or the end of a session."""


class EndedVisit:
    """The `send` of one request or WebSocket, which looks again and again whether the visit has ended."""

    def __init__(self, send: Send, is_welcome: Callable[[], bool], clock: Callable[[], float]) -> None:
        """`is_welcome` says whether the visitor still may what it might at first."""
        self._send = send
        self._is_welcome = is_welcome
        self._clock = clock
        self._look_at = clock() + CHECK_SECONDS
        self._ended = False

    async def send(self, message: Message) -> None:
        """Send a message, or end the answer; WebSocketDisconnect where a WebSocket has ended so."""
        streams = message["type"] == "websocket.send" or message.get("more_body", False)
        if streams and not self._ended and self._clock() >= self._look_at:
            self._look_at = self._clock() + CHECK_SECONDS
            if not self._is_welcome():
                self._ended = True
                if message["type"] == "websocket.send":
                    await self._send({"type": "websocket.close", "code": NO_ENTRY, "reason": "log in again"})
                else:  # after the last part the server tells the route that nobody listens
                    await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        if not self._ended:
            await self._send(message)
        elif message["type"].startswith("websocket"):
            raise WebSocketDisconnect(NO_ENTRY)
