"""Events that the broker has not acknowledged: the newest in memory, older ones in the history."""

from __future__ import annotations

from collections import deque

from detector.interfaces import Archive, Message

MEMORY_EVENTS = 1000
"""Events kept in memory, about 2 MB; without a history, older ones are lost."""

READ_EVENTS = 200
"""Events that are read from the history at once: to open it costs more than to read them."""


class Outbox:
    """Gives events in the order of their numbers, each again until it is acknowledged.

    Events reach the archive before they come here, so what memory had no room for is found there. Without an
    archive it is lost, and counted.
    """

    def __init__(self, archive: Archive | None, *, acked: int, limit: int = MEMORY_EVENTS) -> None:
        """Events up to number `acked` were acknowledged; later ones of earlier runs are in the archive."""
        self._archive = archive
        self._limit = limit
        self._memory: deque[Message] = deque()
        self._read: deque[Message] = deque()
        self.acked = acked
        """Every event up to this number was acknowledged."""
        self._taken = acked
        self._gone = 0 if archive is None else archive.newest_seq
        """Events up to this number are not in memory."""
        self._newest = self._gone
        self.lost = 0
        """Events that will never be sent."""

    @property
    def newest(self) -> int:
        """The number of the newest event."""
        return self._newest

    @property
    def waiting(self) -> int:
        """Events that were not acknowledged: those in memory, and the most that may be in the archive."""
        only_archived = 0 if self._archive is None else max(0, self._gone - self.acked)
        return len(self._memory) + only_archived

    @property
    def has_more(self) -> bool:
        """Whether `take` may have more."""
        return self._taken < self._newest

    def add(self, event: Message) -> None:
        """A new event; where memory has no room, the oldest leaves it."""
        seq = event.seq or 0
        if seq <= self._newest and self._archive is not None:
            return  # it was in the archive already when this outbox was made
        self._newest = seq
        self._memory.append(event)
        if len(self._memory) > self._limit:
            oldest = self._memory.popleft().seq or 0
            self._gone = oldest
            if self._archive is None and oldest > self.acked:
                self.lost += 1

    def take(self, limit: int) -> list[Message]:
        """The next events, at most `limit`; reads the disk where memory does not have them.

        Raises HistoryHole where some are damaged, HistoryError where none can be read.
        """
        if not self._read and self._archive is not None and self._taken < self._gone:
            events = self._archive.after(self._taken, max(limit, READ_EVENTS))
            self._read.extend(event for event in events if (event.seq or 0) <= self._gone)
            if not self._read:
                self._taken = self._gone
        if self._read:
            older = [self._read.popleft() for _ in range(min(limit, len(self._read)))]
            self._taken = older[-1].seq or 0
            return older
        events = [event for event in self._memory if (event.seq or 0) > self._taken][:limit]
        if events:
            self._taken = events[-1].seq or 0
        return events

    def skip_to(self, seq: int, missing: int) -> None:
        """Leave out what cannot be read: `missing` events up to number `seq`."""
        self._taken = max(self._taken, seq)
        self._read.clear()
        self.lost += missing

    def skip_archive(self) -> int:
        """Leave out all that only the archive has; returns how many events that may be at most."""
        missing = max(0, self._gone - self._taken)
        self.skip_to(self._gone, missing)
        return missing

    def acknowledge(self, seq: int) -> None:
        """Every event up to this number has arrived."""
        self.acked = max(self.acked, seq)
        self._taken = max(self._taken, seq)
        while self._memory and (self._memory[0].seq or 0) <= self.acked:
            self._memory.popleft()

    def step_back(self, seq: int) -> None:
        """Events after this number did not arrive, though acknowledged: those in the archive go again."""
        if self._archive is not None and seq < self.acked:
            self._gone = (self._memory[0].seq or 0) - 1 if self._memory else self._newest
            self.acked = seq
            self.rewind()

    def rewind(self) -> None:
        """The connection was lost: what was not acknowledged is taken again."""
        self._taken = self.acked
        self._read.clear()
