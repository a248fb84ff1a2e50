"""The wire format: what happened, as one JSON object on one line.

Every message starts with `type` and ends with `schema` (events then carry `seq`, which the
dispatcher gives). Times are RFC 3339 in UTC with milliseconds; numbers are rounded; a value that
is not finite becomes null. docs/protocol.md defines each field and tests/golden/ freezes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from detector.interfaces import Message
from detector.records import Event

SCHEMA = 1
"""Grows when a field is removed or changes its meaning; new fields leave it as it is."""

EVENT_TYPES = frozenset({"start", "update", "end"})
"""The types that tell of a sound; they alone carry `seq`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_fields(
    event: Event,
    *,
    to_utc: Callable[[int], float],
    sample_rate: int,
    source: str,
    run_id: str,
) -> dict[str, object]:
    """Describe an event; `to_utc` maps a sample index to UTC seconds since 1970."""
    stop = event.decided if event.offset is None else event.offset
    return {
        "type": event.phase,
        "id": f"{run_id}-{event.id}",
        "label": event.label.name,
        "class_id": event.label.class_id,
        "ancestors": list(event.label.ancestor_names),
        "score": finite(event.score, 3),
        "top_score": finite(event.top_score, 3),
        "start_time": utc_text(to_utc(event.onset)),
        "end_time": None if event.offset is None else utc_text(to_utc(event.offset)),
        "time": utc_text(to_utc(event.decided)),
        "duration": finite((stop - event.onset) / sample_rate, 3),
        "source": source,
        "model": event.label.model,
        "level_dbfs": finite(event.level_dbfs, 1),
        "schema": SCHEMA,
    }


def hello_fields(
    *, version: str, model: str, labels: Sequence[str], source: str, run_id: str, state: str = "starting"
) -> dict[str, object]:
    """Introduce the daemon; the server fills in `time`, `state`, `seq`, `oldest_seq` and the beat."""
    return {
        "type": "hello",
        "version": version,
        "run_id": run_id,
        "state": state,
        "source": source,
        "model": model,
        "labels": list(labels),
        "time": None,
        "heartbeat_seconds": None,
        "history": False,
        "oldest_seq": None,
        "seq": 0,
        "schema": SCHEMA,
    }


def heartbeat_fields(*, time: float, state: str, seq: int) -> dict[str, object]:
    """Say that the daemon lives; `seq` is the newest event's, 0 before the first."""
    return {"type": "heartbeat", "state": state, "time": utc_text(time), "seq": seq, "schema": SCHEMA}


def status_fields(state: str, *, source: str, time: float, detail: str = "") -> dict[str, object]:
    """Say that the daemon's state changed: `listening`, `device_lost`, ..., with a line for people."""
    return {
        "type": "status",
        "state": state,
        "source": source,
        "detail": detail,
        "time": utc_text(time),
        "schema": SCHEMA,
    }


def dropped_fields(count: int, *, time: float) -> dict[str, object]:
    """Tell one subscriber how many of its messages were lost because it read too slowly."""
    return {"type": "dropped", "count": count, "time": utc_text(time), "schema": SCHEMA}


def error_fields(message: str, *, time: float) -> dict[str, object]:
    """Tell one subscriber why its connection is being closed."""
    return {"type": "error", "message": message, "time": utc_text(time), "schema": SCHEMA}


def encode(fields: Mapping[str, object]) -> Message:
    """Render fields, in their order, as one line of JSON; whatever they hold, the line is valid."""
    try:
        return Message(fields=fields, line=_line(fields))
    except (TypeError, ValueError):  # half a surrogate, as in an odd file name, is a ValueError
        clean = {_text(key): _clean(value) for key, value in fields.items()}
        return Message(fields=clean, line=_line(clean))


def run_id_text(started: float, salt: int) -> str:
    """Name one run of the daemon from its start [UTC seconds] and 16 random bits: `20260801T140321Z-3f9a`."""
    start = _EPOCH + timedelta(seconds=int(started))
    return f"{start:%Y%m%dT%H%M%SZ}-{salt & 0xFFFF:04x}"


def utc_text(seconds: float) -> str | None:
    """RFC 3339 with milliseconds for UTC seconds since 1970; None for what is no time."""
    try:
        moment = _EPOCH + timedelta(milliseconds=round(float(seconds) * 1000))
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def finite(value: float, digits: int) -> float | None:
    """Round for the wire; None for NaN and infinities, and never a negative zero."""
    number = float(value)
    return round(number, digits) + 0.0 if math.isfinite(number) else None


def _line(fields: Mapping[str, object]) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode() + b"\n"


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_text(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return _text(value)


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()
