"""Fan-out: every message to every sink, each through its own lane; events are in the history first.

`publish` neither waits nor raises; what a sink or the disk cannot take is counted, and nobody else notices.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from detector.delivery.sink_queue import Lane, SinkStats
from detector.history.journal import Journal, JournalStats
from detector.interfaces import Message, Sink
from detector.wire.message import EVENT_TYPES, encode

LEAVING_SECONDS = 0.5
"""How long a sink that is replaced may take to deliver its rest while the worker waits."""


class Dispatcher:
    """Numbers events, encodes each message once and hands it to all sinks."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        journal: Journal | None = None,
        queue_length: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
        on_closed: Callable[[str], None] | None = None,
    ) -> None:
        """Without a `journal` events are numbered from 1 and go to the sinks at once.

        `queue_length` is of each sink; a journal lets go of all that waited for the disk at once.

        `on_closed` gets a sink's name, on that sink's thread, when its reader has gone for good.
        """
        self._make_lane = partial(Lane, queue_length=queue_length, clock=clock, on_closed=on_closed)
        self._lanes = [self._make_lane(sink) for sink in sinks]
        self._journal = journal
        self._order = threading.Lock()
        self._seq = 0

    @property
    def seq(self) -> int:
        """Number of the newest event, or where numbering stands before the first."""
        return self._seq

    def start(self) -> None:
        """Open all sinks, then start their threads; raises the first SinkError with all closed again."""
        if self._journal is not None:
            self._seq = self._journal.start(self._deliver)  # first: a hello tells where numbering stands
        try:
            _open_all(self._lanes)
        except BaseException:
            if self._journal is not None:
                self._journal.close(LEAVING_SECONDS)
            raise
        for lane in self._lanes:
            lane.thread.start()

    def publish(self, fields: Mapping[str, object]) -> Message:
        """Queue a message for every sink; an event gets the next `seq`, the same for all of them."""
        with self._order:  # numbering and queueing are one step, or a sink could see 2 before 1
            if fields["type"] in EVENT_TYPES:
                self._seq = self._seq + 1 if self._journal is None else self._journal.next_seq()
                fields = {**fields, "seq": self._seq}
            message = encode(fields)
            if self._journal is None:
                self._deliver(message)
            else:
                self._journal.put(message)
        return message

    def exchange(self, *, add: Sequence[Sink], remove: Sequence[Sink]) -> None:
        """Replace sinks between two messages; raises SinkError, with everything as before."""
        new = [self._make_lane(sink) for sink in add]
        _open_all(new)
        with self._order:
            leaving = [lane for lane in self._lanes if lane.sink in remove]
            self._lanes = [lane for lane in self._lanes if lane.sink not in remove] + new
        for lane in new:
            lane.thread.start()
        for lane in leaving:
            lane.finish()
        for lane in leaving:
            lane.join(LEAVING_SECONDS)

    def reopen(self) -> None:
        """Ask every sink to let go of its files and take them anew; done on the sinks' own threads."""
        for lane in self._lanes:
            lane.reopen()

    def close(self, deadline_seconds: float = 2.0) -> None:
        """Deliver what is queued, then close the sinks; what does not end in time is left behind."""
        end = time.monotonic() + deadline_seconds
        if self._journal is not None:
            self._journal.close(deadline_seconds / 2)
        for lane in self._lanes:
            lane.finish()
        for lane in self._lanes:
            lane.join(max(0.0, end - time.monotonic()))

    def stats(self) -> tuple[SinkStats, ...]:
        """What became of each sink's messages so far."""
        return tuple(lane.stats() for lane in self._lanes)

    def journal_stats(self) -> JournalStats | None:
        """What became of the events on their way to the history; None where none is kept."""
        return None if self._journal is None else self._journal.stats()

    def _deliver(self, message: Message) -> None:
        for lane in self._lanes:
            lane.put(message)


def _open_all(lanes: Sequence[Lane]) -> None:
    """Open their sinks; raises the first SinkError with all closed again."""
    opened: list[Lane] = []
    try:
        for lane in lanes:
            lane.sink.open()
            opened.append(lane)
    except BaseException:
        for lane in opened:
            lane.sink.close()
        raise
