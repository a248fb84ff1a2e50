"""What the daemon says, typed: one body for each type of message (docs/protocol.md defines each field).

Times are RFC 3339 text in UTC with milliseconds, numbers are rounded, None is what is not known. A new field
is added where it is to stand on the line, with a default for lines without it; `wire.encoding` makes lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar

from detector.interfaces import Message
from detector.records import Embedding, Event, Phase, VerdictNote
from detector.wire.pattern_body import PatternBody

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LEFT_OUT = {"wire": "left out"}
"""Metadata of a field that is left out of the line where it is None."""
NOT_SENT = {"wire": "not sent"}
"""Metadata of a field that is never on the line."""


@dataclass(frozen=True, slots=True)
class AlternativeBody:
    """What a sound may be as well; `score` is its highest mean over a few windows so far."""

    label: str
    score: float | None


@dataclass(frozen=True, slots=True)
class VetoBody:
    """Why an event is told to nobody: the number of verdicts on like sounds, and the `id` of the nearest."""

    verdicts: int
    nearest: str


@dataclass(frozen=True, slots=True)
class RenameBody:
    """Why an event has another label than `heard`, which the detector gave; else as in VetoBody."""

    heard: str
    verdicts: int
    nearest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBody:
    """A sound began, goes on or has ended; only messages about sounds are numbered and kept."""

    kind: Phase
    id: str
    label: str
    class_id: str
    ancestors: tuple[str, ...] = ()
    score: float | None
    top_score: float | None
    start_time: str | None
    end_time: str | None
    time: str | None
    duration: float | None
    source: str
    model: str
    level_dbfs: float | None
    alternatives: tuple[AlternativeBody, ...] = ()
    earlier: tuple[str, ...] = ()
    verdict: RenameBody | None = field(default=None, metadata=LEFT_OUT)
    vetoed: VetoBody | None = field(default=None, metadata=LEFT_OUT)
    pattern: PatternBody | None = field(default=None, metadata=LEFT_OUT)
    embedding: Embedding | None = field(default=None, compare=False, repr=False, metadata=NOT_SENT)

    @property
    def heard(self) -> str:
        """The label that the detector gave, whatever verdicts made of it."""
        return self.label if self.verdict is None else self.verdict.heard


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloBody:
    """The daemon introduces itself; the event socket fills in the fields that have a default."""

    kind: ClassVar[str] = "hello"
    version: str
    run_id: str
    state: str = "starting"
    source: str
    sources: tuple[str, ...] | None = field(default=None, metadata=LEFT_OUT)
    model: str
    labels: tuple[str, ...]
    time: str | None = None
    heartbeat_seconds: float | None = None
    history: bool = False
    oldest_seq: int | None = None
    generation: str = ""
    generation_seq: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatBody:
    """The daemon is alive; `seq` is the newest event's number, 0 before the first."""

    kind: ClassVar[str] = "heartbeat"
    state: str
    time: str | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusBody:
    """A source's state has changed: `listening`, `device_lost`, ...; `detail` is a line for people.

    `overall` is the worst state of all sources, where several have names.
    """

    kind: ClassVar[str] = "status"
    state: str
    overall: str | None = field(default=None, metadata=LEFT_OUT)
    source: str
    detail: str = ""
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipBody:
    """The sound around some events was written to a file, or was not; sent when its post-roll is over."""

    kind: ClassVar[str] = "clip"
    id: str
    state: str
    reason: str = ""
    path: str | None
    label: str
    start_time: str | None
    duration: float | None
    events: tuple[str, ...] = ()
    source: str
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedBody:
    """One subscriber does not get `count` messages: it read too slowly, or `detail` says why."""

    kind: ClassVar[str] = "dropped"
    count: int
    detail: str = ""
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """Why the daemon closes one subscriber's connection."""

    kind: ClassVar[str] = "error"
    message: str
    time: str | None


@dataclass(frozen=True, slots=True)
class ReportedAsBody:
    """A name that a subscriber asks for, and the label under which such sounds are reported."""

    name: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeBody:
    """What is odd about one subscriber's request, which is served all the same."""

    kind: ClassVar[str] = "notice"
    message: str
    unknown_labels: tuple[str, ...] = ()
    reported_as: tuple[ReportedAsBody, ...] = ()
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictBody:
    """The answer to one subscriber's verdict: what was stored, or taken back."""

    kind: ClassVar[str] = "verdict"
    id: str
    label: str
    said: str | None
    replaced: str | None
    fell_out: str | None
    on_label: int
    taken_back: int
    message: str
    time: str | None


@dataclass(frozen=True, slots=True)
class ReportBody:
    """How the daemon is: names and JSON-ready values, which `status` shows whatever they are."""

    kind: ClassVar[str] = "report"
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class UnknownBody:
    """A type of message that this version does not know."""

    kind: str
    values: Mapping[str, object]


def event_body(
    event: Event,
    *,
    to_utc: Callable[[int], float],
    sample_rate: int,
    source: str,
    run_id: str,
) -> EventBody:
    """Describe an event; `to_utc` maps a sample index to UTC seconds since 1970."""
    stop = event.decided if event.offset is None else event.offset
    return EventBody(
        kind=event.phase,
        id=f"{run_id}-{event.id}",
        label=event.label.name,
        class_id=event.label.class_id,
        ancestors=event.label.ancestor_names,
        score=finite(event.score, 3),
        top_score=finite(event.top_score, 3),
        start_time=utc_text(to_utc(event.onset)),
        end_time=None if event.offset is None else utc_text(to_utc(event.offset)),
        time=utc_text(to_utc(event.decided)),
        duration=finite((stop - event.onset) / sample_rate, 3),
        source=source,
        model=event.label.model,
        level_dbfs=finite(event.level_dbfs, 1),
        alternatives=tuple(
            AlternativeBody(other.label.name, finite(other.score, 3)) for other in event.alternatives
        ),
        earlier=tuple(
            dict.fromkeys(
                name
                for label in event.earlier
                for name in (label.name, label.class_id, *label.ancestor_names)
            )
        ),
        verdict=_rename_body(event.verdict),
        vetoed=_veto_body(event.verdict),
        pattern=PatternBody.of(event.pattern),
        embedding=event.embedding,
    )


def _rename_body(note: VerdictNote | None) -> RenameBody | None:
    if note is None or note.outcome != "rename":
        return None
    return RenameBody(note.heard.name, note.verdicts, note.nearest)


def _veto_body(note: VerdictNote | None) -> VetoBody | None:
    return None if note is None or note.outcome != "veto" else VetoBody(note.verdicts, note.nearest)


def event_of(message: Message) -> EventBody:
    """The event that a message is about; raises ValueError where it is about something else."""
    if not isinstance(message.body, EventBody):
        raise ValueError(f"expected an event, got {message.kind!r}")
    return message.body


def run_id_text(started: float, salt: int) -> str:
    """Name one run of the daemon from its start [UTC seconds] and 16 random bits: `20260801T140321Z-3f9a`."""
    start = _EPOCH + timedelta(seconds=int(started))
    return f"{start:%Y%m%dT%H%M%SZ}-{salt & 0xFFFF:04x}"


def utc_text(seconds: float) -> str | None:
    """RFC 3339 with milliseconds for UTC seconds since 1970; None for what is no time."""
    try:
        second, millisecond = divmod(round(float(seconds) * 1000), 1000)
        return f"{_second_text(second)}.{millisecond:03d}Z"
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=16)
def _second_text(second: int) -> str:
    """A whole second as text; the times of one event, and of the next, are often within the same ones."""
    return (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat()


def finite(value: float, digits: int) -> float | None:
    """Round for the wire; None for NaN and infinities, and never a negative zero."""
    number = float(value)
    return round(number, digits) + 0.0 if math.isfinite(number) else None
