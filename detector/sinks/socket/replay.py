"""A replay from the archive: what is too old for memory, in pieces, as fast as the subscriber reads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from detector.errors import HistoryError
from detector.sinks.socket.backlog import Subscription

if TYPE_CHECKING:
    from detector.sinks.socket.hub import Hub

log = logging.getLogger(__name__)

EVENTS = 200
"""Read from the archive at once, some 90 KB: what a replay holds beyond its connection's buffer."""


class Replay:
    """One subscriber's; it ends where the events in memory begin, wherever those have moved meanwhile."""

    def __init__(
        self,
        hub: Hub,
        transport: asyncio.Transport,
        subscription: Subscription,
        since: int,
    ) -> None:
        self._hub = hub
        self._transport = transport
        self._subscription = subscription
        self._seq = since
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._task: asyncio.Task[None] | None = None

    def start(self, done: Callable[[], None]) -> None:
        """Begin; `done` is called once the subscription can go on from memory."""
        self._subscription.begin_replay()
        self._task = asyncio.create_task(self._run(done))

    def pause(self) -> None:
        """The subscriber reads too slowly: read no further."""
        self._flowing.clear()

    def resume(self) -> None:
        """The subscriber has read: go on."""
        self._flowing.set()

    def cancel(self) -> None:
        """The subscriber has gone; nothing more is sent."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, done: Callable[[], None]) -> None:
        try:
            # The archive has an event before memory does, so what left memory before a look is found by it.
            while self._seq < (gone := self._hub.history.gone_seq):
                events = await self._hub.read_archive(self._seq, EVENTS)
                if lines := b"".join(event.line for event in events if self._subscription.passes(event)):
                    self._transport.write(lines)
                    await self._flowing.wait()
                last = max((event.seq or 0 for event in events), default=0)
                self._seq = last if len(events) == EVENTS else max(last, gone)
        except HistoryError as error:
            log.warning('socket.replay_failed error="%s"', error)
        self._subscription.end_replay(self._seq)
        done()
