"""What is published, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from detector.interfaces import Message
from detector.sinks.mqtt.sound_classes import SoundClass

SHOWN_FIELDS = ("id", "start_time", "source", "model", "level_dbfs", "pattern", "verdict", "clip")
"""Fields that a live message takes from the event as they are, where it has them."""

_RESENT = b',"resent":true}'

STATS = (
    *("level_dbfs", "lost_seconds", "uptime_seconds", "events", "cpu_seconds", "memory_bytes"),
    "version",
)
"""What of the report is published once a minute."""


def event_payload(event: Message, *, node: str, generation: str, resent: bool) -> bytes:
    """The event's own line (docs/protocol.md), with the node and what its number belongs to."""
    payload = event.line.rstrip()[:-1] + b"," + _json({"node": node, "generation": generation})[1:]
    return as_resent(payload) if resent else payload


def detected_payload(event: Message, sound: SoundClass) -> bytes:
    """A sound that begins now; `event_type` is what Home Assistant looks at."""
    fields = json.loads(event.line)
    values: dict[str, object] = {
        "event_type": sound.id,
        "name": fields["label"],
        "score": fields["top_score"],
    }
    return _json(values | {key: fields[key] for key in SHOWN_FIELDS if key in fields})


def as_resent(payload: bytes) -> bytes:
    """The same object, which says that it may have come before."""
    return payload if payload.endswith(_RESENT) else payload[:-1] + _RESENT


def stats_payload(report: Mapping[str, object], *, waiting: int, numbers: Mapping[str, object]) -> bytes:
    """The numbers that Home Assistant draws; `waiting` events have not been acknowledged yet.

    `numbers`: the newest event's `seq`, its `generation`, after which number this broker gets events, and the
    daemon's `run`.
    """
    values = {key: report[key] for key in STATS if key in report}
    return _json({**values, "events_waiting": waiting, **numbers})


def again_payload(*, generation: str, after: int) -> bytes:
    """What asks a daemon to send its events after a number again."""
    return _json({"generation": generation, "after": after})


def again_after(payload: bytes, *, generation: str) -> int | None:
    """Read that; None where it is something else, or means other numbers than the daemon's."""
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("generation") != generation:
        return None
    after = fields.get("after")
    return after if isinstance(after, int) and not isinstance(after, bool) and after >= 0 else None


def _json(values: Mapping[str, object]) -> bytes:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
