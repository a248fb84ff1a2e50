"""Notices what cannot be right in a fleet, and says so: silence, two daemons of one name, a wrong clock."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from detector.files.terminal import escape
from detector.fleet.fleet_event import FleetEvent, NodeFact

log = logging.getLogger(__name__)

SILENCE_SECONDS = 180.0
"""Each daemon says something once a minute."""
AGAIN_SECONDS = 3600.0
"""How soon the same thing is said again of the same node."""
AHEAD_SECONDS = 86_400.0
"""Nothing is heard a day before it came."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
"""A machine without a clock begins in 1970 [UTC seconds]."""
MOST_SAID = 10_000
"""Things remembered at once: somebody may invent nodes."""


@dataclass(slots=True)
class FleetWatch:
    """What one collector has heard of, on a clock in seconds that never goes back."""

    _heard: float | None = None
    _is_silent: bool = False
    _said: dict[tuple[str, str], float] = field(default_factory=dict)
    _runs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The run of each node that its newest `stats` were of, and the one before it."""

    def connected(self, now: float) -> None:
        """There is a connection: from now on something should come."""
        self._heard = now

    def look(
        self, events: Iterable[FleetEvent], facts: Iterable[NodeFact], *, utc: float, now: float
    ) -> None:
        """Look at what has come now. `utc`: [s since 1970]."""
        self._heard, self._is_silent = now, False
        for event in events:
            if not EARLIEST <= event.start <= utc + AHEAD_SECONDS and self._is_due("clock", event.node, now):
                log.warning(
                    "collect.clock node=%s: expected events of about now, got one that began at %s: set that "
                    "machine's clock; the event is kept under this time",
                    *(escape(event.node), _moment(event.start)),
                )
        for fact in facts:
            if fact.kind == "stats":
                self._look_at_run(fact, now)

    def look_at_silence(self, broker: str, now: float) -> None:
        """Nothing has come, perhaps for long."""
        if self._is_silent or self._heard is None or now - self._heard < SILENCE_SECONDS:
            return
        self._is_silent = True
        log.warning(
            "collect.silent broker=%s: expected something from each daemon once a minute, got nothing for "
            "%.0f s: see whether daemons run, --prefix is theirs, and the broker lets this user read",
            *(broker, SILENCE_SECONDS),
        )

    def _look_at_run(self, fact: NodeFact, now: float) -> None:
        """Runs follow each other; where an earlier one comes again, two daemons speak."""
        stats = json.loads(fact.value)
        run = str(stats.get("run") or stats.get("generation") or "")
        newest, before = self._runs.get(fact.node, (run, ""))
        if run == before and before and self._is_due("twice", fact.node, now):
            log.warning(
                "collect.two_daemons node=%s: expected one daemon, got two that speak in turns (%s and %s): "
                "give each a `node` of its own in its settings, or events may be lost",
                *(escape(fact.node), escape(newest), escape(run)),
            )
        if len(self._runs) >= MOST_SAID and fact.node not in self._runs:
            self._runs.clear()
        self._runs[fact.node] = (newest, before) if run == newest else (run, newest)

    def _is_due(self, what: str, node: str, now: float) -> bool:
        if now - self._said.get((what, node), float("-inf")) < AGAIN_SECONDS:
            return False
        if len(self._said) >= MOST_SAID:
            self._said.clear()
        self._said[what, node] = now
        return True


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ")
