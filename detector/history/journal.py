"""The promise: what any subscriber is sent is in the history first, exactly once.

`put` queues a message and returns. One thread takes whatever is queued, has its events committed in one
transaction, and only then lets the batch go to the sinks. Where the disk refuses, or takes longer than
`patience_seconds`, events go out all the same and wait in memory, to be written when it is well again:
a smoke alarm is worth more than its record.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.history.numbers import Numbers
from detector.history.waiting import Waiting
from detector.history.writer import Turn, Writable, Writer
from detector.interfaces import Message

log = logging.getLogger(__name__)

OPEN_SECONDS = 5.0
"""How long the file may take to open before the daemon goes on without it."""

REMIND_SECONDS = 60.0
"""A history in trouble is mentioned in the log at most this often."""


@dataclass(frozen=True, slots=True)
class JournalStats:
    """What became of the events."""

    written: int
    """Events committed."""
    backlog: int
    """Events sent but not written yet."""
    lost: int
    """Events sent that will never be written: the backlog had no room for them."""
    dropped: int
    """Messages neither sent nor written: the queue had no room for them."""
    pending: int
    """Messages waiting to be written and sent."""
    working: bool
    """Whether the last attempt to write succeeded."""


class Journal:
    """Stands between the publisher and the sinks; numbers events, records them, lets them go."""

    def __init__(
        self,
        store: Writable,
        numbers: Numbers,
        *,
        queue_length: int = 10_000,
        backlog_length: int = 10_000,
        patience_seconds: float = 2.0,
        retry_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`queue_length` is of messages not sent yet, `backlog_length` of events sent but not written."""
        self._numbers = numbers
        self._writer = Writer(store, self._wake_up)
        self._backlog_length = backlog_length
        self._patience, self._retry = patience_seconds, retry_seconds
        self._clock = clock
        self.recorded_seq = 0
        """All events up to this one were written, or could not be; those after it are still to be sent."""
        self._deliver: Callable[[Message], None] = lambda message: None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._wake = threading.Condition()
        self._queue = Waiting(queue_length)
        self._finishing = self._woken = False
        self._end = float("inf")
        self._backlog: deque[Message] = deque()
        self._turn: Turn | None = None
        self._written = self._lost = 0
        self._lost_before = 0
        self._working = True
        self._retry_at = self._quiet_until = float("-inf")

    @property
    def seq(self) -> int:
        """The newest number given, or where numbering stands before the first."""
        return self._numbers.last

    def start(self, deliver: Callable[[Message], None]) -> None:
        """Open the file and settle the numbering.

        `deliver` gets every message from now on, on the journal's thread.
        """
        self._deliver = deliver
        self._writer.start()
        self._await(self._writer.submit(()), OPEN_SECONDS)
        self._numbers.begin()
        self.recorded_seq = self._numbers.last
        self._thread.start()

    def next_seq(self) -> int:
        """A number for an event that is put next."""
        return self._numbers.take()

    def put(self, message: Message) -> None:
        """Queue a message; never waits, never raises."""
        with self._wake:
            if self._finishing:
                return
            self._queue.add(message)
            self._wake.notify()

    def close(self, deadline_seconds: float) -> None:
        """Write and deliver what is queued, then release the file; what takes too long is left behind."""
        with self._wake:
            self._finishing = True
            self._end = time.monotonic() + deadline_seconds
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join(deadline_seconds)
        closed = self._writer.close(self._seconds_left())
        if not closed or self._backlog:
            log.warning("history.left_behind unwritten=%d", len(self._backlog) + len(self._queue))

    def stats(self) -> JournalStats:
        """What became of the events so far."""
        with self._wake:
            return JournalStats(
                written=self._written,
                backlog=len(self._backlog),
                lost=self._lost,
                dropped=self._queue.dropped,
                pending=len(self._queue),
                working=self._working,
            )

    def _run(self) -> None:
        finishing = False
        while not finishing:
            with self._wake:
                self._wake.wait_for(self._is_due, self._seconds_to_retry())
                self._woken = False
                batch = self._queue.take()
                finishing = self._finishing
            events = [message for message in batch if message.seq is not None]
            self._record(events)
            if events:
                self.recorded_seq = _newest(events)
            for message in batch:
                self._deliver(message)
        self._catch_up()

    def _is_due(self) -> bool:
        return bool(self._queue) or self._finishing or self._woken

    def _seconds_to_retry(self) -> float | None:
        if not self._backlog or self._turn is not None:
            return None
        return max(0.0, self._retry_at - self._clock())

    def _record(self, events: list[Message]) -> None:
        """Try to get everything unwritten to the disk; returns in time, whatever the disk does."""
        with self._wake:
            self._backlog.extend(events)
        self._try_to_write()
        with self._wake:
            while len(self._backlog) > self._backlog_length:
                self._backlog.popleft()
                self._lost += 1

    def _try_to_write(self) -> None:
        if self._turn is not None:
            if not self._turn.done.is_set():
                return
            turn, self._turn = self._turn, None
            self._settle(turn)
        if self._backlog and self._clock() >= self._retry_at:
            self._await(self._writer.submit(tuple(self._backlog)), self._patience)

    def _catch_up(self) -> None:
        """All is sent: what is not written yet has its last chance."""
        if self._turn is not None:
            turn, self._turn = self._turn, None
            self._await(turn, self._seconds_left())
        if self._backlog and self._turn is None:
            self._await(self._writer.submit(tuple(self._backlog)), self._seconds_left())

    def _seconds_left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def _await(self, turn: Turn, seconds: float) -> None:
        if turn.done.wait(seconds):
            self._settle(turn)
        else:
            self._hang(turn)

    def _settle(self, turn: Turn) -> None:
        if turn.error is not None:
            self._retry_at = self._clock() + self._retry
            self._fail(f'error="{turn.error}"')
            return
        self._retry_at = float("-inf")
        with self._wake:
            recovered, self._working = not self._working, True
            self._written += len(turn.messages)
            newest = _newest(turn.messages)
            overtaken = len(turn.messages)
            while self._backlog and _newest((self._backlog[0],)) <= newest:
                self._backlog.popleft()
                overtaken -= 1
            self._lost -= overtaken  # given up while the disk hung, and written after all
            lost, self._lost_before = self._lost - self._lost_before, self._lost
        if recovered:
            self._quiet_until = float("-inf")
            log.warning("history.recovered written=%d lost=%d", len(turn.messages), lost)

    def _hang(self, turn: Turn) -> None:
        with self._wake:
            self._turn = turn
            self._woken = turn.done.is_set()  # it may have ended at this very moment
        self._fail('error="no answer from the disk in time"')

    def _fail(self, reason: str) -> None:
        now = self._clock()
        with self._wake:
            self._working = False
        if now >= self._quiet_until:
            self._quiet_until = now + REMIND_SECONDS
            log.warning("history.failed unwritten=%d lost=%d %s", len(self._backlog), self._lost, reason)

    def _wake_up(self) -> None:
        """On the writer's thread: a turn has ended that nobody may be waiting for any more."""
        with self._wake:
            if self._turn is not None:
                self._woken = True
                self._wake.notify()


def _newest(events: Sequence[Message]) -> int:
    """The number of the last event; 0 where there is none."""
    return (events[-1].seq or 0) if events else 0
