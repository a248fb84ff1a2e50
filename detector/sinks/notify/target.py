"""What a target is: something that is told of notices, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from detector.sinks.notify.notices import Notice
from detector.sinks.notify.retry_queue import Attempt

Stopping = Callable[[], bool]
"""Whether the program is about to end: what runs is then cut short."""


class Target(Protocol):
    """One place that notices go to; its methods are called by one thread."""

    @property
    def name(self) -> str:
        """What the settings call it."""

    def open(self) -> None:
        """Read its secrets anew; raises AccessError where that cannot be."""

    def deliver(self, notice: Notice, stopping: Stopping) -> Attempt:
        """Try once, for a bounded time; never raises."""
