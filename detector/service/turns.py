"""Whose turn it is when several sources share one classifier: whoever used it least goes first.

A source in which much sounds costs more than a quiet one. When all of them together are more than the machine
can do, the quiet ones still get all they need, and those that cost most fall behind and lose blocks. A
recording at full speed would take everything: it goes last, since it can wait.
"""

from __future__ import annotations

from collections.abc import Sequence

HALVING_SECONDS = 10.0
"""What was used so long ago counts half: a turn depends on the last minute, not on a whole day."""


class Turns:
    """Counts what each source used lately, and picks the next one; the caller tells the time."""

    def __init__(self, can_wait: Sequence[bool]) -> None:
        """`can_wait`: for each source, whether its next block is always there."""
        self._can_wait = tuple(can_wait)
        self._used = [0.0] * len(can_wait)
        self._halved_at: float | None = None

    def pick(self, ready: Sequence[int]) -> int:
        """The source whose turn it is, of those that are ready (at least one)."""
        return min(ready, key=lambda source: (self._can_wait[source], self._used[source]))

    def spent(self, source: int, seconds: float, now: float) -> None:
        """A turn of the source took so many seconds, until `now` on a steady clock [s]."""
        self._used[source] += seconds
        if self._halved_at is None or now - self._halved_at >= HALVING_SECONDS:
            self._halved_at = now
            self._used = [used / 2 for used in self._used]
