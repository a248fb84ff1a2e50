"""Events as they come, to browsers: server-sent events that go on where a broken connection ended.

Each `event` has its `seq` as id. Who comes again with `Last-Event-ID` first gets from the history what came
meanwhile; after that, and at once for others, what the daemon says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from detector.errors import HistoryError
from detector.history.archive import FileArchive, Query
from detector.history.past_sounds import count_after, newest_seq
from detector.interfaces import HistoryHole, Message
from detector.web.api.answers import json_line, refuse
from detector.web.daemon_link import DaemonLink
from detector.web.event_views import Event, EventViews, fields_of, live_view
from detector.web.mailbox import Mailbox, MailboxClosed
from detector.web.seen_events import SeenEvents
from detector.wire.request import Filter

log = logging.getLogger(__name__)

MOST_STREAMS = 100
"""Pages that may be open at once; one more is refused."""
MOST_REPLAYED = 1000
"""Events that are sent again to who comes again; where there are more, `dropped` says so instead."""
HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 30.0
"""Who reads nothing for so long is let go; the browser comes again and goes on where it was."""
AGAIN_MILLISECONDS = 2000
"""After how long a browser should come again."""
_PAGE = 200
Ending = Callable[[], Coroutine[None, None, None]]
"""Returns when a stream has to end."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which events one stream shows."""

    filter: Filter
    sources: frozenset[str]

    def passes(self, message: Message) -> bool:
        return self.filter.passes(message) and (
            not self.sources or getattr(message.body, "source", None) in self.sources
        )


class EventStreams:
    """Counts and answers the streams of one page."""

    def __init__(self, daemon: DaemonLink, views: EventViews) -> None:
        self._daemon, self._views = daemon, views
        self._open = 0

    def answer(
        self,
        wanted: Query,
        *,
        since: int | None,
        with_clips: bool,
        ending: Ending,
    ) -> Response:
        """A stream after the event `since`, or from now on, until `ending` returns.

        HTTPException 503 where there are too many.
        """
        if self._open >= MOST_STREAMS:
            raise refuse(503, f"{MOST_STREAMS} pages are open already: close one")
        names = _Wanted(
            Filter.of((label.strip() for label in wanted.labels), wanted.min_score), frozenset(wanted.sources)
        )
        return _Stream(self._frames(names, since, with_clips=with_clips), ending)

    async def _frames(
        self, wanted: _Wanted, since: int | None, *, with_clips: bool
    ) -> AsyncGenerator[bytes, None]:
        self._open += 1
        try:
            with self._daemon.listening() as mailbox:
                yield b"retry: %d\n\n" % AGAIN_MILLISECONDS
                hello = self._daemon.now.hello
                seen = SeenEvents(None, None if hello is None else hello.generation)
                seen.seq = await self._begin(since)
                yield _frame("daemon", _presence(self._daemon.presence()), seen.seq)
                if since is not None:
                    async for frame in self._missed(wanted, seen, with_clips=with_clips):
                        yield frame
                async for frame in _live(mailbox, wanted, seen, with_clips=with_clips):
                    yield frame
        finally:
            self._open -= 1

    async def _begin(self, since: int | None) -> int:
        """The number after which events are new: never more than the newest one, of whatever numbering."""
        path, newest = self._views.path(), self._daemon.now.seq
        if path is not None:
            try:
                newest = max(newest, await asyncio.to_thread(newest_seq, path))
            except HistoryError as error:
                log.warning('web.history_unreadable error="%s"', error)
        return newest if since is None else min(since, newest)

    async def _missed(self, wanted: _Wanted, seen: SeenEvents, *, with_clips: bool) -> AsyncIterator[bytes]:
        """The events in the history after the one that was had; what cannot be sent is counted."""
        path, first = self._views.path(), seen.seq or 0
        if path is None:
            for message in self._daemon.recent.after(first):
                if seen.take(message.seq or 0) and wanted.passes(message):
                    yield _frame("event", live_view(message), message.seq)
            return
        archive = FileArchive(path, oldest_seq=lambda: None, newest_seq=lambda: self._daemon.now.seq)
        try:
            if (count := await asyncio.to_thread(count_after, path, first)) > MOST_REPLAYED:
                seen.seq = await asyncio.to_thread(newest_seq, path)
                yield _frame("dropped", {"count": count, "detail": "load the list again"}, seen.seq)
                return
            while True:
                missing, detail = 0, ""
                try:
                    found = await asyncio.to_thread(archive.after, seen.seq or 0, _PAGE)
                    after = found[-1].seq if found else None
                except HistoryHole as hole:
                    found, after, missing, detail = [*hole.before], hole.resume_seq, hole.missing, str(hole)
                new = [message for message in found if wanted.passes(message)]
                views = await asyncio.to_thread(self._views.many, new, with_clips=with_clips)
                for message, view in zip(new, views, strict=True):
                    yield _frame("event", view, message.seq)
                if after is None:
                    return
                seen.seq = after
                if missing:
                    log.warning('web.history_damaged error="%s"', detail)
                    yield _frame("dropped", {"count": missing, "detail": "the history is damaged"}, after)
        except HistoryError as error:
            log.warning('web.history_unreadable error="%s"', error)
            yield _frame("dropped", {"count": None, "detail": "the history cannot be read"}, None)


async def _live(
    mailbox: Mailbox[Message], wanted: _Wanted, seen: SeenEvents, *, with_clips: bool
) -> AsyncIterator[bytes]:
    """What the daemon says from now on, and a comment when it says nothing for a while."""
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                message = await mailbox.get()
        except TimeoutError:
            yield b": still here\n\n"
            continue
        except MailboxClosed:
            return
        if message.seq is not None:
            if seen.take(message.seq) and wanted.passes(message):
                yield _frame("event", live_view(message), message.seq)
        elif message.kind == "daemon":
            values = fields_of(message)
            if values["connected"]:
                seen.meet(str(values["generation"]), int(str(values["generation_seq"])))
            yield _frame("daemon", _presence(message), None)
        elif message.kind == "status":
            yield _frame("status", fields_of(message), None)
        elif message.kind == "clip" and with_clips:
            yield _frame("clip", {**fields_of(message), "path": None}, None)


def _presence(message: Message) -> Event:
    values = fields_of(message)
    return {key: values[key] for key in ("connected", "gone_since", "state")}


def _frame(kind: str, values: Event, seq: int | None) -> bytes:
    """One server-sent event; JSON in ASCII has no line breaks of its own."""
    number = b"" if seq is None else b"id: %d\n" % seq
    return b"%sevent: %s\ndata: %s\n\n" % (number, kind.encode(), json_line(values))


class _Stream(Response):
    """A response without an end, until the browser goes, reads nothing, or nothing more comes."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None], ending: Ending) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._frames, self._ending = frames, ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames as they come."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await self._frames.aclose()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        sending = asyncio.create_task(self._send(send))
        tasks = (sending, asyncio.create_task(_gone(receive)), asyncio.create_task(self._ending()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if not sending.cancelled() and (error := sending.exception()) is not None:
            raise error
        # Whoever has logged out gets a whole answer; to a browser that has gone nothing is sent.
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send) -> None:
        async with aclosing(self._frames) as frames:
            async for frame in frames:
                try:
                    async with asyncio.timeout(SEND_SECONDS):
                        await send({"type": "http.response.body", "body": frame, "more_body": True})
                except TimeoutError:
                    return  # the server closes the connection


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
