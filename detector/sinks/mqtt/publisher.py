"""What goes to the broker and what comes from it, beside the events: states, stats, Home Assistant, pause.

It has no thread and no connection of its own: `MqttSink` calls it, under one lock.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from detector.interfaces import Message
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.mqtt.discovery import DeviceFacts, components, discovery_payload, discovery_topic
from detector.sinks.mqtt.event_sender import EventSender
from detector.sinks.mqtt.link import Acknowledged, Link, Received
from detector.sinks.mqtt.live_sounds import LiveSounds
from detector.sinks.mqtt.mqtt_memory import MqttMemory
from detector.sinks.mqtt.payloads import stats_payload
from detector.sinks.mqtt.retained import Retained, on_or_off
from detector.sinks.mqtt.sound_classes import SoundClasses
from detector.sinks.mqtt.topics import Topics
from detector.wire.message import EventBody, StatusBody

log = logging.getLogger(__name__)

STATS_SECONDS = 60.0

FIRST_STATS_SECONDS = 5.0
"""After it was told of the device, Home Assistant takes a moment before it listens."""

BIRTH_SECONDS = 5.0
"""Home Assistant has started: it is told of the device within this time, not by all devices at once."""

_SOURCE_STATES = {"listening": "ok", "clipping": "ok", "paused": "ok", "silent": "silent"}
"""A daemon's state -> what is published of the microphone; `lost` for the others."""


@dataclass(frozen=True, slots=True)
class PublisherFacts:
    """What stays the same for one sink."""

    topics: Topics
    device: DeviceFacts
    discovery_prefix: str
    """What Home Assistant's topics begin with; empty: it is not told of the device."""
    is_live: bool
    """Whether sound is heard as it happens; that of a recording is not shown as live."""


class Publisher:
    """Takes messages from the daemon and answers from the broker, and publishes what is due."""

    def __init__(
        self,
        about: PublisherFacts,
        sender: EventSender,
        *,
        memory: MqttMemory,
        counts: BrokerCounts,
        classes: Callable[[], SoundClasses],
        report: Callable[[], Mapping[str, object]],
        pause: Callable[[bool], None] | None,
        clock: Callable[[], float],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`classes` and `report` tell how it is now; `clock` [s] never goes back; `chance` is 0..1.

        `pause` stops the daemon from listening, or has it listen again; None where that cannot be.
        """
        self._about = about
        self._topics = about.topics
        self._sender = sender
        self._memory = memory
        self._counts = counts
        self._find_classes = classes
        self._report = report
        self._pause = pause
        self._clock = clock
        self._chance = chance
        self._link: Link | None = None
        self._retained = Retained()
        self._live = LiveSounds(about.topics, classes(), self._retained, counts, clock)
        self._stats_due = self._discovery_due = float("inf")
        self._removed: dict[str, str] = {}
        self._remove_old_topics()
        if pause is not None:
            self._retained.set(self._topics.listen, on_or_off(not memory.now.paused))

    def refresh_classes(self) -> None:
        """Labels may have changed: what is gone is removed at the broker and at Home Assistant."""
        self._live.exchange(self._find_classes())
        self._discovery_due = self._clock()

    def take(self, message: Message) -> None:
        """A message of the daemon."""
        body = message.body
        if isinstance(body, StatusBody):
            state = _SOURCE_STATES.get(body.state, "lost")
            self._retained.set(self._topics.source_state, state.encode())
        elif isinstance(body, EventBody):
            self._sender.add(message)
            if self._about.is_live:
                self._live.show(message)

    def connected(self, link: Link) -> None:
        """There is a connection: all that is retained is published again."""
        self._link = link
        link.subscribe(self._subscribed)
        self._announce()
        self._sender.rewind()
        self._stats_due = self._discovery_due = self._clock()

    def disconnected(self) -> None:
        """The connection is gone: what was not acknowledged goes again."""
        self._link = None
        self._live.disconnected()
        self._sender.rewind()

    def acknowledged(self, answer: Acknowledged) -> None:
        """The broker has answered to a message."""
        if answer.refusal:
            log.warning("mqtt.not_taken broker=%s reason=%r", self._counts.name, answer.refusal)
        self._live.acknowledged(answer)
        self._sender.acknowledged(answer, self._clock())

    def received(self, message: Received) -> None:
        """A message has come: a command, Home Assistant's start, or an old `offline` of this daemon."""
        text = message.payload[:100].decode("utf-8", "replace").strip()
        if message.topic == self._topics.availability and text == "offline":
            self._announce()  # an earlier connection's end, told after the beginning of this one
        elif message.topic == self._birth_topic and text == "online":
            self._discovery_due = self._clock() + BIRTH_SECONDS * self._chance()
        elif message.topic == self._topics.listen_set and self._pause is not None:
            if text.upper() not in ("ON", "OFF"):
                log.warning("mqtt.unknown_command topic=%s: expected ON or OFF, got %r", message.topic, text)
                return
            paused = text.upper() == "OFF"
            if paused != self._memory.now.paused:
                self._memory.now.paused = paused
                self._memory.save()
            self._pause(paused)
            self._retained.set(self._topics.listen, on_or_off(not paused))

    def pump(self) -> None:
        """Publish what is due."""
        link, now = self._link, self._clock()
        if link is None:
            return
        self._live.pump(link, now)
        self._counts.published += self._retained.pump(link)
        if now >= self._stats_due:
            self._stats_due = now + STATS_SECONDS
            self._publish(
                self._topics.stats, stats_payload(self._report(), waiting=self._sender.waiting), qos=0
            )
        if now >= self._discovery_due:
            self._discovery_due = float("inf")
            self._discover()
            self._stats_due = min(self._stats_due, now + FIRST_STATS_SECONDS)
        self._sender.pump(link, now)

    def seconds_to_next(self) -> float:
        """How long nothing will be due, if nothing comes."""
        return max(0.0, min(self._stats_due, self._discovery_due, self._sender.due) - self._clock())

    def farewell(self) -> None:
        """The program ends: nothing sounds any more, and nobody listens."""
        self._live.silence()
        self._retained.set(self._topics.source_state, b"lost")
        if self._link is not None:
            # What were still on its way when the connection is closed could cost the goodbye itself.
            self._link.unsubscribe(self._subscribed)
        self.pump()
        self._publish(self._topics.availability, b"offline", retain=True)

    @property
    def is_idle(self) -> bool:
        """Whether the broker has acknowledged every event."""
        return self._sender.is_idle

    @property
    def _subscribed(self) -> list[str]:
        topics = [self._topics.availability]
        if self._about.discovery_prefix:
            topics.append(self._birth_topic)
        if self._pause is not None:
            topics.append(self._topics.listen_set)
        return topics

    @property
    def _birth_topic(self) -> str:
        return f"{self._about.discovery_prefix}/status"

    def _announce(self) -> None:
        self._publish(self._topics.availability, b"online", retain=True)
        self._retained.send_all_again()

    def _remove_old_topics(self) -> None:
        """Of classes that an earlier run had."""
        now = {one.id for one in self._live.classes.with_topics}
        for component in self._memory.now.components:
            id = component.removeprefix("class_")
            if id != component and id not in now:
                self._retained.remove(self._topics.sound_class(id))

    def _discover(self) -> None:
        """Tell Home Assistant of the device, or that there is none any more."""
        remembered, topic = self._memory.now, ""
        platforms: dict[str, str] = {}
        if self._about.discovery_prefix:
            topic = discovery_topic(self._about.discovery_prefix, self._topics)
            parts = components(self._topics, self._about.device, self._live.classes)
            platforms = {id: str(part["p"]) for id, part in parts.items()}
            self._removed |= {id: p for id, p in remembered.components.items() if id not in parts}
            payload = discovery_payload(self._topics, self._about.device, parts, self._removed)
            self._publish(topic, payload, retain=True)
        if remembered.discovery_topic not in ("", topic):
            self._publish(remembered.discovery_topic, b"", retain=True)
        if (remembered.discovery_topic, remembered.components) != (topic, platforms):
            remembered.discovery_topic, remembered.components = topic, platforms
            self._memory.save()

    def _publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if self._link is not None:
            self._counts.published += 1
            self._link.publish(topic, payload, qos=qos, retain=retain)
