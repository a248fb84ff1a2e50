"""What goes to the broker and what comes from it, and when: events, sources, stats, Home Assistant, pauses.

It has no thread and no connection of its own: `MqttSink` calls it, under one lock.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from detector.interfaces import Message
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.mqtt.discovery import DeviceFacts, discovery_topic, node_components, node_payload
from detector.sinks.mqtt.event_sender import EventSender
from detector.sinks.mqtt.link import Acknowledged, Link, Received
from detector.sinks.mqtt.live_sounds import LiveSounds
from detector.sinks.mqtt.mqtt_memory import MqttMemory
from detector.sinks.mqtt.namesake import look_for_namesake
from detector.sinks.mqtt.payloads import stats_payload
from detector.sinks.mqtt.retained import Retained
from detector.sinks.mqtt.sound_classes import SoundClasses
from detector.sinks.mqtt.source_publisher import SourceFacts, SourcePublisher
from detector.sinks.mqtt.topics import Topics
from detector.wire.message import EventBody, StatusBody

log = logging.getLogger(__name__)

STATS_SECONDS = 60.0

FIRST_STATS_SECONDS = 5.0
"""After it was told of the device, Home Assistant takes a moment before it listens."""

BIRTH_SECONDS = 5.0
"""Home Assistant has started: it is told of the device within this time, not by all devices at once."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What stays the same for one daemon."""

    topics: Topics
    device: DeviceFacts
    discovery_prefix: str
    """What Home Assistant's topics begin with; empty: it is not told of the device."""
    run: str = ""
    """This run of the daemon, as in its hello."""


class Publisher:
    """Takes messages from the daemon and answers from the broker, and publishes what is due."""

    def __init__(
        self,
        node: NodeFacts,
        sources: Mapping[str, SourceFacts],
        sender: EventSender,
        *,
        memory: MqttMemory,
        counts: BrokerCounts,
        classes: Callable[[], SoundClasses],
        report: Callable[[], Mapping[str, object]],
        pause: Callable[[bool, str], None],
        clock: Callable[[], float],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`sources` by name; the only one of a daemon has an empty one.

        `classes` and `report` tell how it is now; `clock` [s] never goes back; `chance` is 0..1. `pause`
        stops a source from listening, or has it listen again.
        """
        self._node = node
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
        known = classes()
        self._sources = {
            name: SourcePublisher(
                facts,
                self._retained,
                lambda topics: LiveSounds(topics, known, self._retained, counts, clock),
                is_paused=name in memory.now.paused,
            )
            for name, facts in sources.items()
        }
        self._stats_due = self._discovery_due = float("inf")
        self._note_class_topics()

    def refresh_classes(self) -> None:
        """Labels may have changed: what is gone is removed at the broker and at Home Assistant."""
        classes = self._find_classes()
        for source in self._sources.values():
            source.exchange(classes)
        self._note_class_topics()
        self._discovery_due = self._clock()

    def take(self, message: Message) -> None:
        """A message of the daemon."""
        body = message.body
        if isinstance(body, StatusBody):
            self.take_state(body.source, body.state)
        elif isinstance(body, EventBody):
            self._sender.add(message)
            self._source_of(body.source).show(message)

    def take_state(self, source: str, state: str) -> None:
        """The state of a source's device, as in `status` messages; others may pause it, too."""
        self._source_of(source).take_state(state)
        if state in ("listening", "clipping", "silent", "paused"):
            self._note_pause(self._name_of(source), state == "paused")

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
        for source in self._sources.values():
            source.live.disconnected()
        self._sender.rewind()

    def acknowledged(self, answer: Acknowledged) -> None:
        """The broker has answered to a message."""
        if answer.refusal:
            log.warning("mqtt.not_taken broker=%s reason=%r", self._counts.name, answer.refusal)
        for source in self._sources.values():
            source.live.acknowledged(answer)
        self._sender.acknowledged(answer, self._clock())

    def received(self, message: Received) -> None:
        """A message has come: a command, Home Assistant's start, or an old `offline` of this daemon."""
        text = message.payload[:100].decode("utf-8", "replace").strip()
        if message.topic == self._node.topics.availability and text == "offline":
            self._announce()  # an earlier connection's end, told after the beginning of this one
        elif message.topic == self._birth_topic and text == "online":
            self._discovery_due = self._clock() + BIRTH_SECONDS * self._chance()
        elif message.topic == self._node.topics.events_again:
            self._sender.send_again(message.payload, self._clock())
        elif message.topic == self._own_stats:
            look_for_namesake(
                message.payload, run=self._node.run, node=self._node.topics.node, broker=self._counts.name
            )
        else:
            for name, source in self._sources.items():
                if message.topic == source.topics.listen_set and source.facts.device.can_pause:
                    self._obey(name, source, text)

    def pump(self) -> None:
        """Publish what is due."""
        link, now = self._link, self._clock()
        if link is None:
            return
        for source in self._sources.values():
            source.live.pump(link, now)
        self._counts.published += self._retained.pump(link)
        if now >= self._stats_due:
            self._stats_due = now + STATS_SECONDS
            self._tell_stats()
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
        for source in self._sources.values():
            source.end()
        if self._link is not None:
            # What were still on its way when the connection is closed could cost the goodbye itself.
            self._link.unsubscribe(self._subscribed)
        self.pump()
        self._publish(self._node.topics.availability, b"offline", retain=True)

    def close(self) -> None:
        """No more is published."""
        self._memory.close()

    @property
    def is_idle(self) -> bool:
        """Whether the broker has acknowledged every event."""
        return self._sender.is_idle

    @property
    def _subscribed(self) -> list[str]:
        topics = [self._node.topics.availability, self._node.topics.events_again, self._own_stats]
        if self._node.discovery_prefix:
            topics.append(self._birth_topic)
        pausing = (source for source in self._sources.values() if source.facts.device.can_pause)
        return topics + [source.topics.listen_set for source in pausing]

    @property
    def _birth_topic(self) -> str:
        return f"{self._node.discovery_prefix}/status"

    @property
    def _own_stats(self) -> str:
        return next(iter(self._sources.values())).topics.stats

    def _source_of(self, name: str) -> SourcePublisher:
        """The source of this name; the only one has any."""
        return self._sources[self._name_of(name)]

    def _name_of(self, source: str) -> str:
        return source if source in self._sources else next(iter(self._sources))

    def _announce(self) -> None:
        self._publish(self._node.topics.availability, b"online", retain=True)
        self._retained.send_all_again()

    def _obey(self, name: str, source: SourcePublisher, text: str) -> None:
        """Pause a source, or have it listen again."""
        if text.upper() not in ("ON", "OFF"):
            topic = source.topics.listen_set
            log.warning("mqtt.unknown_command topic=%s: expected ON or OFF, got %r", topic, text)
            return
        is_paused = text.upper() == "OFF"
        self._pause(is_paused, name)
        self._note_pause(name, is_paused)

    def _note_pause(self, name: str, is_paused: bool) -> None:
        """Show it, and remember it for the next start."""
        if not self._sources[name].facts.device.can_pause:
            return
        others = [other for other in self._memory.now.paused if other != name]
        remembered = [*others, name] if is_paused else others
        if remembered != self._memory.now.paused:
            self._memory.now.paused = remembered
            self._memory.save()
        self._sources[name].set_listening(not is_paused)

    def _tell_stats(self) -> None:
        report = self._report()
        listed = report.get("sources")
        named = {str(each["name"]): each for each in listed} if isinstance(listed, list) else {}
        for name, source in self._sources.items():
            waiting, numbers = self._sender.waiting, self._sender.numbers | {"run": self._node.run}
            stats = stats_payload(named.get(name, report), waiting=waiting, numbers=numbers)
            self._publish(source.topics.stats, stats, qos=0)

    def _note_class_topics(self) -> None:
        """Have the broker forget topics of classes that are gone, also of an earlier run."""
        remembered = self._memory.now
        now = [
            source.topics.sound_class(one.id)
            for source in self._sources.values()
            for one in source.live.classes.with_topics
        ]
        for topic in remembered.class_topics:
            if topic not in now:
                self._retained.remove(topic)
        if now != remembered.class_topics:
            remembered.class_topics = now
            self._memory.save()

    def _discover(self) -> None:
        """Tell Home Assistant of the devices, or that there are none any more."""
        known, told = self._memory.now.devices, self._tell_devices() if self._node.discovery_prefix else {}
        for topic in known:
            if topic not in told:
                self._publish(topic, b"", retain=True)
        if told != known:
            self._memory.now.devices = told
            self._memory.save()

    def _tell_devices(self) -> dict[str, dict[str, str]]:
        prefix, told = self._node.discovery_prefix, {}
        if "" not in self._sources:  # the sources' devices name it as what they are part of
            topic = discovery_topic(prefix, self._node.topics)
            self._publish(topic, node_payload(self._node.topics, self._node.device), retain=True)
            told[topic] = {id: str(part["p"]) for id, part in node_components(self._node.topics).items()}
        for source in self._sources.values():
            topic = discovery_topic(prefix, source.topics)
            payload, told[topic] = source.device(self._memory.now.devices.get(topic, {}))
            self._publish(topic, payload, retain=True)
        return told

    def _publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        if self._link is not None:
            self._counts.published += 1
            self._link.publish(topic, payload, qos=qos, retain=retain)
