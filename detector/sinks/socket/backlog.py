"""The newest messages, kept once for all subscribers, and each subscriber's position among them.

Messages have consecutive indices. A subscriber has a cursor into the backlog instead of a queue of its own:
that costs a few numbers, a subscriber that lags is overtaken by the oldest index, and a replay sets the
cursor back. Nothing here does any input or output.
"""

from __future__ import annotations

from detector.interfaces import Message
from detector.wire.message import StatusBody
from detector.wire.request import Filter, Request

BATCH_BYTES = 65536
"""A batch of lines ends with the line that reaches this."""

_BATCHES = 16
"""Joined batches kept at once, for subscribers with different filters or positions."""


class Backlog:
    """A ring of the newest `length` messages."""

    def __init__(self, length: int, *, before: int = 0) -> None:
        """`before` is the number of the newest event that will not come here."""
        self._ring: list[Message | None] = [None] * length
        self._batches: dict[tuple[int, Filter], tuple[bytes, int]] = {}
        self.stop = 0
        """Index of the next message."""
        self.state = ""
        """State of the newest status message, of all sources together; empty before the first."""
        self.seq = before
        """Number of the newest event."""
        self._any = False
        self.gone_seq = before
        """The newest event that is no longer here."""

    @property
    def first(self) -> int:
        """Index of the oldest message kept."""
        return max(0, self.stop - len(self._ring))

    @property
    def oldest_seq(self) -> int | None:
        """The `seq` of the oldest event kept; None where there is none."""
        for index in range(self.first, self.stop):
            if (seq := self[index].seq) is not None:
                return seq
        return None

    def __getitem__(self, index: int) -> Message:
        message = self._ring[index % len(self._ring)]
        if message is None or not self.first <= index < self.stop:
            raise IndexError(index)
        return message

    def append(self, message: Message) -> Message | None:
        """Keep a message; return the oldest one if it had to go, whose index was `first` until now."""
        slot = self.stop % len(self._ring)
        evicted, self._ring[slot] = self._ring[slot], message
        if evicted is not None and evicted.seq is not None:
            self.gone_seq = max(self.gone_seq, evicted.seq)
        self.stop += 1
        self._batches.clear()
        if message.seq is not None:
            if not self._any:  # earlier events never came here
                self._any = True
                self.gone_seq = max(self.gone_seq, message.seq - 1)
            self.seq = max(self.seq, message.seq)
        elif isinstance(message.body, StatusBody):
            self.state = message.body.overall or message.body.state
        return evicted

    def index_after(self, seq: int) -> int:
        """Index of the first event with a greater number; `stop` where there is none."""
        for index in range(self.first, self.stop):
            if (self[index].seq or 0) > seq:
                return index
        return self.stop

    def batch(self, start: int, wanted: Filter) -> tuple[bytes, int]:
        """Join the lines from `start` on that pass; also return the index after the last one looked at.

        The answer is kept until the next append: subscribers with the same filter and position share it.
        """
        key = (start, wanted)
        if key not in self._batches:
            if len(self._batches) >= _BATCHES:
                self._batches.clear()
            lines, size, index = [], 0, start
            while index < self.stop and size < BATCH_BYTES:
                message = self[index]
                if wanted.passes(message):
                    lines.append(message.line)
                    size += len(message.line)
                index += 1
            self._batches[key] = (b"".join(lines), index)
        return self._batches[key]


class Subscription:
    """One subscriber's cursor: every message once, in order, or counted as dropped."""

    def __init__(self, backlog: Backlog) -> None:
        """Start with the next message."""
        self._backlog = backlog
        self._filter = Filter()
        self._cursor = self._joined = self._own = backlog.stop
        self._joined_seq = backlog.seq
        self._since = self._replayed = 0
        self._sent = self._sent_seqs = range(0)
        self._replaying = self._overlaps = False
        self._dropped = 0

    def apply(self, request: Request) -> None:
        """Filter from now on; with `since`, go back to the later events that were not sent yet."""
        self._filter = request.filter
        if request.since is not None:
            self._since = request.since
            self._sent = range(self._joined, self._cursor)
            self._own = max(self._joined, self._cursor)
            self._cursor = self._backlog.first

    def begin_replay(self) -> None:
        """Events come from the archive until `end_replay`: none of them can be lost meanwhile."""
        self._replaying = True
        sent = [self._backlog[i].seq for i in self._sent if i >= self._backlog.first]
        if events := [seq for seq in sent if seq is not None]:
            self._sent_seqs = range(min(self._joined_seq + 1, events[0]), events[-1] + 1)

    def passes(self, event: Message) -> bool:
        """Whether to send an event of the archive: it passes the filter and was not sent yet."""
        return event.seq not in self._sent_seqs and self._filter.passes(event)

    def end_replay(self, seq: int) -> None:
        """Every event up to `seq` has come from the archive; later ones follow from the backlog."""
        self._replaying = False
        self._replayed = seq
        self._overlaps = True
        self._cursor = self._backlog.first

    def evict(self, index: int, message: Message) -> bool:
        """The backlog lets go of a message: count it if it was still to be sent; returns whether it was."""
        if self._cursor > index or (self._replaying and message.seq is not None):
            return False
        self._cursor = index + 1
        wanted = self._wants(index, message)
        self._dropped += wanted
        return wanted

    def take_dropped(self) -> int:
        """How many messages were lost since this was last asked."""
        count, self._dropped = self._dropped, 0
        return count

    def take(self) -> bytes:
        """The next lines to send, about BATCH_BYTES at most; empty once all is sent."""
        lines, size = [], 0
        if self._overlaps:  # an event is in the archive before it comes here
            follows = self._backlog.index_after(self._replayed)
            self._own = max(self._own, follows)
            self._overlaps = follows == self._backlog.stop
        own = min(self._own, self._backlog.stop)
        while self._cursor < own and size < BATCH_BYTES:
            message = self._backlog[self._cursor]
            if self._wants(self._cursor, message):
                lines.append(message.line)
                size += len(message.line)
            self._cursor += 1
        batch = b"".join(lines)
        while not batch and self._cursor < self._backlog.stop:
            batch, self._cursor = self._backlog.batch(self._cursor, self._filter)
        return batch

    def _wants(self, index: int, message: Message) -> bool:
        if index in self._sent:
            return False
        if message.seq is not None and message.seq <= self._replayed:
            return False
        if index < self._joined:  # a replay: events only, the state is in the hello
            return message.seq is not None and message.seq > self._since and self._filter.passes(message)
        return self._filter.passes(message)
