"""The one connection of the page to the daemon's event socket, which all who look at the page share.

It lasts as long as the page: when the daemon goes, it is awaited, and what it said meanwhile is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

from detector.errors import DetectorError, SinkError
from detector.interfaces import Message
from detector.subscriber.client import HELLO_SECONDS, NOTHING, Credentials
from detector.subscriber.daemon_stream import DaemonStream, open_stream
from detector.subscriber.report_request import request_report
from detector.subscriber.verdict_request import hand_in
from detector.web.daemon_threads import DaemonThreads
from detector.web.mailbox import Mailbox
from detector.web.recent_sounds import MOST_SOUNDS, RecentSounds
from detector.web.seen_events import SeenEvents
from detector.web.shared_feeds import SharedFeeds
from detector.wire.address import parse_address
from detector.wire.encoding import encode
from detector.wire.message import (
    ClipBody,
    DroppedBody,
    ErrorBody,
    HeartbeatBody,
    HelloBody,
    StatusBody,
    UnknownBody,
    VerdictBody,
    utc_text,
)
from detector.wire.request import VerdictLine

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds between attempts to reach the daemon: doubled from the first to the longest."""
HEARTBEATS_MISSED = 3
"""The daemon is gone if no line comes for so many heartbeats."""
REPORT_SECONDS = 1.0
"""A report is as good as new for so long: a page with many viewers asks once."""
MOST_CLIPS = 1000
"""Events of whose clip it is known what became of it."""
MOST_WAITING = 500
"""Messages that may wait for one page; whoever is further behind reads the history instead."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """What is known of the daemon now."""

    connected: bool = False
    gone_since: str | None = None
    """Since when it has not answered; None while it does, or where it never was looked for."""
    hello: HelloBody | None = None
    """Its newest introduction; kept when it goes."""
    state: str = "starting"
    """As in its `status`."""
    seq: int = 0
    """Number of its newest event."""


class DaemonLink:
    """Follows the daemon, and asks it; that none is there is no fault. All of it runs in one event loop."""

    def __init__(
        self,
        uris: Sequence[str],
        credentials: Credentials = NOTHING,
        *,
        remembers: bool = False,
        utc: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`uris` are the addresses at which to look for a daemon, in this order.

        `remembers`: the newest sounds are kept in memory, for a page that can read no history; where the
        daemon keeps none, they are in any case.
        """
        self._uris, self._credentials = tuple(uris), credentials
        self._utc, self._monotonic = utc, monotonic
        self._mailboxes: set[Mailbox[Message]] = set()
        self._report: tuple[float, Mapping[str, object] | None] = (float("-inf"), None)
        self._asking: asyncio.Task[Mapping[str, object] | None] | None = None
        self._reason = ""
        self.threads = DaemonThreads()
        """Of all that asks the daemon and waits for its answer."""
        self.now = LinkState()
        self.recent = RecentSounds(MOST_SOUNDS if remembers else 0)
        """The newest sounds."""
        self._old_seq = 0
        self.clips: dict[str, ClipBody] = {}
        """What was said lately of the clip of an event, by the event's id."""
        self.feeds = SharedFeeds(self._open)
        """Spectrograms and live sound."""

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the daemon for as long as this lasts."""
        task = asyncio.create_task(self.follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            for mailbox in self._mailboxes:
                mailbox.close("the page ends")
            await self.feeds.close()

    async def follow(self) -> None:
        """Follow the daemon until this is cancelled."""
        seen, pause = SeenEvents(), FIRST_PAUSE
        while True:
            try:
                await self._follow_once(seen)
                reason = "it closed the connection"
            except (DetectorError, OSError) as error:
                reason = str(error)
            except Exception:  # a fault of the page must not leave it blind
                log.exception("web.follow_failed")
                reason = "a fault in the page"
            if self.now.connected:
                pause = FIRST_PAUSE
            self._lose(reason)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    @contextmanager
    def listening(self, most: int = MOST_WAITING) -> Iterator[Mailbox[Message]]:
        """All that the daemon says from now on, and a message `daemon` whenever it comes or goes."""
        mailbox: Mailbox[Message] = Mailbox(most, when_full="close")
        self._mailboxes.add(mailbox)
        try:
            yield mailbox
        finally:
            self._mailboxes.discard(mailbox)

    @property
    def keeps_history(self) -> bool:
        """Whether the daemon keeps one, as far as is known: else one that lies here is of another time."""
        return self.now.hello is None or self.now.hello.history

    def presence(self) -> Message:
        """Whether the daemon is there, as a message of the type `daemon`."""
        hello = self.now.hello
        values: dict[str, object] = {"connected": self.now.connected, "gone_since": self.now.gone_since}
        values |= {"state": self.now.state if self.now.connected else None}
        if hello is not None:
            values |= {"generation": hello.generation, "generation_seq": hello.generation_seq}
        return encode(UnknownBody("daemon", values))

    async def report(self) -> Mapping[str, object] | None:
        """The daemon's report (`docs/protocol.md`), at most a second old; None where none answers.

        It is never older than the newest `status` message.
        """
        asked_at, report = self._report
        if self._monotonic() - asked_at < REPORT_SECONDS:
            return report
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def give_verdict(self, line: VerdictLine) -> VerdictBody:
        """Hand a verdict in; raises NoDaemon, VerdictError where it is refused, SinkError."""
        return await self.threads.run(partial(hand_in, self._uris, line, credentials=self._credentials))

    async def _ask(self) -> Mapping[str, object] | None:
        try:
            try:
                ask = partial(request_report, self._uris, credentials=self._credentials)
                _, report = await self.threads.run(ask)
                values: Mapping[str, object] | None = report.values
            except DetectorError:
                values = None
            if self._asking is asyncio.current_task():
                self._report = (self._monotonic(), values)
            return values
        finally:
            if self._asking is asyncio.current_task():
                self._asking = None

    def _forget_report(self) -> None:
        """What was asked so far, or is being asked, is older than what the daemon has told now."""
        self._report, self._asking = (float("-inf"), None), None

    async def _open(self) -> tuple[DaemonStream, HelloBody]:
        """Connect and read the daemon's introduction."""
        stream = await open_stream([parse_address(uri) for uri in self._uris], self._credentials)
        try:
            message = await stream.read(HELLO_SECONDS)
            if message is not None and isinstance(message.body, ErrorBody):
                raise SinkError(f"the daemon refused: {message.body.message}")
            if message is None or not isinstance(message.body, HelloBody):
                raise SinkError("expected the daemon's hello, got something else; is it a sound-detector?")
        except BaseException:
            stream.close()
            raise
        return stream, message.body

    async def _follow_once(self, seen: SeenEvents) -> None:
        """Follow one connection to its end; raises SinkError where there is none."""
        stream, hello = await self._open()
        try:
            if seen.meet(hello.generation, hello.generation_seq):
                self._old_seq = 0
            if not hello.history:
                self.recent.most = MOST_SOUNDS
            if seen.seq is None:
                self._old_seq = hello.seq
                seen.seq = max(0, hello.seq - 2 * self.recent.most)  # a sound has two messages and more
            stream.send({"since": seen.seq})
            self._gain(hello)
            seconds = (hello.heartbeat_seconds or HELLO_SECONDS) * HEARTBEATS_MISSED
            while (message := await stream.read(seconds)) is not None:
                if isinstance(message.body, DroppedBody) and not message.body.detail:
                    break  # this page read too slowly: what was lost is asked for again
                self._hear(message, seen)
        finally:
            stream.close()

    def _hear(self, message: Message, seen: SeenEvents) -> None:
        body, now = message.body, self.now
        if message.seq is not None:
            if not seen.take(message.seq):
                return
            self.recent.take(message)
            if message.seq <= self._old_seq:
                return  # told before this page began
            self.now = LinkState(True, None, now.hello, now.state, message.seq)
        elif isinstance(body, StatusBody):
            self._forget_report()
            self.now = LinkState(True, None, now.hello, body.overall or body.state, now.seq)
        elif isinstance(body, HeartbeatBody):
            self.now = LinkState(True, None, now.hello, body.state, now.seq)
        elif isinstance(body, ClipBody):
            self.clips.update(dict.fromkeys(body.events, body))
            while len(self.clips) > MOST_CLIPS:
                del self.clips[next(iter(self.clips))]
        self._tell(message)

    def _gain(self, hello: HelloBody) -> None:
        self.now = LinkState(True, None, hello, hello.state, hello.seq)
        self._forget_report()
        self._reason = ""
        log.info("web.daemon_found version=%s run_id=%s", hello.version, hello.run_id)
        self._tell(self.presence())

    def _lose(self, reason: str) -> None:
        was = self.now
        since = was.gone_since or utc_text(self._utc())
        self.now = LinkState(False, since, was.hello, was.state, was.seq)
        if reason != self._reason:
            self._reason = reason
            log.warning('web.daemon_gone reason="%s"', reason)
        if was.connected or was.gone_since is None:
            self._tell(self.presence())

    def _tell(self, message: Message) -> None:
        for mailbox in self._mailboxes:
            mailbox.put(message)
