"""Spectrograms and live sound: one connection to the daemon for each that is watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from detector.errors import DetectorError
from detector.interfaces import Message
from detector.subscriber.client import HELLO_SECONDS
from detector.subscriber.daemon_stream import DaemonStream
from detector.web.mailbox import Mailbox
from detector.wire.message import ErrorBody, HelloBody

FULL = "full "
Opener = Callable[[], Awaitable[tuple[DaemonStream, HelloBody]]]


@dataclass(eq=False)
class _Feed:
    task: asyncio.Task[None]
    mailboxes: set[Mailbox[Message]] = field(default_factory=set)


class SharedFeeds:
    """Opens a feed when the first one watches it and closes it when the last one goes."""

    def __init__(self, open_connection: Opener) -> None:
        self._open = open_connection
        self._feeds: dict[tuple[str, str | None], _Feed] = {}

    @property
    def watched(self) -> int:
        """Connections to the daemon now."""
        return len(self._feeds)

    @asynccontextmanager
    async def watching(
        self, kind: str, source: str | None, mailbox: Mailbox[Message]
    ) -> AsyncIterator[Mailbox[Message]]:
        """Have messages of a kind of a source (None: the first) in the mailbox.

        `kind` is `spectrogram`, `sound`, or `full sound`: sound at the rate at which it is classified.

        It is closed, with the reason, when the daemon ends the feed or refuses it.
        """
        key = (kind, source)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = _Feed(asyncio.create_task(self._run(key)))
        feed.mailboxes.add(mailbox)
        try:
            yield mailbox
        finally:
            feed.mailboxes.discard(mailbox)
            if not feed.mailboxes and self._feeds.get(key) is feed:
                del self._feeds[key]
                await _ended(feed.task)

    async def close(self) -> None:
        """End all feeds."""
        feeds, self._feeds = [*self._feeds.values()], {}
        for feed in feeds:
            for mailbox in feed.mailboxes:
                mailbox.close("the page ends")
            await _ended(feed.task)

    async def _run(self, key: tuple[str, str | None]) -> None:
        kind, source = key
        told = kind.removeprefix(FULL)
        asked: dict[str, object] = {} if source is None else {"source": source}
        reason, refused = "the daemon ended it", False
        try:
            stream, hello = await self._open()
            try:
                stream.send({told: asked | {"full": True} if kind != told else asked})
                silence = 3 * (hello.heartbeat_seconds or HELLO_SECONDS)
                while (message := await stream.read(silence)) is not None:
                    if isinstance(message.body, ErrorBody):
                        reason, refused = message.body.message, True
                    elif message.kind == told:
                        for mailbox in self._feeds[key].mailboxes:
                            mailbox.put(message)
            finally:
                stream.close()
        except (DetectorError, OSError) as error:
            reason = str(error)
        feed = self._feeds.pop(key)
        for mailbox in feed.mailboxes:
            mailbox.close(reason, refused=refused)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
