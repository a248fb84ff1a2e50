"""A source as it sounds, over WebSockets: its spectrogram for who may look, its sound for who may listen."""

from __future__ import annotations

import asyncio
import json

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from detector.interfaces import Message
from detector.web.access.doorkeeper import Doorkeeper
from detector.web.access.role_watch import role_lost
from detector.web.access.roles import NO_ENTRY, guest_websocket, owner_websocket
from detector.web.live_frames import sound_frame, sound_head, spectrogram_frame, spectrogram_head
from detector.web.mailbox import Mailbox, MailboxClosed
from detector.web.parts import WebParts
from detector.wire.live_bodies import SoundBody, SpectrogramBody

MOST_WATCHERS = 60
"""WebSockets at once; one more is told to come again later."""
MOST_FRAMES = {"spectrogram": 1, "sound": 10}
"""Frames that may wait for one viewer; what comes meanwhile is lost: columns at once, sound after 1 s."""
COME_AGAIN, REFUSED = 1013, 4404
"""Codes of a close: the daemon is not there; it has no such source, or gives no sound."""
MOST_REASON_BYTES = 123


def routes(parts: WebParts) -> list[BaseRoute]:
    """The WebSockets `/api/v1/live` and `/api/v1/listen`."""
    watchers: set[WebSocket] = set()

    async def relay(socket: WebSocket, kind: str) -> None:
        await socket.accept()
        if len(watchers) >= MOST_WATCHERS:
            await socket.close(COME_AGAIN, f"{MOST_WATCHERS} watch already")
            return
        watchers.add(socket)
        try:
            mailbox: Mailbox[Message] = Mailbox(MOST_FRAMES[kind], when_full="drop new")
            source = socket.query_params.get("source") or None
            async with parts.daemon.feeds.watching(kind, source, mailbox):
                await _relay(socket, mailbox, parts.doorkeeper)
        finally:
            watchers.discard(socket)

    async def live(socket: WebSocket) -> None:
        await relay(socket, "spectrogram")

    async def listen(socket: WebSocket) -> None:
        await relay(socket, "sound")

    return [
        WebSocketRoute("/api/v1/live", guest_websocket(live)),
        WebSocketRoute("/api/v1/listen", owner_websocket(listen)),
    ]


async def _relay(socket: WebSocket, mailbox: Mailbox[Message], doorkeeper: Doorkeeper) -> None:
    """Send frames until the viewer leaves, may watch no longer, or the daemon ends the feed."""
    sending = asyncio.create_task(_send(socket, mailbox))
    ending = asyncio.create_task(role_lost(socket, doorkeeper))
    tasks = (sending, ending, asyncio.create_task(_left(socket)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        may_no_longer = ending.done()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    if may_no_longer:
        await socket.close(NO_ENTRY, "log in again")
    if not sending.cancelled() and (error := sending.exception()) is not None:
        raise error


async def _send(socket: WebSocket, mailbox: Mailbox[Message]) -> None:
    has_head = False
    try:
        while True:
            body = (await mailbox.get()).body
            if isinstance(body, SpectrogramBody):
                head, frame = spectrogram_head(body), spectrogram_frame(body)
            elif isinstance(body, SoundBody):
                head, frame = sound_head(body), sound_frame(body)
            else:
                continue
            if frame is None:
                continue
            if not has_head:
                await socket.send_text(json.dumps(head))
                has_head = True
            await socket.send_bytes(frame)
    except MailboxClosed as closed:
        await socket.close(REFUSED if closed.refused else COME_AGAIN, _reason(str(closed)))
    except (WebSocketDisconnect, OSError):
        return


async def _left(socket: WebSocket) -> None:
    """Wait until the viewer leaves; what viewers say is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _reason(text: str) -> str:
    """As much of it as a close frame can carry."""
    return text.encode()[:MOST_REASON_BYTES].decode(errors="ignore")
