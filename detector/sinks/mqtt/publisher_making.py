"""A publisher from the settings, from what the daemon tells of itself, and from what an earlier run knew."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from detector import __version__
from detector.sinks.context import SinkContext
from detector.sinks.mqtt.broker_address import BrokerAddress
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.sinks.mqtt.discovery import DeviceFacts
from detector.sinks.mqtt.event_sender import EventSender
from detector.sinks.mqtt.mqtt_memory import MqttMemory
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.sinks.mqtt.outbox import MEMORY_EVENTS, Outbox
from detector.sinks.mqtt.publisher import NodeFacts, Publisher
from detector.sinks.mqtt.sound_classes import SoundClasses, all_classes, chosen_classes
from detector.sinks.mqtt.source_publisher import SourceFacts
from detector.sinks.mqtt.topics import Topics

log = logging.getLogger(__name__)


def make_publisher(
    settings: MqttSettings,
    context: SinkContext,
    address: BrokerAddress,
    topics: Topics,
    *,
    counts: BrokerCounts,
    clock: Callable[[], float],
) -> Publisher:
    """Build it, when the daemon's numbering is settled; sources that were paused are paused again."""
    archive = context.archive
    memory = _read_memory(context, address, topics)
    if archive is None:
        log.info(
            "mqtt.no_history broker=%s: without a connection, the newest %d events are kept in memory",
            counts.name,
            MEMORY_EVENTS,
        )
    elif memory.is_new or memory.now.acked > archive.newest_seq:
        memory.now.acked = memory.now.sent = memory.now.began = archive.newest_seq
    name = settings.device_name or _readable(topics.node)
    sources = {
        source.name: SourceFacts(
            replace(topics, source=source.name),
            DeviceFacts(f"{name} {_readable(source.name)}".strip(), __version__, source.can_pause),
            is_live=source.is_news,
        )
        for source in context.sources
    }
    sender = EventSender(
        {source: facts.topics for source, facts in sources.items()},
        topics,
        outbox=Outbox(archive, acked=memory.now.acked),
        memory=memory,
        counts=counts,
        generation=lambda: context.hello().generation,
    )
    _pause_again(sources, memory, context, broker=counts.name)
    publisher = Publisher(
        NodeFacts(
            topics,
            DeviceFacts(name, __version__, can_pause=False),
            discovery_prefix=settings.discovery_prefix if settings.discovery else "",
            run=context.hello().run_id,
        ),
        sources,
        sender,
        memory=memory,
        counts=counts,
        classes=lambda: _find_classes(settings, context, broker=counts.name),
        report=lambda: context.report().values,
        pause=context.pause,
        clock=clock,
    )
    for source, state in _states(context.report().values):
        publisher.take_state(source, state)
    return publisher


def _read_memory(context: SinkContext, address: BrokerAddress, topics: Topics) -> MqttMemory:
    """What an earlier run knew, as far as its numbers can be compared with those of this one."""
    hello, folder = context.hello(), context.state_folder
    place = f"{address.host}-{address.port}-{topics.node_base}"
    name = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in place)
    memory = MqttMemory(None if folder is None else Path(folder, f"mqtt-{name}.json"))
    memory.load()
    if memory.now.generation != hello.generation:
        shared = 0 if context.archive is None else hello.generation_seq
        memory.now.acked = min(memory.now.acked, shared)
        memory.now.sent = min(memory.now.sent, shared)
        memory.now.began = memory.now.acked
    return memory


def _states(report: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The sources that have a state already: this sink may have come later than they, by a reload."""
    listed = report.get("sources")
    for each in listed if isinstance(listed, list) else [{"name": "", "state": report.get("state")}]:
        if each["state"] not in (None, "opening"):
            yield str(each["name"]), str(each["state"])


def _find_classes(settings: MqttSettings, context: SinkContext, *, broker: str) -> SoundClasses:
    if settings.classes is None:
        return all_classes(context.hello().labels)
    asked = context.asked_labels(settings.classes)
    if asked.message:
        log.warning("mqtt.classes broker=%s: %s", broker, asked.message)
    return chosen_classes(settings.classes, context.asked_labels)


def _pause_again(
    sources: Mapping[str, SourceFacts], memory: MqttMemory, context: SinkContext, *, broker: str
) -> None:
    """What somebody has paused stays so across restarts."""
    for name, facts in sources.items():
        if name in memory.now.paused and facts.device.can_pause:
            log.warning("mqtt.still_paused broker=%s: ON to %s ends it", broker, facts.topics.listen_set)
            context.pause(True, name)


def _readable(id: str) -> str:
    """An id as a name for people: `front-door` as `Front door`."""
    return id.replace("_", " ").replace("-", " ").capitalize()
