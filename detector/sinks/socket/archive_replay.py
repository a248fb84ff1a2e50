"""A replay: events too old for the backlog come from the archive, as fast as the subscriber reads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from detector.errors import HistoryError
from detector.interfaces import HistoryHole, Message
from detector.sinks.socket.backlog import Subscription
from detector.sinks.socket.feed import Feed

log = logging.getLogger(__name__)

EVENTS = 200
"""Events read from the archive at once, some 90 KB, which a replay holds beside its connection's buffer."""


class ArchiveReplay:
    """One subscriber's replay; it ends where the backlog begins, however far that has moved meanwhile."""

    def __init__(
        self,
        feed: Feed,
        transport: asyncio.Transport,
        subscription: Subscription,
        since: int,
    ) -> None:
        self._feed = feed
        self._transport = transport
        self._subscription = subscription
        self._seq = since
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._task: asyncio.Task[None] | None = None

    def start(self, done: Callable[[], None]) -> None:
        """Start; `done` is called once the subscription can go on from the backlog."""
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
            # Events reach the archive before the backlog: what has left the backlog is found there.
            while self._seq < (gone := self._feed.backlog.gone_seq) and not self._transport.is_closing():
                try:
                    events = await self._feed.read_archive(self._seq, EVENTS)
                except HistoryHole as hole:
                    await self._send(hole.before)
                    self._tell_missing(hole.missing, hole)
                    self._seq = hole.resume_seq
                    continue
                await self._send(events)
                last = max((event.seq or 0 for event in events), default=0)
                self._seq = last if len(events) == EVENTS else max(last, gone)
        except HistoryError as error:
            gone = self._feed.backlog.gone_seq
            self._tell_missing(self._feed.most_kept(self._seq, gone), error)
            self._seq = gone
        self._subscription.end_replay(self._seq)
        done()

    async def _send(self, events: Sequence[Message]) -> None:
        if lines := b"".join(event.line for event in events if self._subscription.passes(event)):
            self._transport.write(lines)
            await self._flowing.wait()

    def _tell_missing(self, count: int, error: HistoryError) -> None:
        """Tell the subscriber, in its place, what it cannot be sent."""
        log.warning('socket.replay_failed events=%d error="%s"', count, error)
        if count:
            self._transport.write(self._feed.dropped_line(count, "the history cannot be read there"))
