"""What is published, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from detector.interfaces import Message
from detector.sinks.mqtt.sound_classes import SoundClass

SHOWN_FIELDS = ("id", "start_time", "source", "model", "level_dbfs", "pattern", "verdict", "clip")
"""Fields that a live message takes from the event as they are, where it has them."""

STATS = ("level_dbfs", "lost_seconds", "uptime_seconds", "events", "cpu_seconds", "memory_bytes")
"""What of the report is published once a minute."""


def event_payload(event: Message, *, node: str, generation: str, resent: bool) -> bytes:
    """The event's own line (docs/protocol.md), with the node and what its number belongs to."""
    more: dict[str, object] = {"node": node, "generation": generation}
    if resent:
        more["resent"] = True
    return event.line.rstrip()[:-1] + b"," + _json(more)[1:]


def detected_payload(event: Message, sound: SoundClass, *, resent: bool = False) -> bytes:
    """A sound that begins now; `event_type` is what Home Assistant looks at."""
    fields = json.loads(event.line)
    values: dict[str, object] = {
        "event_type": sound.id,
        "name": fields["label"],
        "score": fields["top_score"],
    }
    values |= {key: fields[key] for key in SHOWN_FIELDS if key in fields}
    if resent:
        values["resent"] = True
    return _json(values)


def stats_payload(report: Mapping[str, object], *, waiting: int) -> bytes:
    """The numbers that Home Assistant draws; `waiting` events have not been acknowledged yet."""
    return _json({key: report[key] for key in STATS if key in report} | {"events_waiting": waiting})


def _json(values: Mapping[str, object]) -> bytes:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
