"""How Home Assistant is told of a microphone: one JSON object for the device and all its entities.

The keys are Home Assistant's abbreviations (its documentation of MQTT discovery, "device discovery").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from detector.sinks.mqtt.sound_classes import SoundClasses
from detector.sinks.mqtt.topics import Topics, any_class_id

ORIGIN = "sound-detector"
STATS_EXPIRE_SECONDS = 180
"""Three times as long as stats are apart."""

_LOST = "{{ 'lost' if value == 'lost' else 'ok' }}"
"""A microphone that is silent is there."""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is told of the microphone itself."""

    name: str
    version: str
    can_pause: bool


def unique_id(topics: Topics) -> str:
    """The device's id at Home Assistant; entities add theirs."""
    return "_".join(part for part in ("sound_detector", topics.node, topics.source) if part)


def discovery_topic(prefix: str, topics: Topics) -> str:
    """Where the object is published, retained."""
    return f"{prefix}/device/{unique_id(topics)}/config"


def components(topics: Topics, device: DeviceFacts, classes: SoundClasses) -> dict[str, dict[str, object]]:
    """The entities: id -> what Home Assistant is told of it."""
    id = unique_id(topics)
    found: dict[str, dict[str, object]] = {}

    def add(key: str, platform: str, name: str, **values: object) -> None:
        entity = f"{platform}.{topics.node}_{topics.source}_{any_class_id(name)}".replace("__", "_")
        found[key] = {
            "p": platform,
            "name": name,
            "uniq_id": f"{id}_{key}",
            "def_ent_id": entity.lower().replace("-", "_"),
            **values,
        }

    daemon_alone = [{"t": topics.availability}]
    if classes.all:
        types = [one.id for one in classes.all]
        add("sound", "event", "Sound", stat_t=topics.detected, event_types=types, ic="mdi:ear-hearing", qos=1)
    for one in classes.with_topics:
        add(
            f"class_{one.id}",
            "binary_sensor",
            one.name,
            stat_t=topics.sound_class(one.id),
            dev_cla="sound",
            qos=1,
        )
    add(
        "last",
        "sensor",
        "Last sound",
        stat_t=topics.last,
        val_tpl="{{ value_json.name }}",
        json_attr_t=topics.last,
        ic="mdi:waveform",
        qos=1,
    )
    stats = {"stat_t": topics.stats, "ent_cat": "diagnostic"}
    add(
        "level",
        "sensor",
        "Level",
        val_tpl="{{ value_json.level_dbfs }}",
        unit_of_meas="dBFS",
        stat_cla="measurement",
        sug_dsp_prc=0,
        exp_aft=STATS_EXPIRE_SECONDS,
        ic="mdi:microphone",
        **stats,
    )
    add(
        "lost",
        "sensor",
        "Audio lost",
        val_tpl="{{ value_json.lost_seconds }}",
        unit_of_meas="s",
        dev_cla="duration",
        stat_cla="total_increasing",
        avty=daemon_alone,
        **stats,
    )
    add(
        "microphone",
        "binary_sensor",
        "Microphone",
        stat_t=topics.source_state,
        val_tpl=_LOST,
        pl_on="ok",
        pl_off="lost",
        dev_cla="connectivity",
        ent_cat="diagnostic",
        avty=daemon_alone,
        qos=1,
    )
    if device.can_pause:
        add(
            "listen",
            "switch",
            "Listening",
            cmd_t=topics.listen_set,
            stat_t=topics.listen,
            ic="mdi:microphone",
            ent_cat="config",
            avty=daemon_alone,
            qos=1,
        )
    return found


def node_components(node: Topics) -> dict[str, dict[str, object]]:
    """The only entity of a daemon whose sources are devices of their own."""
    return {
        "connected": {
            "p": "binary_sensor",
            "name": "Connected",
            "uniq_id": f"{unique_id(node)}_connected",
            "def_ent_id": f"binary_sensor.{node.node}_connected".lower().replace("-", "_"),
            "stat_t": node.availability,
            "pl_on": "online",
            "pl_off": "offline",
            "dev_cla": "connectivity",
            "ent_cat": "diagnostic",
            "qos": 1,
        }
    }


def node_payload(node: Topics, device: DeviceFacts) -> bytes:
    """The whole object of such a daemon."""
    return _object(node, device, node_components(node), {})


def discovery_payload(
    topics: Topics, device: DeviceFacts, parts: Mapping[str, Mapping[str, object]], removed: Mapping[str, str]
) -> bytes:
    """The whole object; of an entity that is `removed` only its platform is left, which deletes it."""
    gone = {id: {"p": platform} for id, platform in removed.items() if id not in parts}
    availability = {
        "avty": [
            {"t": topics.availability},
            {"t": topics.source_state, "val_tpl": _LOST, "pl_avail": "ok", "pl_not_avail": "lost"},
        ],
        "avty_mode": "all",
    }
    return _object(topics, device, {**parts, **gone}, availability)


def _object(
    topics: Topics,
    device: DeviceFacts,
    parts: Mapping[str, Mapping[str, object]],
    availability: Mapping[str, object],
) -> bytes:
    about: dict[str, object] = {
        "ids": [unique_id(topics)],
        "name": device.name,
        "mf": ORIGIN,
        "mdl": "Microphone",
        "sw": device.version,
    }
    if topics.source:
        about["via_device"] = unique_id(Topics(topics.prefix, topics.node))
    values = {
        "dev": about,
        "o": {"name": ORIGIN, "sw": device.version},
        **availability,
        "cmps": parts,
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
