"""One sink, its bounded queue and its thread.

A sink that is slow loses its oldest messages, one that fails loses the message it failed on; both are counted
and logged, and nobody waits.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from detector.errors import ConfigError, SinkClosed, SinkError
from detector.interfaces import Message, RefreshedSink, Sink

log = logging.getLogger(__name__)

REMIND_SECONDS = 60.0
"""A sink that is slow or fails is logged at most this often."""

RETRY_SECONDS = 10.0
"""How often a sink that could not be opened is tried again."""


@dataclass(frozen=True, slots=True)
class SinkStats:
    """What became of one sink's messages."""

    name: str
    written: int
    """Messages delivered."""
    dropped: int
    """Messages the queue had no room for."""
    failed: int
    """Messages the sink could not deliver."""
    pending: int
    """Messages waiting."""
    working: bool
    """Whether the last attempt succeeded."""


class SinkQueue:
    """One sink, its queue and its thread."""

    def __init__(
        self,
        sink: Sink,
        queue_length: int,
        clock: Callable[[], float],
        on_closed: Callable[[str], None] | None,
    ) -> None:
        self.sink = sink
        # A daemon thread: one that hangs in a write must not keep the program from ending.
        self.thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._limit = queue_length
        self._clock = clock
        self._on_closed = on_closed
        self._queue: deque[Message] = deque()
        self._wake = threading.Condition()
        self._reopening = self._finishing = self._gone = self._opened = False
        self._written = self._dropped = self._failed = self._unreported = 0
        self._working = True
        self._logged = False
        self._quiet_until = float("-inf")

    def open(self, *, tries_again: bool = False) -> None:
        """Open the sink. Raises SinkError; if the thread `tries_again`, only for a fault in the settings."""
        try:
            self.sink.open()
        except SinkError as error:
            if not tries_again or error.exit_code == ConfigError.exit_code:
                raise
            self._fail(None, f'error="{error}"')
        else:
            self._opened = True

    def put(self, message: Message) -> None:
        """Queue a message; where there is no room the oldest is dropped. Never waits."""
        if not self.sink.takes(message):
            return
        with self._wake:
            if self._gone or self._finishing:
                return
            full = len(self._queue) >= self._limit
            if full:
                self._queue.popleft()
                self._dropped += 1
                self._unreported += 1
            self._queue.append(message)
            self._wake.notify()
        if full:
            self._complain("dispatch.sink_slow", f"queue_length={self._limit}")

    def reopen(self) -> None:
        """Have the sink close its files and open them again."""
        with self._wake:
            self._reopening = True
            self._wake.notify()

    def finish(self) -> None:
        """Take no more messages; the thread ends when the queue is empty."""
        with self._wake:
            self._finishing = True
            self._wake.notify()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, if it was started."""
        if self.thread.ident is None:
            return
        self.thread.join(seconds)
        if self.thread.is_alive():
            log.warning("dispatch.sink_left_behind sink=%s pending=%d", self.sink.name, len(self._queue))

    def stats(self) -> SinkStats:
        """What became of the messages so far."""
        with self._wake:
            return SinkStats(
                self.sink.name, self._written, self._dropped, self._failed, len(self._queue), self._working
            )

    def _run(self) -> None:
        refreshed = self.sink if isinstance(self.sink, RefreshedSink) else None
        while not self._gone and (self._opened or self._open_in_time()):
            with self._wake:
                pause = None if refreshed is None else refreshed.refresh_seconds
                due = not self._wake.wait_for(
                    lambda: self._queue or self._reopening or self._finishing, timeout=pause
                )
                reopening, self._reopening = self._reopening, False
                message = self._queue.popleft() if self._queue and not reopening else None
                if not (reopening or due) and message is None:
                    break
            if due and refreshed is not None:
                self._attempt(refreshed.refresh, None)
                continue
            action = self.sink.reopen if message is None else partial(self.sink.write, message)
            self._attempt(action, message)
        if self._opened:
            self._attempt(self.sink.close, None)
        if self._unreported:
            log.warning("dispatch.sink_lost sink=%s lost=%d", self.sink.name, self._unreported)

    def _open_in_time(self) -> bool:
        """Try to open the sink until it is open; False where it has to end before. Its queue fills up."""
        while not self._opened:
            with self._wake:
                if self._wake.wait_for(lambda: self._finishing, timeout=RETRY_SECONDS):
                    self._unreported += len(self._queue)
                    return False
            self.open(tries_again=True)
        return True

    def _attempt(self, action: Callable[[], None], message: Message | None) -> None:
        try:
            action()
        except SinkClosed:
            self._end()
        except SinkError as error:
            self._fail(message, f'error="{error}"')
        except Exception as error:  # a bug in one sink must not silence the others
            log.debug("dispatch.sink_bug sink=%s", self.sink.name, exc_info=True)
            self._fail(message, f'bug="{type(error).__name__}: {error}"')
        else:
            self._succeed(message)

    def _succeed(self, message: Message | None) -> None:
        if message is None:
            return
        with self._wake:
            self._written += 1
            self._working = True
            recovered = self._logged and not self._queue
            if recovered:
                lost, self._unreported, self._logged = self._unreported, 0, False
        if recovered:
            log.warning("dispatch.sink_recovered sink=%s lost=%d", self.sink.name, lost)

    def _fail(self, message: Message | None, reason: str) -> None:
        with self._wake:
            self._working = False
            if message is not None:
                self._failed += 1
                self._unreported += 1
        self._complain("dispatch.sink_failed", reason)

    def _complain(self, event: str, reason: str) -> None:
        now = self._clock()
        with self._wake:
            if now < self._quiet_until:
                return
            self._quiet_until = now + REMIND_SECONDS
            self._logged = True
            lost = self._unreported
        log.warning("%s sink=%s lost=%d %s", event, self.sink.name, lost, reason)

    def _end(self) -> None:
        with self._wake:
            self._gone = True
            self._queue.clear()
        if self._on_closed is not None:
            self._on_closed(self.sink.name)
