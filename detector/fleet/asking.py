"""Which daemons are asked to send events again, and how often."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TypeGuard

from detector.fleet.event_database import Database
from detector.fleet.many_rows import rows_for

FIRST_SECONDS = 60.0
"""How soon it is asked again for the same events; each time twice as long."""
TRIES = 5
"""How often it is asked for the same events: their daemon may not have them any more."""

Numbering = tuple[str, str]
"""A node and its generation."""


def wanted_after(database: Database, *, until: float) -> dict[Numbering, int]:
    """After which number events of each node are missing: between others, at the beginning or at the end.

    Beginning and end are known from what daemons say of themselves once a minute: after which number they
    send events to this broker, the newest number, and that no event waits to be sent. `until` [UTC seconds]:
    what was said later may be ahead of events on their way.
    """
    wanted: dict[Numbering, int] = {
        (node, generation): first - 1
        for node, generation, first in database.run(
            "SELECT node, generation, MIN(seq) FROM missing GROUP BY node, generation"
        )
    }
    said = _said(database, until=until)
    for node, generation, first, last in rows_for(
        database,
        "WITH asked (node, generation) AS (VALUES ROWS) SELECT node, generation, "
        "(SELECT MIN(seq) FROM events WHERE node = asked.node AND generation = asked.generation), "
        "(SELECT MAX(seq) FROM events WHERE node = asked.node AND generation = asked.generation) FROM asked",
        sorted(said),
    ):
        newest, after = said[node, generation]
        if _is_number(after) and newest > after and (first is None or first > after + 1):
            wanted[node, generation] = after
        elif last is not None and last < newest:
            wanted.setdefault((node, generation), last)
    return wanted


def _said(database: Database, *, until: float) -> dict[Numbering, tuple[int, object]]:
    """Of each daemon that has sent all, its newest number and after which one it sends to this broker."""
    said: dict[Numbering, tuple[int, object]] = {}
    for node, text in database.run(
        "SELECT node, value FROM facts WHERE kind = 'stats' AND received <= ?", until
    ):
        stats = json.loads(text)
        generation, newest = stats.get("generation"), stats.get("seq")
        if not isinstance(generation, str) or not _is_number(newest) or stats.get("events_waiting"):
            continue
        if newest >= said.get((node, generation), (0, None))[0]:  # a daemon may say it of several sources
            said[node, generation] = (newest, stats.get("sent_after"))
    return said


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@dataclass(slots=True)
class Asking:
    """Remembers what was asked for, in this run of the collector."""

    _asked: dict[Numbering, tuple[int, int, float]] = field(default_factory=dict)
    """The number after which events were asked for, how often, and when again [s]."""

    def due(self, wanted: dict[Numbering, int], now: float) -> dict[Numbering, int]:
        """Of what is wanted, what is to be asked for now, on a clock in seconds."""
        self._asked = {key: value for key, value in self._asked.items() if key in wanted}
        due = {}
        for key, after in wanted.items():
            tries, again = self._of(key, after)
            if tries < TRIES and now >= again:
                due[key] = after
                self._asked[key] = (after, tries + 1, now + FIRST_SECONDS * 2**tries)
        return due

    def given_up(self, wanted: dict[Numbering, int], now: float) -> dict[Numbering, int]:
        """Of what is wanted, what was asked for in vain; each is told once."""
        lost = {}
        for key, after in wanted.items():
            tries, again = self._of(key, after)
            if tries == TRIES and now >= again:
                lost[key] = after
                self._asked[key] = (after, tries, float("inf"))
        return lost

    def _of(self, key: Numbering, after: int) -> tuple[int, float]:
        """How often events after this number were asked for, and when again."""
        before, tries, again = self._asked.get(key, (-1, 0, float("-inf")))
        return (tries, again) if before == after else (0, float("-inf"))
