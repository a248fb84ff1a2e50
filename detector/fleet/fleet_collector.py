"""Takes what daemons publish from a broker into a database; one thread.

Nothing ends it but its user, and a database that is another program's.

An event is acknowledged to the broker after it is on the disk. Whatever is killed in between, the broker
sends it again, and the database keeps it once.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detector.files.terminal import escape
from detector.fleet.asking import TRIES, Asking, wanted_after
from detector.fleet.event_database import (
    Database,
    DatabaseError,
    add_events,
    add_facts,
    make_tables,
    newest_received,
)
from detector.fleet.fleet_event import FleetEvent, NodeFact, UnfitPayload, event_of, fact_of
from detector.fleet.fleet_watch import FleetWatch
from detector.fleet.missing_numbers import note_missing
from detector.sinks.mqtt.link import NoConnection, Received
from detector.sinks.mqtt.payloads import again_payload
from detector.sinks.mqtt.topics import Topics

log = logging.getLogger(__name__)

RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS = 1.0, 60.0
"""A broker or a database that is not there is tried again after these times, doubling."""
STEADY_SECONDS = 30.0
"""A connection that lasted so long was a good one: the next attempt comes soon."""
SHORT_CONNECTIONS = 3
"""After so many short ones in a row, people are told what may be the reason."""
LOOK_SECONDS = 0.25
"""How soon the end of the program is noticed."""
BATCH = 500
"""Events that are committed together at most."""
SWEEP_SECONDS = 15.0
"""How often missing numbers are looked for, and Parquet files are written."""
GRACE_SECONDS = 30.0
"""A number is not missing before so much time: another collector may be about to write it."""
LOOK_BACK_SECONDS = 3600.0
"""At its start a collector looks so far back from the newest event, not through the whole database."""
COMPLAINT_SECONDS = 60.0
"""One line at most for payloads that do not fit, in this time."""
SESSION_SECONDS = 7 * 86_400
"""For so long a broker keeps what comes for a collector that is away."""


class SessionLink(Protocol):
    """A connection to a broker that keeps a session; see `PahoLink`."""

    def dial(self, stopped: Callable[[], bool]) -> None:
        """Connect."""

    def subscribe(self, topics: list[str]) -> None:
        """Have the broker send what comes to these topics."""

    def wait(self, wake: None, seconds: float) -> None:
        """Read and write for at most so long."""

    def take_received(self) -> list[Received]:
        """What has come since this was last asked."""

    def publish(self, topic: str, payload: bytes, *, qos: int) -> int:
        """Send a message; returns its number."""

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Tell the broker that these are kept."""

    def close(self) -> None:
        """Say goodbye; the session stays."""


class Exports(Protocol):
    """Files that are written from the database."""

    def write_changed(self, database: Database, *, since: float, until: float) -> int:
        """Write what has changed between two times [UTC seconds]; returns the files written."""


@dataclass(slots=True)
class CollectorCounts:
    """What a collector has done since its start."""

    connected: bool = False
    new: int = 0
    """Events added."""
    again: int = 0
    """Events that came again."""
    unfit: int = 0
    """Payloads that were refused."""
    noted_missing: int = 0
    came_late: int = 0
    """Numbers that had been noted as missing."""
    asked: int = 0
    """Times that a daemon was asked to send events again."""
    given_up: int = 0
    """Times that it was asked in vain, and is asked no more."""
    commits: int = 0


@dataclass(slots=True)
class FleetCollector:
    """One collector; `open_database` and `make_link` are called again after each fault."""

    broker: str
    """For messages."""
    prefix: str
    group: str
    """Collectors of one group share the events; empty: this one gets all of them."""
    make_link: Callable[[], SessionLink]
    open_database: Callable[[], Database]
    exports: Exports | None = None
    utc: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    counts: CollectorCounts = field(default_factory=CollectorCounts)
    _asking: Asking = field(default_factory=Asking)
    _watch: FleetWatch = field(default_factory=FleetWatch)
    _attempt: int = 0
    """Attempts without a good connection."""
    _connected: float | None = None
    """Since when there is a connection, on the clock."""
    _told: str = ""
    _complained: float = float("-inf")
    _swept: float | None = None
    """Events received up to then have been looked at [UTC seconds]; None before the first look."""

    def run(self, stopped: Callable[[], bool]) -> None:
        """Collect until `stopped`."""
        while not stopped():
            try:
                database = self.open_database()
                try:
                    make_tables(database)
                    self._connect_and_serve(database, stopped)
                finally:
                    database.close()
            except (DatabaseError, NoConnection) as error:
                lasted = 0.0 if self._connected is None else self.clock() - self._connected
                self._attempt = 0 if lasted >= STEADY_SECONDS else self._attempt + 1
                reason = error.reason if isinstance(error, NoConnection) else str(error)
                if isinstance(error, NoConnection) and self._connected is not None:
                    reason += self._advice()
                self._connected, self.counts.connected = None, False
                self._tell(reason)
                pause = RETRY_FIRST_SECONDS * 2 ** min(max(0, self._attempt - 1), 16)
                self._wait(min(RETRY_LONGEST_SECONDS, pause), stopped)

    @property
    def topics(self) -> list[str]:
        """What it subscribes to."""
        shared = f"$share/{self.group}/" if self.group else ""
        # Resent events come to each collector: of those that share, the broker might choose one that is away.
        facts = (
            "events/resent",
            "availability",
            "source/state",
            "+/source/state",
            "listen",
            "+/listen",
            "stats",
            "+/stats",
        )
        return [
            *(f"{shared}{self.prefix}/+/{ending}" for ending in ("events", "+/events")),
            *(f"{self.prefix}/+/{ending}" for ending in facts),
        ]

    def _connect_and_serve(self, database: Database, stopped: Callable[[], bool]) -> None:
        link = self.make_link()
        link.dial(stopped)
        try:
            link.subscribe(self.topics)
            self._connected, self.counts.connected = self.clock(), True
            self._told = ""
            self._watch.connected(self.clock())
            log.info("collect.connected broker=%s", self.broker)
            next_sweep = self.clock() + SWEEP_SECONDS
            while not stopped():
                link.wait(None, LOOK_SECONDS)
                self._take(link, database)
                self._watch.look_at_silence(self.broker, self.clock())
                if self.clock() >= next_sweep:
                    self._sweep(database)
                    self._ask(link, database)
                    next_sweep = self.clock() + SWEEP_SECONDS
            self._sweep(database)
        finally:
            link.close()

    def _take(self, link: SessionLink, database: Database) -> None:
        """Keep all that has come, then acknowledge it."""
        received = link.take_received()
        while received and len(received) < BATCH:
            link.wait(None, 0.0)
            more = link.take_received()
            if not more:
                break
            received += more
        if not received:
            return
        events: list[FleetEvent] = []
        facts: list[NodeFact] = []
        for message in received:
            try:
                if message.topic.endswith(("/events", "/events/resent")):
                    events.append(event_of(message.topic, message.payload, prefix=self.prefix))
                elif (fact := fact_of(message.topic, message.payload, prefix=self.prefix)) is not None:
                    facts.append(fact)
            except UnfitPayload as error:
                self._complain(message.topic, error)
        now = self.utc()
        new = add_events(database, events, now=now)
        add_facts(database, facts, now=now)
        database.commit()
        link.acknowledge(received)
        self._watch.look(events, facts, utc=now, now=self.clock())
        self.counts.new += new
        self.counts.again += len(events) - new
        self.counts.commits += 1

    def _sweep(self, database: Database) -> None:
        """Look for missing numbers, and write the files of what has changed."""
        now = self.utc()
        until = now - GRACE_SECONDS
        since = newest_received(database) - LOOK_BACK_SECONDS if self._swept is None else self._swept
        noted, came = note_missing(database, since=since, until=until, now=now)
        database.commit()
        self.counts.noted_missing += noted
        self.counts.came_late += came
        if noted:
            log.warning("collect.missing events=%d: `fleet` says of which nodes", noted)
        if self.exports is not None:
            self.exports.write_changed(database, since=since, until=now)
        self._swept = until

    def _ask(self, link: SessionLink, database: Database) -> None:
        """Ask daemons for events that a broker has lost: their histories have them."""
        wanted = wanted_after(database, until=self.utc() - GRACE_SECONDS)
        database.commit()
        for (node, _), after in self._asking.given_up(wanted, self.clock()).items():
            self.counts.given_up += 1
            log.warning(
                "collect.given_up node=%s after=%d: expected the events that it has sent, got none, asked "
                "%d times: its history may be deleted, or the broker's rules forbid events or events/again",
                *(escape(node), after, TRIES),
            )
        for (node, generation), after in self._asking.due(wanted, self.clock()).items():
            topic = Topics(self.prefix, node).events_again
            link.publish(topic, again_payload(generation=generation, after=after), qos=1)
            self.counts.asked += 1
            log.info("collect.asks node=%s after=%d", escape(node), after)

    def _complain(self, topic: str, error: UnfitPayload) -> None:
        self.counts.unfit += 1
        if self.clock() - self._complained >= COMPLAINT_SECONDS:
            self._complained = self.clock()
            log.warning(
                "collect.unfit topic=%s: %s; it is left out, %d so far",
                *(escape(topic[:200]), escape(str(error)), self.counts.unfit),
            )

    def _advice(self) -> str:
        """Why connections may end soon after they were opened."""
        if self._attempt < SHORT_CONNECTIONS:
            return ""
        return " soon after it was opened: perhaps another collector has the same --name"

    def _tell(self, reason: str) -> None:
        """Log a fault once, not each time that it is still so."""
        if reason != self._told:
            self._told = reason
            log.warning("collect.waiting %s: it is tried again; nothing is lost meanwhile", escape(reason))

    def _wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        end = self.clock() + seconds * (1 + random.random() / 2)  # noqa: S311
        while self.clock() < end and not stopped():
            self.pause(LOOK_SECONDS)
