"""One subscriber of the event socket: hello, perhaps its request, then the messages it asked for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Coroutine
from typing import cast

from detector.errors import SinkError
from detector.sinks.live_taps import LiveKind
from detector.sinks.socket.archive_replay import ArchiveReplay
from detector.sinks.socket.backlog import Subscription
from detector.sinks.socket.closing import close_with_line
from detector.sinks.socket.feed import Feed
from detector.wire.request import MAX_REQUEST_BYTES, Request, WatchLine, parse_request

log = logging.getLogger(__name__)

_PROBE_SECONDS = 1.0
"""A subscriber that has closed its side is sent two heartbeats, this far apart: has it gone altogether?"""


_WATCHER_BUFFER_BYTES: dict[LiveKind, int] = {"spectrogram": 4096, "sound": 32768, "full sound": 65536}
"""What the kernel may hold for a subscriber that watches: less than a second, not the usual minute."""


class Connection(asyncio.Protocol):
    """The protocol of one connection; it lives on the server's loop."""

    def __init__(
        self, feed: Feed, *, join: Callable[[Connection], bool], leave: Callable[[Connection], None]
    ) -> None:
        """`join` takes the connection among the subscribers, or returns False where they are too many.

        `leave` is called once the connection is closed.
        """
        self._feed = feed
        self._join = join
        self._leave = leave
        self._received = bytearray()
        self._asked = self._held = self._paused = self._ending = False
        self._probing: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._replay: ArchiveReplay | None = None
        self._answer: asyncio.Task[bytes] | None = None
        self._stuck = (-1, 0.0)
        self._stop_watching: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, and wait a moment for the request."""
        limits = self._feed.limits
        loop = asyncio.get_running_loop()
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=limits.client_buffer_bytes)
        self.subscription = Subscription(self._feed.backlog)
        self.gone: asyncio.Future[None] = loop.create_future()
        if not self._join(self):
            self._ending = True
            reason = f"too many subscribers: {limits.max_clients} are served at once"
            self.transport.write(self._feed.error_line(reason))
            self.transport.close()
            return
        self.transport.write(self._feed.hello_line())
        self._held = True
        self._timer = loop.call_later(limits.request_seconds, self._release)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the subscriber."""
        self._ending = True
        self._stop_watching()
        self._cancel_waits()
        if self._probing is not None:
            self._probing.cancel()
        self._leave(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Read the request; anything beyond it, or longer, ends the connection."""
        if self._ending:
            return
        self._received += data
        end = self._received.find(b"\n")
        if self._asked:
            self._refuse("request: expected one line for each connection, got more; connect again")
        elif (len(self._received) if end < 0 else end) > MAX_REQUEST_BYTES:
            self._refuse(f"request: expected a line of at most {MAX_REQUEST_BYTES} bytes")
        elif end >= 0:
            self._ask(bytes(self._received[:end]), rest=bytes(self._received[end + 1 :]))

    def eof_received(self) -> bool:
        """The subscriber has closed its side; close ours too, unless it has asked for something."""
        if self._asked and not self._ending and self.transport.can_write_eof():
            self._probe()  # it may as well have gone altogether
            self._probing = asyncio.get_running_loop().call_later(_PROBE_SECONDS, self._probe)
            return True
        if self._received and not self._ending:
            self._refuse("request: expected a line that ends in a newline")
        elif not self._ending:
            self._ending = True
            self.transport.close()
        return self.transport.can_write_eof()  # TLS closes by itself

    def _probe(self) -> None:
        """Send a heartbeat, which fails where nobody is left to read it."""
        self.beat(self._feed.heartbeat_line())

    def pause_writing(self) -> None:
        """The subscriber reads too slowly: it lags in the backlog from now on."""
        self._paused = True
        self._stuck = -1, 0.0
        if self._replay is not None:
            self._replay.pause()

    def resume_writing(self) -> None:
        """The subscriber has read: continue where it stopped."""
        self._paused = False
        if self._replay is not None:
            self._replay.resume()
        self.pump()

    def pump(self) -> None:
        """Send the messages that the subscriber has not got yet, as far as it keeps up."""
        while not (self._held or self._paused or self._ending or self.transport.is_closing()):
            if not self._send_next():
                return

    def beat(self, line: bytes) -> None:
        """Send a heartbeat, unless older lines still wait; if they wait too long, cut the connection."""
        if self.transport.is_closing():
            return  # asyncio would warn of each line that is written after the other side has gone
        if not (self._held or self._paused or self._ending):
            self.transport.write(line)
        elif self._paused:
            waiting, now = self.transport.get_write_buffer_size(), asyncio.get_running_loop().time()
            if waiting != self._stuck[0]:
                self._stuck = waiting, now
            elif now - self._stuck[1] >= self._feed.limits.stall_seconds:
                log.info("socket.stalled seconds=%.0f", now - self._stuck[1])
                self.transport.abort()

    def finish(self) -> None:
        """Send everything that is left, then close."""
        if self._ending:
            self.transport.abort()
            return
        if self._answer is not None:
            self._refuse(
                "the daemon closes this socket before it could answer; connect again to see what is so"
            )
            return
        replaying = self._replay is not None
        self._cancel_waits()
        while (
            not replaying and not self.transport.is_closing() and self._send_next()
        ):  # after half a replay, new events would leave a hole
            pass
        self._ending = True
        self.transport.close()

    def _send_next(self) -> bool:
        if dropped := self.subscription.take_dropped():
            self.transport.write(self._feed.dropped_line(dropped))
        batch = self.subscription.take()
        if batch:
            self.transport.write(batch)
        return bool(batch)

    def _ask(self, line: bytes, rest: bytes) -> None:
        self._asked = True
        self._received.clear()
        try:
            request = parse_request(line)
        except SinkError as error:
            self._refuse(str(error))
            return
        if request.report:
            self._end_with(self._feed.report_line())
            return
        if request.verdict is not None or request.control is not None:
            if rest:
                self.data_received(rest)  # which is refused, before anything is done
            elif request.verdict is not None:
                self._end_with_answer(self._feed.verdict_line(request.verdict))
            elif request.control is not None:
                self._end_with_answer(self._feed.control_line(request.control))
            return
        watched: tuple[tuple[LiveKind, WatchLine | None], ...]
        is_full = request.sound is not None and request.sound.full
        watched = ("spectrogram", request.spectrogram), ("full sound" if is_full else "sound", request.sound)
        for kind, watch in watched:
            if watch is not None:
                self._watch(kind, request, watch.source)
                if rest:
                    self.data_received(rest)
                return
        asked = self._feed.asked_labels(request.labels)
        if asked.message:
            self.transport.write(self._feed.notice_line(asked))
        request = request.with_labels(asked.reported_as.values())
        self.subscription.apply(request)
        since = request.since
        if since is not None and self._feed.needs_archive(since):
            self._cancel_waits()
            self._held = True
            self._replay = ArchiveReplay(self._feed, self.transport, self.subscription, since)
            self._replay.start(self._replayed)
        else:
            self._release()
        if rest:
            self.data_received(rest)

    def _watch(self, kind: LiveKind, request: Request, source: str) -> None:
        """Send what comes of a source instead of events; it is neither queued nor sent again."""
        try:
            self._stop_watching = self._feed.watching.add(kind, source, self._show)
        except SinkError as error:
            self._refuse(f"{kind.removeprefix('full ')}: {error}")
            return
        if (connection := self.transport.get_extra_info("socket")) is not None:
            with contextlib.suppress(OSError):  # then a slow reader sees what is a little older
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WATCHER_BUFFER_BYTES[kind])
        self.subscription.apply(request)
        self._release()

    def _show(self, line: bytes) -> None:
        """Send a line of what is watched, unless an older one still waits: then it is lost."""
        if self._paused or self._ending or self.transport.is_closing():
            return
        if not self.transport.get_write_buffer_size():
            self.transport.write(line)

    def _end_with_answer(self, answer: Coroutine[None, None, bytes]) -> None:
        """Send nothing until the answer is there, then that, and close."""
        self._cancel_waits()
        self._held = True
        self._answer = asyncio.get_running_loop().create_task(answer)
        self._answer.add_done_callback(self._answered)

    def _answered(self, answer: asyncio.Task[bytes]) -> None:
        self._answer = None
        if not (answer.cancelled() or self._ending):
            self._end_with(answer.result())

    def _replayed(self) -> None:
        self._replay = None
        self._release()

    def _release(self) -> None:
        self._cancel_waits()
        self._held = False
        self.pump()

    def _refuse(self, reason: str) -> None:
        self._end_with(self._feed.error_line(reason))

    def _end_with(self, line: bytes) -> None:
        self._ending = True
        self._received.clear()
        self._cancel_waits()
        close_with_line(self.transport, line)

    def _cancel_waits(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._replay is not None:
            self._replay.cancel()
            self._replay = None
