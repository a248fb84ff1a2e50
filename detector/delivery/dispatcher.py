"""Fan-out: every message to every sink, each through its own queue; events are written to the history first.

`publish` neither waits nor raises. What a sink or the disk cannot take is counted; no other sink notices.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from detector.delivery.sink_queue import SinkQueue, SinkStats
from detector.history.journal import Journal, JournalStats
from detector.history.sequence_numbers import Numbering, new_generation
from detector.interfaces import Body, Message, Sink
from detector.wire.encoding import encode
from detector.wire.message import EventBody

if TYPE_CHECKING:
    from detector.history.verdict_keeper import VerdictKeeper

LEAVING_SECONDS = 0.5
"""How long a replaced sink may take to deliver what it has queued, while the worker waits."""


class Dispatcher:
    """Numbers events, encodes each message once and hands it to all sinks."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        journal: Journal | None = None,
        verdicts: VerdictKeeper | None = None,
        queue_length: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
        on_closed: Callable[[str], None] | None = None,
        opens_later: bool = False,
    ) -> None:
        """Without a `journal` events are numbered from 1 and go to the sinks at once.

        `verdicts` keeps what a later verdict needs, and the events that were vetoed.

        `queue_length` is each sink's, in messages: a journal delivers at once all that waited for the disk.
        `on_closed` gets a sink's name, on that sink's thread, when its reader has gone for good. With
        `opens_later` a sink that cannot be opened at the start is tried again by its thread.
        """
        self._opens_later = opens_later
        self._make_queue = partial(SinkQueue, queue_length=queue_length, clock=clock, on_closed=on_closed)
        self._queues = [self._make_queue(sink) for sink in sinks]
        self._journal: Journal | NoJournal = NoJournal() if journal is None else journal
        self._verdicts = verdicts
        self._order = threading.Lock()

    @property
    def seq(self) -> int:
        """Number of the newest event, or where numbering stands before the first."""
        return self._journal.seq

    @property
    def numbering(self) -> Numbering:
        """What the numbers may be compared in."""
        return self._journal.numbering

    def start(self) -> None:
        """Open all sinks, then start their threads; raises the first SinkError with all closed again."""
        self._journal.start(self._deliver)  # first: every hello says where numbering stands
        try:
            _open_all(self._queues, tries_again=self._opens_later)
        except BaseException:
            self._journal.close(LEAVING_SECONDS)
            raise
        if self._verdicts is not None:
            self._verdicts.start()
        for queue in self._queues:
            queue.thread.start()

    def publish(self, body: Body) -> Message:
        """Queue a message for every sink; an event gets the next number, the same for all sinks.

        An event that was vetoed gets none, and goes to no sink.
        """
        embedding, is_vetoed = None, False
        if isinstance(body, EventBody):
            embedding, is_vetoed = body.embedding, body.vetoed is not None
            body = body if embedding is None else replace(body, embedding=None)  # messages wait in queues
        if is_vetoed:
            message = encode(body)
        else:
            with self._order:  # numbering and queueing are one step, or a sink could see 2 before 1
                seq = self._journal.next_seq() if isinstance(body, EventBody) else None
                message = encode(body, seq)
                self._journal.put(message)
        if self._verdicts is not None and isinstance(body, EventBody):
            self._verdicts.keep(message, embedding)
        return message

    def exchange(self, *, add: Sequence[Sink], remove: Sequence[Sink]) -> None:
        """Replace sinks between two messages; raises SinkError, with everything as before."""
        new = [self._make_queue(sink) for sink in add]
        _open_all(new)
        with self._order:
            leaving = [queue for queue in self._queues if queue.sink in remove]
            self._queues = [queue for queue in self._queues if queue.sink not in remove] + new
        for queue in new:
            queue.thread.start()
        for queue in leaving:
            queue.finish()
        for queue in leaving:
            queue.join(LEAVING_SECONDS)

    def reopen(self) -> None:
        """Have every sink close its files and open them again, on its own thread."""
        for queue in self._queues:
            queue.reopen()

    def close(self, deadline_seconds: float = 2.0) -> None:
        """Deliver what is queued, then close the sinks; a sink that does not end in time is left behind."""
        end = time.monotonic() + deadline_seconds
        self._journal.close(deadline_seconds / 2)
        if self._verdicts is not None:
            self._verdicts.close(max(0.0, end - time.monotonic()))
        for queue in self._queues:
            queue.finish()
        for queue in self._queues:
            queue.join(max(0.0, end - time.monotonic()))

    def stats(self) -> tuple[SinkStats, ...]:
        """What became of each sink's messages so far."""
        return tuple(queue.stats() for queue in self._queues)

    def journal_stats(self) -> JournalStats | None:
        """What became of the events on their way to the history; None where none is kept."""
        return self._journal.stats()

    def _deliver(self, message: Message) -> None:
        for queue in self._queues:
            queue.put(message)


class NoJournal:
    """Stands where no history is kept: numbers events from 1 and delivers every message at once."""

    def __init__(self) -> None:
        self.seq = 0
        self.numbering = Numbering(new_generation())
        """The newest number given."""
        self._deliver: Callable[[Message], None] = lambda message: None

    def start(self, deliver: Callable[[Message], None]) -> None:
        """`deliver` gets every message from now on, on the thread that puts it."""
        self._deliver = deliver

    def next_seq(self) -> int:
        """A number for an event that is put next."""
        self.seq += 1
        return self.seq

    def put(self, message: Message) -> None:
        """Deliver a message."""
        self._deliver(message)

    def close(self, deadline_seconds: float) -> None:
        """Nothing is held back."""

    def stats(self) -> None:
        """No event is on its way to a history."""


def _open_all(queues: Sequence[SinkQueue], *, tries_again: bool = False) -> None:
    """Open their sinks; raises the first SinkError with all closed again."""
    opened: list[SinkQueue] = []
    try:
        for queue in queues:
            queue.open(tries_again=tries_again)
            opened.append(queue)
    except BaseException:
        for queue in opened:
            queue.sink.close()
        raise
