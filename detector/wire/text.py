"""An event as a line for people: local time, start or end, label, score, level, duration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, tzinfo

from detector.events.naming import shared_names, told_apart

_LABEL_WIDTH = 28
"""Columns; 496 of YAMNet's 521 labels fit, a longer one pushes its own line to the right."""

_COLOURS = {"start": "\x1b[1;32m", "update": "\x1b[36m", "end": "\x1b[2m"}
_RESET = "\x1b[0m"

_HUGE = 1e9
"""No score, level or duration; a longer number would fill the terminal."""


def event_line(
    fields: Mapping[str, object],
    *,
    colour: bool = False,
    zone: tzinfo | None = None,
    shared: Collection[str] = frozenset(),
) -> str:
    """Render an event's fields without a newline; `zone` None is the machine's own.

    A start and an update show when the sound began, an end when it ended. Labels of `shared` names come with
    their model.
    """
    phase = str(fields["type"])
    moment = fields.get("end_time") or fields.get("start_time")
    label = label_text(fields, shared)
    parts = [
        local_time(moment, zone),
        f"{phase:<6}",
        f"{label:<{_LABEL_WIDTH}}",
        _number(fields.get("top_score" if phase == "end" else "score"), 5, 2),
        _number(fields.get("level_dbfs"), 6, 1) + " dBFS",
    ]
    if phase != "start":
        parts.append(_number(fields.get("duration"), 7, 1) + " s")
    line = "  ".join(parts)
    return f"{_COLOURS.get(phase, '')}{line}{_RESET}" if colour else line


def label_text(fields: Mapping[str, object], shared: Collection[str]) -> str:
    """An event's label as a terminal may show it."""
    return printable(told_apart(str(fields.get("label")), str(fields.get("model")), shared))


def shared_in(hello: Mapping[str, object]) -> frozenset[str]:
    """The names that several of a daemon's labels have; none where its hello tells no labels."""
    labels = hello.get("labels")
    return shared_names(map(str, labels)) if isinstance(labels, list) else frozenset()


def local_time(moment: object, zone: tzinfo | None = None) -> str:
    """`14:03:21.120` for an RFC 3339 text; blanks of the same width for anything else."""
    try:
        return f"{datetime.fromisoformat(str(moment)).astimezone(zone):%H:%M:%S.%f}"[:12]
    except (ValueError, OverflowError):
        return " " * 12


def printable(text: str) -> str:
    """Replace what could move a terminal's cursor or change its colours."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _number(value: object, width: int, digits: int) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE:
        return f"{value:{width}.{digits}f}"
    return "-".rjust(width)
