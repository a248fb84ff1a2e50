"""What a subscriber may send: its token, where the socket asks for one, and one line with its request."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from detector.errors import SinkError
from detector.events.groups import WantedNames
from detector.interfaces import Message
from detector.wire.message import EventBody

MAX_REQUEST_BYTES = 4096
"""Longer lines are refused; a hundred labels fit."""

KEYS = ("labels", "min_score", "since", "report", "verdict", "spectrogram", "sound", "control")
"""What a request may have."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events one subscriber gets; other messages it always gets."""

    labels: frozenset[str] = frozenset()
    """Casefolded label names or class ids; empty is all."""
    min_score: float = 0.0
    """0..1, compared with `top_score`: an event that has passed once passes until its end."""
    alone: frozenset[str] = frozenset()
    """Casefolded names that stand for themselves only, not for what lies below them; groups have some."""
    events: bool = True
    """False keeps all events back."""

    @staticmethod
    def of(names: Iterable[str], min_score: float = 0.0) -> Filter:
        """Make it of the names of labels, class ids and groups; of none, it is for all events."""
        wanted = WantedNames.of(names)
        return Filter(wanted.names, min_score, wanted.alone)

    def passes(self, message: Message) -> bool:
        """Whether a message may go to the subscriber."""
        event = message.body
        if not isinstance(event, EventBody):
            return True
        if not self.events:
            return False
        if (self.labels or self.alone) and not self._names(event):
            return False
        score = event.top_score
        return self.min_score <= 0.0 or (score is not None and score >= self.min_score)

    def _names(self, event: EventBody) -> bool:
        """Whether the event's label, its class or a class above it is wanted: `Dog` gets `Bark` too.

        So is an event that was wanted under an earlier label: it passes until its end.
        """
        above = (*event.ancestors, *event.earlier)  # which has classes above earlier labels, too
        return WantedNames(self.labels, self.alone).hold((event.label, event.class_id), above)


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """The line with what somebody says of an event, or with what they take back."""

    id: str = ""
    """The event's `id`, the beginning or the end of it, or `last`; empty to take verdicts back."""
    said: str = ""
    """`right`, `wrong` or the label that is right."""
    forget: str = ""
    """Take these back: an event's `id`, a label, or `all`."""


@dataclass(frozen=True, slots=True)
class WatchLine:
    """The line of somebody who wants to see or hear a source as it sounds."""

    source: str = ""
    """What events call the source; empty is the first one."""
    full: bool = False
    """Whether sound is wanted at the classifier's own rate."""


@dataclass(frozen=True, slots=True)
class ControlLine:
    """The line of somebody who wants something of the daemon: to pause or listen, or else to reload."""

    pause: bool | None = None
    """Whether to throw the sound away unheard; None: read the settings again."""
    source: str = ""
    """The source that is meant by `pause`; empty is all."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a subscriber asks for."""

    filter: Filter = Filter()
    since: int | None = None
    """First send the events after this `seq` that are still kept; None is no replay."""
    labels: tuple[str, ...] = field(default=(), compare=False)
    """The names of the filter as they were written."""
    report: bool = False
    """Whether it asks for the daemon's report, once, and nothing else."""
    verdict: VerdictLine | None = None
    """A verdict that is given, and nothing else."""
    spectrogram: WatchLine | None = None
    """Whose spectrogram it asks for, instead of events."""
    sound: WatchLine | None = None
    """Whose sound it asks for, instead of events."""
    control: ControlLine | None = None
    """What the daemon is to do, and nothing else."""

    def with_labels(self, names: Iterable[str]) -> Request:
        """The same, and events of these labels as well."""
        labels = self.filter.labels.union(name.casefold() for name in names)
        return replace(self, filter=replace(self.filter, labels=labels))


def parse_request(line: bytes) -> Request:
    """Read a request; raises SinkError with a message that is sent to the subscriber."""
    try:
        fields = json.loads(line) if line.strip() else {}
    except (ValueError, RecursionError):
        raise SinkError("request: expected one line with a JSON object, got something else") from None
    if not isinstance(fields, dict):
        raise SinkError('request: expected a JSON object such as {"labels": ["Dog"]}, got another value')
    if "token" in fields:
        raise SinkError("request: expected no token: this socket needs none, or got it already")
    if "report" in fields:
        if fields != {"report": True}:
            raise SinkError('request: expected {"report": true} alone, got something beside or in it')
        return Request(report=True)
    if "verdict" in fields:
        return Request(verdict=_verdict(fields))
    if "spectrogram" in fields:
        return Request(Filter(events=False), spectrogram=_watch("spectrogram", fields))
    if "sound" in fields:
        return Request(Filter(events=False), sound=_watch("sound", fields))
    if "control" in fields:
        return Request(control=_control(fields))
    if unknown := sorted(fields.keys() - {"labels", "min_score", "since"}):
        raise SinkError(f"request: expected the keys {', '.join(KEYS)}, got {unknown[0][:40]!r}")
    labels = _labels(fields.get("labels"))
    return Request(
        Filter.of(labels, _min_score(fields.get("min_score"))),
        _since(fields.get("since")),
        labels,
    )


def parse_token(line: bytes) -> bytes:
    """Read the line that holds a token; a line of another form gives b"", which is no token."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return b""
    if not isinstance(fields, dict) or fields.keys() != {"token"} or not isinstance(fields["token"], str):
        return b""
    return fields["token"].encode("utf-8", "replace")


def _verdict(fields: dict[str, object]) -> VerdictLine:
    value = fields["verdict"]
    if isinstance(value, dict) and len(fields) == 1 and all(isinstance(item, str) for item in value.values()):
        if value.keys() == {"id", "said"} and value["id"].strip() and value["said"].strip():
            return VerdictLine(id=value["id"], said=value["said"])
        if value.keys() == {"forget"} and value["forget"].strip():
            return VerdictLine(forget=value["forget"])
    raise SinkError(
        'request: expected {"verdict": {"id": "...", "said": "wrong"}} alone, with right, wrong or a label, '
        'or {"verdict": {"forget": "..."}}'
    )


def _watch(key: str, fields: dict[str, object]) -> WatchLine:
    value = fields[key]
    known = {"source", "full"} if key == "sound" else {"source"}
    if isinstance(value, dict) and len(fields) == 1 and not value.keys() - known:
        source, full = value.get("source", ""), value.get("full", False)
        if isinstance(source, str) and isinstance(full, bool):
            return WatchLine(source, full)
    raise SinkError(f'request: expected {{"{key}": {{"source": "..."}}}} alone, or {{"{key}": {{}}}}')


def _control(fields: dict[str, object]) -> ControlLine:
    value = fields["control"]
    if isinstance(value, dict) and len(fields) == 1:
        if value == {"reload": True} and value["reload"] is True:
            return ControlLine()
        pause, source = value.get("pause"), value.get("source", "")
        if isinstance(pause, bool) and isinstance(source, str) and not value.keys() - {"pause", "source"}:
            return ControlLine(pause, source)
    raise SinkError(
        'request: expected {"control": {"pause": true}} alone, with true or false and perhaps a source, '
        'or {"control": {"reload": true}}'
    )


def _labels(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SinkError("request: expected labels to be a list of names or class ids")
    return tuple(dict.fromkeys(item.strip() for item in value))


def _min_score(value: object) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise SinkError("request: expected min_score to be a number from 0 to 1")
    return float(value)


def _since(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SinkError("request: expected since to be the seq of an event, a whole number from 0")
    return value
