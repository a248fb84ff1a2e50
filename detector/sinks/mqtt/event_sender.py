"""Every event to the broker, in order and at least once: from the outbox, a few at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from detector.errors import HistoryError
from detector.interfaces import HistoryHole, Message
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.mqtt.link import Acknowledged, Link, NoConnection
from detector.sinks.mqtt.mqtt_memory import MqttMemory
from detector.sinks.mqtt.outbox import Outbox
from detector.sinks.mqtt.payloads import again_after, event_payload
from detector.sinks.mqtt.topics import Topics
from detector.wire.message import event_of

log = logging.getLogger(__name__)

MOST_UNANSWERED = 20
"""Events on their way that the broker has not acknowledged; brokers take this many at once.

New ones follow when half of them are. To wait for all would cost 40 ms each time: the broker's answers to the
last ones wait for a packet from here.
"""

ANSWER_SECONDS = 60.0
"""A broker that acknowledges nothing for so long is left: it may have dropped what it was sent."""

RETRY_SECONDS = 10.0
"""How soon a history that cannot be read, or a broker that refuses events, is tried again."""

AGAIN_SECONDS = 30.0
"""Events are sent again on demand this often at most."""

AGAIN_MOST = 10_000
"""So many of the newest events are sent again at most."""

HISTORY_TRIES = 6
"""After so many, what only the history has is left out."""


class EventSender:
    """Sends the events of one outbox, and remembers how far the broker has them."""

    def __init__(
        self,
        topics: Mapping[str, Topics],
        node: Topics,
        *,
        outbox: Outbox,
        memory: MqttMemory,
        counts: BrokerCounts,
        generation: Callable[[], str],
    ) -> None:
        """`topics` of each source by its name, and the `node`'s for events of sources that are gone.

        `generation` tells what the numbers of events belong to.
        """
        self._node = node
        self._topics = topics
        self._outbox = outbox
        self._memory = memory
        self._counts = counts
        self._generation = generation
        self._unanswered: dict[int, int] = {}
        self._newest_sent = self._newest_resent = 0
        self._due = self._again = float("-inf")
        self._asked = float("inf")
        """When the broker last answered, or was sent something while it owed no answer [s]."""
        self._tries = 0
        self._sent = memory.now.sent
        self._update_counts()

    @property
    def is_idle(self) -> bool:
        """Whether the broker has acknowledged every event."""
        return not self._unanswered and not self._outbox.has_more

    @property
    def due(self) -> float:
        """When `pump` has something to do [s, of its clock]; infinite while it waits for the broker."""
        return self._due if self._outbox.has_more and self._has_room else float("inf")

    @property
    def waiting(self) -> int:
        """Events that the broker does not have yet."""
        return self._outbox.waiting

    @property
    def _has_room(self) -> bool:
        return len(self._unanswered) <= MOST_UNANSWERED // 2

    def add(self, event: Message) -> None:
        """A new event."""
        self._outbox.add(event)
        self._update_counts()

    def rewind(self) -> None:
        """The connection has changed: what was not acknowledged goes again."""
        self._unanswered.clear()
        self._outbox.rewind()
        self._due = float("-inf")

    @property
    def numbers(self) -> dict[str, object]:
        """Which events this broker gets, and what their numbers belong to, for who looks for missing ones."""
        began = self._memory.now.began
        numbers: dict[str, object] = {"generation": self._generation(), "seq": self._outbox.newest}
        return numbers if began < 0 else {**numbers, "sent_after": began}

    def send_again(self, payload: bytes, now: float) -> None:
        """Somebody misses events: send those after a number again, as far as the history has them."""
        after = again_after(payload, generation=self._generation())
        if after is None or now < self._again:
            return
        self._again = now + AGAIN_SECONDS
        self._unanswered.clear()
        self._newest_resent = max(self._newest_resent, self._outbox.acked)
        self._outbox.step_back(max(after, self._outbox.newest - AGAIN_MOST))
        self._due = float("-inf")
        self._update_counts()
        log.info("mqtt.again broker=%s after=%d events=%d", self._counts.name, after, self._outbox.waiting)

    def acknowledged(self, answer: Acknowledged, now: float) -> None:
        """The broker has answered to a message, perhaps to one of these."""
        if answer.number not in self._unanswered:
            return
        if answer.refusal:
            self.rewind()
            self._due = now + RETRY_SECONDS
            return
        del self._unanswered[answer.number]
        self._asked = now
        self._outbox.acknowledge(min(self._unanswered.values(), default=self._newest_sent + 1) - 1)
        self._memory.now.acked = self._outbox.acked
        if self.is_idle:
            self._memory.now.sent = self._sent
            self._memory.save_numbers()
        self._update_counts()

    def pump(self, link: Link, now: float) -> None:
        """Send the next events, if the broker has acknowledged enough of those before.

        Raises NoConnection where it acknowledges nothing.
        """
        if self._unanswered and now - self._asked >= ANSWER_SECONDS:
            raise NoConnection(
                f"the broker has acknowledged no event for {ANSWER_SECONDS:.0f} s: its disk may be full; "
                f"{len(self._unanswered)} events are sent again"
            )
        if not self._has_room or now < self._due:
            return
        events = self._next_events(now)
        if not events:
            return
        if not self._unanswered:
            self._asked = now
        before, self._newest_sent = self._sent, events[-1].seq or 0
        self._sent = max(before, self._newest_sent)
        remembered = self._memory.now
        if self._sent > remembered.sent:
            # Before they are sent: after a crash, it is known which may come twice.
            remembered.sent = self._sent
            if remembered.generation == (generation := self._generation()):
                self._memory.save_numbers()
            else:
                remembered.generation = generation
                self._memory.save()
        for event in events:
            resent = (event.seq or 0) <= before
            self._counts.events_resent += resent
            self._counts.published += 1
            topics = self._topics.get("") or self._topics.get(event_of(event).source, self._node)
            payload = event_payload(event, node=topics.node, generation=self._generation(), resent=resent)
            topic = self._node.events_resent if (event.seq or 0) <= self._newest_resent else topics.events
            self._unanswered[link.publish(topic, payload, qos=1)] = event.seq or 0

    def _next_events(self, now: float) -> list[Message]:
        try:
            events = self._outbox.take(MOST_UNANSWERED - len(self._unanswered))
        except HistoryHole as hole:
            log.warning(
                'mqtt.damaged_history broker=%s events=%d error="%s"', self._counts.name, hole.missing, hole
            )
            self._outbox.skip_to(hole.resume_seq, hole.missing)
            events = list(hole.before)
        except HistoryError as error:
            self._due = now + RETRY_SECONDS
            self._tries += 1
            if self._tries >= HISTORY_TRIES:
                log.warning(
                    'mqtt.unreadable_history broker=%s events=%d error="%s"',
                    self._counts.name,
                    self._outbox.skip_archive(),
                    error,
                )
            return []
        self._tries = 0
        return events

    def _update_counts(self) -> None:
        self._counts.acknowledged_seq = self._outbox.acked
        self._counts.events_waiting = self._outbox.waiting
        self._counts.events_lost = self._outbox.lost
