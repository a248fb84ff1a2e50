"""The subscribers of one socket that watch a source: each gets the newest, and loses what it does not read.

Messages come on the daemon's thread and are sent on the server's loop. Nothing is queued for a subscriber,
and only a moment's messages for the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable

from detector.errors import SinkError
from detector.interfaces import Message
from detector.sinks.live_taps import SOUND, LiveKind, LiveTap, LiveTaps
from detector.sinks.socket.limits import SubscriberCounts

log = logging.getLogger(__name__)

MOST_WAITING = 8
"""Messages that wait for a busy loop; beyond, the oldest are lost."""

Show = Callable[[bytes], None]
"""Sends a line to one subscriber, or drops it."""


class Watching:
    """Used on the server's loop alone; one watcher of a source stands for all subscribers of this socket."""

    def __init__(self, taps: LiveTaps, counts: SubscriberCounts, *, sound: bool) -> None:
        """`sound` is whether subscribers of this socket may have the sound itself."""
        self._taps = taps
        self._counts = counts
        self._sound = sound
        self._audiences: dict[tuple[LiveKind, LiveTap], Audience] = {}

    def add(self, kind: LiveKind, source: str, show: Show) -> Callable[[], None]:
        """Let a subscriber watch a source, until what is returned is called; raises SinkError."""
        if kind in SOUND and not self._sound:
            raise SinkError("this socket sends none; `sound: true` would send it to whoever connects")
        tap = self._taps.find(source)
        audience = self._audiences.get((kind, tap))
        if audience is None:
            audience = self._audiences[kind, tap] = Audience(asyncio.get_running_loop())
            audience.leave = tap.watch(kind, audience.take)
        audience.shows.append(show)
        self._count(kind, tap, "begins")
        return lambda: self._remove(kind, tap, show)

    def close(self) -> None:
        """Nobody of this socket watches any more."""
        for audience in self._audiences.values():
            audience.leave()
        self._audiences.clear()
        self._counts.listening = 0

    def _remove(self, kind: LiveKind, tap: LiveTap, show: Show) -> None:
        audience = self._audiences.get((kind, tap))
        if audience is None or show not in audience.shows:
            return
        audience.shows.remove(show)
        if not audience.shows:
            audience.leave()
            del self._audiences[kind, tap]
        self._count(kind, tap, "ends")

    def _count(self, kind: LiveKind, tap: LiveTap, change: str) -> None:
        """Whoever looks at the log or the report sees that somebody listens."""
        if kind in SOUND:
            heard = [len(each.shows) for (kind, _), each in self._audiences.items() if kind in SOUND]
            self._counts.listening = sum(heard)
            log.info(f"socket.sound_{change} source=%r listeners=%d", tap.name, self._counts.listening)


class Audience:
    """All subscribers of one socket that watch the same."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.shows: list[Show] = []
        self.leave: Callable[[], None] = lambda: None
        """Ends the watching."""
        self._loop = loop
        self._inbox: deque[bytes] = deque(maxlen=MOST_WAITING)

    def take(self, message: Message) -> None:
        """Take a message, on the daemon's thread."""
        self._inbox.append(message.line)
        if len(self._inbox) == 1:  # else the loop has been called and will find this one too
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._send)

    def _send(self) -> None:
        while self._inbox:
            line = self._inbox.popleft()
            for show in tuple(self.shows):
                show(line)
