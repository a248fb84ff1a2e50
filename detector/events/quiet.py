"""Quiet hours: sounds that begin then are not reported, but for labels that always are."""

from __future__ import annotations

from collections.abc import Callable, Collection

from detector.records import Event


class QuietHours:
    """Leaves out the events of sounds that begin in the quiet hours, from their start to their end.

    `first` and `stop` are minutes of the day, `stop` the one behind the last; hours may go over midnight.
    `kept` are `class_id`s that are reported all the same. `minute_of` tells the local minute of the day of
    UTC seconds since 1970.
    """

    def __init__(
        self, first: int, stop: int, *, kept: Collection[str], minute_of: Callable[[float], int]
    ) -> None:
        self._first = first
        self._stop = stop
        self._kept = frozenset(kept)
        self._minute_of = minute_of
        self._left_out: set[int] = set()

    def reports(self, event: Event, began: float) -> bool:
        """Whether an event is reported whose sound began at `began` [UTC seconds]; asked for each one."""
        if event.phase == "start":
            if event.label.class_id not in self._kept and self._are_now(began):
                self._left_out.add(event.id)
            else:  # also of a sound that was vetoed at first, and has another label now
                self._left_out.discard(event.id)
        is_reported = event.id not in self._left_out
        if event.phase == "end":
            self._left_out.discard(event.id)
        return is_reported

    def _are_now(self, moment: float) -> bool:
        minute = self._minute_of(moment)
        if self._first <= self._stop:
            return self._first <= minute < self._stop
        return minute >= self._first or minute < self._stop
