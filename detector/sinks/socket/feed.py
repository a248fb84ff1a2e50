"""What all connections of one event socket read from: newest messages, archive, the server's own lines.

It lies below connections and replays: it knows none of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from detector.errors import DetectorError, SinkError
from detector.events.labels import AskedLabels
from detector.interfaces import Archive, Body, Message
from detector.sinks.live_taps import LiveTaps
from detector.sinks.socket.backlog import Backlog
from detector.sinks.socket.control_desk import NO_CONTROL, ControlDesk
from detector.sinks.socket.limits import ServerLimits, SubscriberCounts
from detector.sinks.socket.verdict_desk import NO_DESK, VerdictDesk
from detector.sinks.socket.watching import Watching
from detector.wire.encoding import encode
from detector.wire.live_bodies import ControlBody
from detector.wire.message import (
    DroppedBody,
    ErrorBody,
    HeartbeatBody,
    HelloBody,
    NoticeBody,
    ReportBody,
    ReportedAsBody,
    utc_text,
)
from detector.wire.request import ControlLine, VerdictLine

CONTROL_SECONDS = 60.0
"""How long the daemon may take to read its settings; it does not stop then."""


class Feed:
    """Used on the server's loop alone."""

    def __init__(
        self,
        limits: ServerLimits,
        *,
        hello: Callable[[], HelloBody],
        report: Callable[[], ReportBody] | None,
        utc: Callable[[], float],
        counts: SubscriberCounts,
        archive: Archive | None = None,
        asked_labels: Callable[[Collection[str]], AskedLabels] = lambda names: AskedLabels(),
        verdict_desk: VerdictDesk = NO_DESK,
        live: LiveTaps | None = None,
        sound: bool = False,
        control_desk: ControlDesk = NO_CONTROL,
    ) -> None:
        """`utc` gives the time [UTC seconds since 1970]; `counts` is kept up to date.

        `asked_labels` tells what a subscriber gets for the names that it asks for, `verdict_desk` takes
        verdicts; `live` has the sources that can be watched, `sound` tells whether they can
        be heard, too; `control_desk` takes what is wanted of the
        daemon.
        """
        self._control_desk = control_desk
        self.watching = Watching(LiveTaps() if live is None else live, counts, sound=sound)
        self._verdict_desk = verdict_desk
        self.asked_labels = asked_labels
        self.limits = limits
        self.counts = counts
        self.backlog = Backlog(limits.backlog_length, before=0 if archive is None else archive.newest_seq)
        self._archive = archive
        self._hello = hello
        self._report = report
        self._utc = utc
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="replay")

    def needs_archive(self, since: int) -> bool:
        """Whether some events after the number `since` may be in the archive alone."""
        return self._archive is not None and since < self.backlog.gone_seq

    async def read_archive(self, seq: int, limit: int) -> list[Message]:
        """The next events after `seq`, read on a thread that all replays share; raises HistoryError."""
        if self._archive is None:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self._archive.after, seq, limit)

    def hello_line(self) -> bytes:
        """The first line of every connection."""
        hello = self._hello()
        return _line(
            replace(
                hello,
                state=self.backlog.state or hello.state,
                time=self._now(),
                heartbeat_seconds=self.limits.heartbeat_seconds,
                history=self._archive is not None,
                oldest_seq=self._oldest_seq(),
                seq=self.backlog.seq,
            )
        )

    def heartbeat_line(self) -> bytes:
        """Say that the daemon is alive."""
        state = self.backlog.state or self._hello().state
        return _line(HeartbeatBody(state=state, time=self._now(), seq=self.backlog.seq))

    def report_line(self) -> bytes:
        """What `status` shows."""
        if self._report is None:
            return self.error_line("request: this program gives no report")
        return _line(self._report())

    async def verdict_line(self, request: VerdictLine) -> bytes:
        """Take a verdict, on the thread that replays use; the answer, or why it was not taken."""
        loop = asyncio.get_running_loop()
        try:
            return _line(await loop.run_in_executor(self._reader, self._verdict_desk.take, request))
        except DetectorError as error:
            return self.error_line(f"verdict: {error}")

    async def control_line(self, request: ControlLine) -> bytes:
        """Have the daemon do something; the answer, or why it is not done."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[ControlBody] = loop.create_future()

        def answer(body: ControlBody) -> None:
            with contextlib.suppress(RuntimeError):  # the socket has been closed meanwhile
                loop.call_soon_threadsafe(lambda: None if done.done() else done.set_result(body))

        try:
            self._control_desk.hand_in(request, answer)
            async with asyncio.timeout(CONTROL_SECONDS):
                return _line(await done)
        except TimeoutError:
            return self.error_line(f"control: it is not done within {CONTROL_SECONDS:.0f} s")
        except SinkError as error:
            return self.error_line(f"control: {error}")

    def dropped_line(self, count: int, detail: str = "") -> bytes:
        """Tell a subscriber how many messages it has lost; without `detail` it has read too slowly."""
        return _line(DroppedBody(count=count, detail=detail, time=self._now()))

    def most_kept(self, seq: int, until: int) -> int:
        """How many events the archive may hold, at most, after the number `seq` and up to `until`."""
        oldest = None if self._archive is None else self._archive.oldest_seq
        return max(0, until - max(seq, (oldest or 0) - 1))

    def error_line(self, reason: str) -> bytes:
        """Tell a subscriber why its connection is closed."""
        return _line(ErrorBody(message=reason, time=self._now()))

    def notice_line(self, asked: AskedLabels) -> bytes:
        """Tell a subscriber which of its labels do not exist, or are reported as another one."""
        reported_as = tuple(ReportedAsBody(name, label) for name, label in asked.reported_as.items())
        return _line(
            NoticeBody(
                message=asked.message,
                unknown_labels=asked.unknown,
                reported_as=reported_as,
                time=self._now(),
            )
        )

    def close(self) -> None:
        """Read no more from the archive, and watch nothing any more."""
        self.watching.close()
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _now(self) -> str | None:
        return utc_text(self._utc())

    def _oldest_seq(self) -> int | None:
        kept = None if self._archive is None else self._archive.oldest_seq
        return self.backlog.oldest_seq if kept is None else kept


def _line(body: Body) -> bytes:
    return encode(body).line
