"""One target, its queue and its thread: a target that hangs delays nothing but its own notices."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from detector.sinks.notify.notices import Notice
from detector.sinks.notify.retry_queue import Attempt, RetryQueue, TargetCounts
from detector.sinks.notify.target import Target

log = logging.getLogger(__name__)

REMIND_SECONDS = 60.0
"""A target that fails is logged at most this often."""


class TargetThread:
    """Delivers notices to one target; `put` neither waits nor raises."""

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = target
        self._clock = clock
        self._queue = RetryQueue(target.name)
        self._wake = threading.Condition()
        self._ending = threading.Event()
        self._quiet_until = float("-inf")
        self._thread = threading.Thread(target=self._run, name=f"notify {target.name}", daemon=True)

    @property
    def name(self) -> str:
        """What the settings call the target."""
        return self._target.name

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def reopen(self) -> None:
        """Read the target's secrets anew; raises AccessError, and the old ones stay."""
        self._target.open()

    def put(self, notice: Notice) -> None:
        """Queue a notice."""
        with self._wake:
            self._queue.put(notice, self._clock())
            self._wake.notify()

    def counts(self) -> TargetCounts:
        """What became of the notices so far."""
        with self._wake:
            return replace(self._queue.counts)

    def finish(self) -> None:
        """Deliver what can be delivered now, then end."""
        self._ending.set()
        with self._wake:
            self._wake.notify()

    def join(self, seconds: float) -> None:
        """Wait for the end; what is left then is counted as dropped."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        with self._wake:
            lost = self._queue.close()
        if lost:
            log.warning("notify.lost target=%s count=%d", self.name, lost)

    def _run(self) -> None:
        while True:
            with self._wake:
                now = self._clock()
                notice = self._queue.take(now)
                if notice is None:
                    if self._ending.is_set():
                        return
                    self._wake.wait(self._queue.wait_seconds(now))
                    continue
            outcome = self._deliver(notice)
            with self._wake:
                self._queue.settle(outcome, self._clock())
            if not outcome.delivered:
                self._complain(outcome)

    def _deliver(self, notice: Notice) -> Attempt:
        try:
            return self._target.deliver(notice, self._ending.is_set)
        except Exception as error:  # a bug in one target must not silence the others
            log.debug("notify.target_bug target=%s", self.name, exc_info=True)
            return Attempt(delivered=False, detail=f"bug: {type(error).__name__}")

    def _complain(self, outcome: Attempt) -> None:
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + REMIND_SECONDS
            counts = self.counts()
            log.warning(
                'notify.failed target=%s pending=%d error="%s"', self.name, counts.pending, outcome.detail
            )
