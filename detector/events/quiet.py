"""Quiet hours: sounds that begin then are not reported, but for labels that always are."""

from __future__ import annotations

from collections.abc import Callable, Collection

from detector.config.hours import Hours
from detector.records import Event


class QuietHours:
    """Leaves out the events of sounds that begin in the quiet hours, from their start to their end.

    `kept` are `class_id`s that are reported all the same. `minute_of` tells the local minute of the day of
    UTC seconds since 1970.
    """

    def __init__(self, hours: Hours, *, kept: Collection[str], minute_of: Callable[[float], int]) -> None:
        self._hours = hours
        self._kept = frozenset(kept)
        self._minute_of = minute_of
        self._left_out: set[int] = set()

    def reports(self, event: Event, began: float) -> bool:
        """Whether an event is reported whose sound began at `began` [UTC seconds]; asked for each one."""
        if event.phase == "start":
            if event.label.class_id not in self._kept and self._hours.hold(self._minute_of(began)):
                self._left_out.add(event.id)
            else:  # also of a sound that was vetoed at first, and has another label now
                self._left_out.discard(event.id)
        is_reported = event.id not in self._left_out
        if event.phase == "end":
            self._left_out.discard(event.id)
        return is_reported
