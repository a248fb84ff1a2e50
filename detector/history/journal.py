"""Write-ahead: every event is in the history, exactly once, before it is sent to any subscriber.

`put` queues a message and returns. One thread takes all that is queued, has the events committed in one
transaction, and only then delivers the batch to the sinks. Where the disk refuses, or takes longer than
`patience_seconds`, events are delivered all the same and kept in a backlog in memory, to be written once the
disk works again: a smoke alarm is worth more than its record.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.audio.level_minute import LevelMinute
from detector.history.picture_table import EventPicture
from detector.history.sequence_numbers import Numbering, SequenceNumbers
from detector.history.writer import Writable, WriteJob, Writer
from detector.interfaces import Message

log = logging.getLogger(__name__)

OPEN_SECONDS = 5.0
"""How long the file may take to open before the daemon starts without it."""

REMIND_SECONDS = 60.0
"""A history that cannot be written is logged at most this often."""


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
    """Stands between the publisher and the sinks: numbers events, has them written, delivers them."""

    def __init__(
        self,
        store: Writable,
        numbers: SequenceNumbers,
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
        """Every event up to this number was written, or could not be; later ones were not delivered yet."""
        self._deliver: Callable[[Message], None] = lambda message: None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._wake = threading.Condition()
        self._queue = MessageQueue(queue_length)
        self._finishing = self._woken = False
        self._end = float("inf")
        self._backlog: deque[Message] = deque()
        self._job: WriteJob | None = None
        self._written = self._lost = 0
        self._lost_before = 0
        self._working = True
        self._retry_at = self._quiet_until = float("-inf")

    @property
    def seq(self) -> int:
        """The newest number given, or where numbering stands before the first."""
        return self._numbers.last

    @property
    def numbering(self) -> Numbering:
        """What the numbers may be compared in."""
        return Numbering(self._numbers.generation, self._numbers.generation_seq)

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

    def keep_levels(self, minutes: Sequence[LevelMinute]) -> None:
        """Have sound levels written behind the events that wait; never waits, never raises."""
        self._writer.keep_levels(minutes)

    def keep_picture(self, picture: EventPicture) -> None:
        """Have the picture of an event written; never waits, never raises."""
        self._writer.keep_picture(picture)

    def close(self, deadline_seconds: float) -> None:
        """Write and deliver what is queued, then close the file; what takes too long is left behind."""
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
        if not self._backlog or self._job is not None:
            return None
        return max(0.0, self._retry_at - self._clock())

    def _record(self, events: list[Message]) -> None:
        """Try to write the backlog and these events; returns in time, whatever the disk does."""
        with self._wake:
            self._backlog.extend(events)
        self._try_to_write()
        with self._wake:
            while len(self._backlog) > self._backlog_length:
                self._backlog.popleft()
                self._lost += 1

    def _try_to_write(self) -> None:
        if self._job is not None:
            if not self._job.done.is_set():
                return
            job, self._job = self._job, None
            self._settle(job)
        if self._backlog and self._clock() >= self._retry_at:
            self._await(self._writer.submit(tuple(self._backlog)), self._patience)

    def _catch_up(self) -> None:
        """Everything is delivered: try a last time to write the backlog."""
        if self._job is not None:
            job, self._job = self._job, None
            self._await(job, self._seconds_left())
        if self._backlog and self._job is None:
            self._await(self._writer.submit(tuple(self._backlog)), self._seconds_left())

    def _seconds_left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def _await(self, job: WriteJob, seconds: float) -> None:
        if job.done.wait(seconds):
            self._settle(job)
        else:
            self._hang(job)

    def _settle(self, job: WriteJob) -> None:
        if job.error is not None:
            self._retry_at = self._clock() + self._retry
            self._fail(f'error="{job.error}"')
            return
        with self._wake:
            recovered, self._working = not self._working, True
            self._written += len(job.messages)
            newest = _newest(job.messages)
            overtaken = len(job.messages)
            while self._backlog and _newest((self._backlog[0],)) <= newest:
                self._backlog.popleft()
                overtaken -= 1
            self._lost -= overtaken  # dropped from the backlog while the disk hung, and written after all
            lost, self._lost_before = self._lost - self._lost_before, self._lost
        if recovered:
            self._quiet_until = float("-inf")
            log.warning("history.recovered written=%d lost=%d", len(job.messages), lost)

    def _hang(self, job: WriteJob) -> None:
        with self._wake:
            self._job = job
            self._woken = job.done.is_set()  # it may have ended at this very moment
        self._fail('error="no answer from the disk in time"')

    def _fail(self, reason: str) -> None:
        now = self._clock()
        with self._wake:
            self._working = False
        if now >= self._quiet_until:
            self._quiet_until = now + REMIND_SECONDS
            log.warning("history.failed unwritten=%d lost=%d %s", len(self._backlog), self._lost, reason)

    def _wake_up(self) -> None:
        """Called on the writer's thread: a job has ended for which nobody may be waiting any more."""
        with self._wake:
            if self._job is not None:
                self._woken = True
                self._wake.notify()


class MessageQueue:
    """Messages to be written and sent; where there is no room, events are dropped last. Used under a lock."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._others = 0  # messages that are not events
        self.dropped = 0
        """Messages there was no room for."""

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        """Queue a message; where there is no room, drop the oldest that is no event, else the oldest."""
        if len(self._messages) >= self._limit:
            self._make_room()
        self._messages.append(message)
        self._others += message.seq is None

    def take(self) -> list[Message]:
        """Take all messages, in order."""
        messages = list(self._messages)
        self._messages.clear()
        self._others = 0
        return messages

    def _make_room(self) -> None:
        self.dropped += 1
        if not self._others:
            self._messages.popleft()
            return
        index = next(i for i, message in enumerate(self._messages) if message.seq is None)
        del self._messages[index]
        self._others -= 1


def _newest(events: Sequence[Message]) -> int:
    """The number of the last event; 0 where there is none."""
    return (events[-1].seq or 0) if events else 0
