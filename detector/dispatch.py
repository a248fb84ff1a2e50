"""Fan-out: every message to every sink, each through its own bounded queue and thread.

A sink that is slow loses its oldest messages, one that fails loses the message it failed on;
both are counted, nobody else notices, and `publish` neither waits nor raises.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from detector.errors import SinkClosed, SinkError
from detector.interfaces import Message, Sink
from detector.sinks.message import EVENT_TYPES, encode

log = logging.getLogger(__name__)

_Clock = Callable[[], float]
_Listener = Callable[[str], None]

REMIND_SECONDS = 60.0
"""A sink in trouble is mentioned in the log at most this often."""
LEAVING_SECONDS = 0.5
"""How long a sink that is replaced may take to deliver its rest while the worker waits."""


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


class Dispatcher:
    """Numbers events, encodes each message once and hands it to all sinks."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        queue_length: int = 1000,
        clock: _Clock = time.monotonic,
        on_closed: _Listener | None = None,
    ) -> None:
        """`on_closed` gets a sink's name, on that sink's thread, when its reader has gone for good."""
        self._make_lane = partial(_Lane, queue_length=queue_length, clock=clock, on_closed=on_closed)
        self._lanes = [self._make_lane(sink) for sink in sinks]
        self._order = threading.Lock()
        self._seq = 0

    @property
    def seq(self) -> int:
        """Number of the newest event; 0 before the first."""
        return self._seq

    def start(self) -> None:
        """Open all sinks, then start their threads; raises the first SinkError with all closed again."""
        _open_all(self._lanes)
        for lane in self._lanes:
            lane.thread.start()

    def publish(self, fields: Mapping[str, object]) -> Message:
        """Queue a message for every sink; an event gets the next `seq`, the same for all of them."""
        with self._order:  # numbering and queueing are one step, or a sink could see 2 before 1
            if fields["type"] in EVENT_TYPES:
                self._seq += 1
                fields = {**fields, "seq": self._seq}
            message = encode(fields)
            for lane in self._lanes:
                lane.put(message)
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
        for lane in self._lanes:
            lane.finish()
        end = time.monotonic() + deadline_seconds
        for lane in self._lanes:
            lane.join(max(0.0, end - time.monotonic()))

    def stats(self) -> tuple[SinkStats, ...]:
        """What became of each sink's messages so far."""
        return tuple(lane.stats() for lane in self._lanes)


def _open_all(lanes: Sequence[_Lane]) -> None:
    """Open their sinks; raises the first SinkError with all closed again."""
    opened: list[_Lane] = []
    try:
        for lane in lanes:
            lane.sink.open()
            opened.append(lane)
    except BaseException:
        for lane in opened:
            lane.sink.close()
        raise


class _Lane:
    """One sink, its queue and its thread."""

    def __init__(self, sink: Sink, queue_length: int, clock: _Clock, on_closed: _Listener | None) -> None:
        self.sink = sink
        # A daemon thread: one that hangs in a write must not keep the program from ending.
        self.thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._limit = queue_length
        self._clock = clock
        self._on_closed = on_closed
        self._queue: deque[Message] = deque()
        self._wake = threading.Condition()
        self._reopening = self._finishing = self._gone = False
        self._written = self._dropped = self._failed = self._unreported = 0
        self._working = True
        self._mentioned = False
        self._quiet_until = float("-inf")

    def put(self, message: Message) -> None:
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
        with self._wake:
            self._reopening = True
            self._wake.notify()

    def finish(self) -> None:
        with self._wake:
            self._finishing = True
            self._wake.notify()

    def join(self, seconds: float) -> None:
        if self.thread.ident is None:
            return
        self.thread.join(seconds)
        if self.thread.is_alive():
            log.warning("dispatch.sink_left_behind sink=%s pending=%d", self.sink.name, len(self._queue))

    def stats(self) -> SinkStats:
        with self._wake:
            return SinkStats(
                self.sink.name, self._written, self._dropped, self._failed, len(self._queue), self._working
            )

    def _run(self) -> None:
        while not self._gone:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._reopening or self._finishing)
                reopening, self._reopening = self._reopening, False
                message = self._queue.popleft() if self._queue and not reopening else None
                if not reopening and message is None:
                    break
            action = self.sink.reopen if message is None else partial(self.sink.write, message)
            self._attempt(action, message)
        self._attempt(self.sink.close, None)
        if self._unreported:
            log.warning("dispatch.sink_lost sink=%s lost=%d", self.sink.name, self._unreported)

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
            recovered = self._mentioned and not self._queue
            if recovered:
                lost, self._unreported, self._mentioned = self._unreported, 0, False
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
            self._mentioned = True
            lost = self._unreported
        log.warning("%s sink=%s lost=%d %s", event, self.sink.name, lost, reason)

    def _end(self) -> None:
        with self._wake:
            self._gone = True
            self._queue.clear()
        if self._on_closed is not None:
            self._on_closed(self.sink.name)
