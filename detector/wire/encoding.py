"""Message bodies as lines of JSON, and back: the only module that knows the keys of the wire.

Every line starts with `type` and ends with `schema`; an event's line then carries `seq`, the number that the
dispatcher gives. The other keys are the fields of the body, in their order. tests/golden/ freezes the lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

from detector.interfaces import Body, Message
from detector.records import Phase
from detector.wire.live_bodies import ControlBody, SoundBody, SpectrogramBody
from detector.wire.message import (
    LEFT_OUT,
    NOT_SENT,
    ClipBody,
    DroppedBody,
    ErrorBody,
    EventBody,
    HeartbeatBody,
    HelloBody,
    NoticeBody,
    ReportBody,
    StatusBody,
    UnknownBody,
    VerdictBody,
)

T = TypeVar("T")

SCHEMA = 1
"""Grows when a field is removed or changes its meaning; new fields leave it as it is."""

_OPEN = (ReportBody, UnknownBody)
_EVENT_KINDS = frozenset(get_args(Phase))
_BODIES: dict[str, type[Body]] = {
    body.kind: body
    for body in (
        HelloBody,
        HeartbeatBody,
        StatusBody,
        ClipBody,
        DroppedBody,
        ErrorBody,
        NoticeBody,
        VerdictBody,
        SpectrogramBody,
        SoundBody,
        ControlBody,
    )
}


def encode(body: Body, seq: int | None = None) -> Message:
    """Make the message of a body, `seq` for an event; whatever the body holds, the line is valid."""
    if isinstance(body, _OPEN):
        values = {"type": body.kind, **body.values}
    else:
        layout = _layout(type(body))
        values = dict(zip(layout.keys, layout.values(body), strict=True))
        for key in layout.left_out:
            if values[key] is None:
                del values[key]
    values["schema"] = SCHEMA
    if seq is not None:
        values["seq"] = seq
    try:
        line = _JSON.encode(values).encode()
    except (TypeError, ValueError):  # half a surrogate, as in an odd file name, is a ValueError
        line = _JSON.encode(_clean(values)).encode()
    return Message(body, seq, line + b"\n")


def decode(line: bytes) -> Message:
    """Read a message, its line with or without the newline; raises ValueError for what is none.

    A field that is missing or of another type is None where it may be, else empty or 0.
    """
    try:
        values = json.loads(line.decode())
    except RecursionError:
        values = None
    kind = values.get("type") if isinstance(values, dict) else None
    if not isinstance(kind, str):
        raise ValueError("expected a JSON object with a type")
    seq = None
    body: Body
    if kind in _EVENT_KINDS:
        body = _read(EventBody, values)
        seq = number if type(number := values.get("seq")) is int else None
    elif (form := _BODIES.get(kind)) is not None:
        body = _read(form, values)
    else:
        rest = {key: value for key, value in values.items() if key not in ("type", "schema")}
        body = ReportBody(rest) if kind == ReportBody.kind else UnknownBody(kind, rest)
    return Message(body, seq, line if line.endswith(b"\n") else line + b"\n")


class _Reader(NamedTuple):
    """How a field is read: a JSON value of one of these types as it is or converted, any other as `empty`."""

    accepted: frozenset[type]
    empty: object
    convert: Callable[[Any], object] | None = None


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a body's fields stand on the line, in their order."""

    keys: tuple[str, ...]
    values: Callable[[object], tuple[object, ...]]
    readers: tuple[tuple[str, str, _Reader], ...]
    """Name of each field of the body, its key, and how it is read."""
    left_out: tuple[str, ...]
    """Keys that are left out where their value is None."""


@cache
def _layout(form: type) -> _Layout:
    hints = get_type_hints(form)
    own = [field.name for field in fields(form) if field.metadata != NOT_SENT]
    names = ["kind", *(name for name in own if name != "kind")] if "kind" in hints else own
    return _Layout(
        tuple(map(_key, names)),
        attrgetter(*names),
        tuple((name, _key(name), _reader(hints[name])) for name in own),
        tuple(_key(field.name) for field in fields(form) if field.metadata == LEFT_OUT),
    )


def _key(name: str) -> str:
    return "type" if name == "kind" else name


def _reader(hint: object) -> _Reader:
    """How a field with this type hint is read."""
    if get_origin(hint) is Literal:  # the kind, which is known: the body was chosen by it
        return _Reader(frozenset({str}), "")
    if get_origin(hint) is tuple:
        return _Reader(frozenset({list}), (), partial(_items, get_args(hint)[0]))
    types = cast("tuple[type, ...]", get_args(hint) or (hint,))
    if get_origin(types[0]) is tuple:
        return _Reader(frozenset({list}), None, partial(_items, get_args(types[0])[0]))
    if is_dataclass(types[0]):
        return _Reader(frozenset({dict}), None, partial(_read, types[0]))
    empty = None if type(None) in types else types[0]()
    return _Reader(frozenset((*types, int) if float in types else types), empty)


def _items(form: type, values: list[object]) -> tuple[object, ...]:
    """The items of a list that are of one type; a dataclass is made of an object of its fields."""
    if is_dataclass(form):
        return tuple(_read(form, value) for value in values if isinstance(value, dict))
    return tuple(value for value in values if isinstance(value, form))


def _read(form: Callable[..., T], values: Mapping[str, object]) -> T:
    """Make a body, or a dataclass inside one, of a JSON object."""
    read = {}
    for name, key, (accepted, empty, convert) in _layout(form).readers:
        value = values.get(key)
        if type(value) not in accepted:
            value = empty
        elif convert is not None:
            value = convert(value)
        read[name] = value
    return form(**read)


def _plain(value: object) -> dict[str, object]:
    """A dataclass inside a body becomes an object of its fields."""
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is not JSON")
    return {field.name: getattr(value, field.name) for field in fields(value)}


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value):
        value = _plain(value)
    if isinstance(value, Mapping):
        return {_text(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return _text(value)


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()
