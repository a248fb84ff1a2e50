"""The notices that wait for one target: which one is tried when, again or no more; the time is passed in.

Notices that one target cannot get disturb no other. A target that fails again and again is left alone for a
while (a circuit breaker), then tried with one notice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from detector.sinks.notify.notices import Notice

MOST_WAITING = 100
"""Notices that wait for a target; the oldest make room for more."""
MAX_AGE_SECONDS = 600.0
"""A notice that could not be delivered in this time is given up: it is no news any more."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""Pauses between attempts for one notice: the first, doubled each time up to the longest."""
BREAKER_FAILURES = 5
"""After so many failures in a row, the target is left alone."""
BREAKER_SECONDS = 30.0
"""How long it is left alone; then one notice is tried."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended."""

    delivered: bool
    detail: str
    """What to say of it, without secrets: `204`, `no answer within 5 s`."""
    again: bool = False
    """Whether another attempt may succeed."""
    pause_seconds: float | None = None
    """How long the target asks to be left alone (Retry-After)."""


@dataclass(slots=True)
class TargetCounts:
    """What became of one target's notices."""

    name: str
    sent: int = 0
    failed: int = 0
    """Refused by the target: another attempt would not help."""
    expired: int = 0
    """Given up, since the target could not be reached in time."""
    dropped: int = 0
    """Lost because too many were waiting, or because the program ended."""
    retries: int = 0
    """Attempts beyond the first."""
    pending: int = 0
    """Waiting."""
    working: bool = True
    """Whether the last attempt succeeded."""
    detail: str = ""
    """How the last attempt ended."""


@dataclass(slots=True)
class _Waiting:
    notice: Notice
    since: float
    not_before: float
    attempts: int = 0


class RetryQueue:
    """Bounded; not safe for several threads. `now` is in seconds of a clock that never goes back."""

    def __init__(self, name: str) -> None:
        self.counts = TargetCounts(name)
        """What became of the notices so far."""
        self._waiting: deque[_Waiting] = deque()
        self._tried: _Waiting | None = None
        self._failures = 0
        self._closed_until = float("-inf")

    @property
    def is_broken(self) -> bool:
        """Whether the target failed so often that it is left alone between attempts."""
        return self._failures >= BREAKER_FAILURES

    def put(self, notice: Notice, now: float) -> None:
        """Add a notice; where there is no room, the oldest is dropped."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.counts.dropped += 1
        self._waiting.append(_Waiting(notice, now, not_before=now))
        self._count()

    def take(self, now: float) -> Notice | None:
        """The notice to try now, or None; `settle` must follow. Those that are too old are given up."""
        self._expire(now)
        if now < self._closed_until:
            return None
        ready = next((each for each in self._waiting if each.not_before <= now), None)
        if ready is None:
            return None
        self._waiting.remove(ready)
        self._tried = ready
        return ready.notice

    def wait_seconds(self, now: float) -> float | None:
        """How long until there may be something to try; None where nothing waits."""
        if not self._waiting:
            return None
        ready = min(each.not_before for each in self._waiting)
        return max(0.0, max(ready, self._closed_until) - now)

    def settle(self, outcome: Attempt, now: float) -> None:
        """Note how the attempt ended."""
        tried, self._tried = self._tried, None
        if tried is None:
            return
        counts = self.counts
        counts.working, counts.detail = outcome.delivered, outcome.detail
        counts.retries += tried.attempts > 0
        tried.attempts += 1
        if outcome.delivered:
            counts.sent += 1
            self._failures = 0
        elif not outcome.again:
            counts.failed += 1
            self._failures = 0  # it answers
        else:
            self._put_back(tried, outcome.pause_seconds, now)
        self._count()

    def close(self) -> int:
        """Give up what waits; how many notices that are."""
        lost = len(self._waiting)
        self._waiting.clear()
        self.counts.dropped += lost
        self._count()
        return lost

    def _put_back(self, tried: _Waiting, asked: float | None, now: float) -> None:
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(tried.attempts - 1, 16))
        tried.not_before = now + pause
        self._waiting.append(tried)
        if asked is not None:
            self._closed_until = max(self._closed_until, now + asked)
            return  # it answers
        self._failures += 1
        if self.is_broken:
            self._closed_until = max(self._closed_until, now + BREAKER_SECONDS)

    def _expire(self, now: float) -> None:
        fresh = [each for each in self._waiting if now - each.since < MAX_AGE_SECONDS]
        self.counts.expired += len(self._waiting) - len(fresh)
        self._waiting = deque(fresh)
        self._count()

    def _count(self) -> None:
        self.counts.pending = len(self._waiting) + (self._tried is not None)
