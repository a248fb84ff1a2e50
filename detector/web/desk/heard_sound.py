"""The sound of a source as it comes from the daemon, for what listens on the page's behalf."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from detector.interfaces import Message
from detector.web.desk.refusals import Refused
from detector.web.mailbox import Mailbox, MailboxClosed
from detector.web.shared_feeds import SharedFeeds

SILENCE_SECONDS = 15.0
"""So long without any sound, and none will come: the daemon is paused or its microphone is gone."""
MOST_WAITING = 200
"""Messages that may wait, some 20 seconds."""


@dataclass(frozen=True, slots=True)
class LiveBlock:
    """Some samples of one channel."""

    rate: int
    """Samples a second."""
    data: bytes
    """16-bit little-endian."""
    start: int = 0
    """Index of the first sample; where it is not that behind the block before, sound is missing."""

    @property
    def seconds(self) -> float:
        """Their length."""
        return len(self.data) / 2 / self.rate


async def live_sound(
    feeds: SharedFeeds, source: str | None, *, silence_seconds: float = SILENCE_SECONDS
) -> AsyncGenerator[LiveBlock, None]:
    """Yield a source's sound (None: the first source's) until nobody wants more; raises Refused.

    It has the rate at which the daemon classifies it: a model is to learn from what it will hear.
    """
    mailbox: Mailbox[Message] = Mailbox(MOST_WAITING, when_full="drop oldest")
    async with feeds.watching("full sound", source, mailbox) as incoming:
        while True:
            try:
                async with asyncio.timeout(silence_seconds):
                    message = await incoming.get()
            except MailboxClosed as closed:
                raise Refused(502, f"no sound from the daemon: {closed}") from closed
            except TimeoutError:
                why = "it is paused, or its microphone is gone"
                raise Refused(502, f"no sound from the daemon: {why}") from None
            values = json.loads(message.line)
            data = base64.b64decode(values["data"])
            yield LiveBlock(int(values["sample_rate"]), data, int(values.get("start", 0)))
