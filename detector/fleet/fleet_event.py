"""What daemons publish, as a collector takes it: events and what a daemon says of itself.

docs/mqtt.md describes the topics and payloads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from detector.errors import DetectorError
from detector.sinks.mqtt.topics import node_fault
from detector.wire.utc_time import utc_seconds

MAX_PAYLOAD_BYTES = 65_536
"""Longer payloads are refused: an event has a few hundred bytes."""

_RUN = re.compile(r"(\d{8}T\d{6}Z-[0-9a-f]{4})-.")
"""What an event's id begins with: the run of the daemon (`wire.message.run_id_text`)."""

LARGEST_SEQ = 2**62
"""Above what any daemon counts to, and within what databases hold."""


class UnfitPayload(DetectorError):
    """A payload that is not what daemons publish; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class FleetEvent:
    """One message of one sound; `node`, `generation` and `seq` name it, and no other."""

    node: str
    generation: str
    seq: int
    run: str
    """The run of the daemon, within which `seq` rises by one from event to event."""
    id: str
    type: str
    source: str
    label: str
    class_id: str
    start: float
    """UTC [s since 1970]."""
    stop: float | None
    """UTC [s since 1970]; None while the sound goes on."""
    top_score: float | None
    line: str
    """The whole event as JSON."""


@dataclass(frozen=True, slots=True)
class NodeFact:
    """What a daemon says of itself; `source` is empty for the daemon, or for its only source."""

    node: str
    source: str
    kind: str
    """`availability`, `state`, `listen` or `stats`."""
    value: str


def event_of(topic: str, payload: bytes, *, prefix: str) -> FleetEvent:
    """Read an event; raises UnfitPayload.

    The topic says whose it is: a broker's rules let each daemon publish to its own topics only, so an event
    that names another node is refused.
    """
    node = _parts(topic, prefix)[0]
    fields = _object(payload)
    if fields.get("node") != node:
        raise UnfitPayload(f"expected node {node!r}, as the topic says, got {_shown(fields.get('node'))}")
    seq = fields.get("seq")
    if not is_seq(seq):
        raise UnfitPayload(f"expected seq, a whole number above 0, got {_shown(seq)}")
    id = _text(fields, "id")
    run = _RUN.match(id)
    if run is None:
        raise UnfitPayload(f"expected an id such as 20260801T140322Z-1f2a-7, got {_shown(id)}")
    start = _time(fields, "start_time")
    if start is None:
        raise UnfitPayload("expected start_time such as 2026-08-01T14:03:22.500Z, got None")
    return FleetEvent(
        node=node,
        generation=_text(fields, "generation"),
        seq=seq,
        run=run[1],
        id=id,
        type=_text(fields, "type"),
        source=_text(fields, "source"),
        label=_text(fields, "label"),
        class_id=_text(fields, "class_id"),
        start=start,
        stop=_time(fields, "end_time"),
        top_score=_score(fields.get("top_score")),
        line=_json(fields, separators=(",", ":")),
    )


def is_seq(value: object) -> TypeGuard[int]:
    """Whether it can be the number of an event."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < LARGEST_SEQ


def fact_of(topic: str, payload: bytes, *, prefix: str) -> NodeFact | None:
    """Read what a daemon says of itself; None for other topics. Raises UnfitPayload."""
    node, *rest = _parts(topic, prefix)
    for words, kind in (
        (("availability",), "availability"),
        (("source", "state"), "state"),
        (("listen",), "listen"),
        (("stats",), "stats"),
    ):
        source, ending = rest[: -len(words)], tuple(rest[-len(words) :])
        if ending == words and len(source) <= 1:
            value = _stats(payload) if kind == "stats" else _word(payload)
            return NodeFact(node, source[0] if source else "", kind, value)
    return None


def _parts(topic: str, prefix: str) -> list[str]:
    rest = topic.removeprefix(f"{prefix}/")
    parts = rest.split("/")
    if rest == topic or len(parts) < 2 or node_fault(parts[0]):
        raise UnfitPayload(f"expected a topic {prefix}/NODE/..., got {_shown(topic)}")
    return parts


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UnfitPayload(f"expected at most {MAX_PAYLOAD_BYTES} bytes, got {len(payload)}")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise UnfitPayload(f"expected a JSON object, got {_shown(payload[:40])}")
    return fields


def _stats(payload: bytes) -> str:
    fields = _object(payload)
    for key in ("generation", "run"):
        if key in fields:
            fields[key] = _text(fields, key)
    return _json(fields)


def _json(fields: dict[str, Any], separators: tuple[str, str] | None = None) -> str:
    try:
        return json.dumps(fields, ensure_ascii=True, allow_nan=False, separators=separators)
    except (ValueError, RecursionError) as error:
        raise UnfitPayload("expected numbers that JSON has, got NaN or Infinity") from error


def _word(payload: bytes) -> str:
    try:
        word = payload[:100].decode()
    except UnicodeDecodeError:
        word = ""
    if not (word.isascii() and word.isalpha()):
        raise UnfitPayload(f"expected a word such as online, got {_shown(payload[:40])}")
    return word


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value or "\0" in value:
        raise UnfitPayload(f"expected {key}, a text, got {_shown(value)}")
    return value.encode("utf-8", "replace").decode()  # a database holds no halves of characters


def _time(fields: dict[str, Any], key: str) -> float | None:
    value = fields.get(key)
    seconds = utc_seconds(value) if isinstance(value, str) else None
    if value is not None and seconds is None:
        raise UnfitPayload(f"expected {key} such as 2026-08-01T14:03:22.500Z, got {_shown(value)}")
    return seconds


def _score(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise UnfitPayload(f"expected top_score from 0 to 1, got {_shown(value)}")


def _shown(value: object) -> str:
    return repr(value)[:80]
