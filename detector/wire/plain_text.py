"""Messages as text for people: an event as one line, a report as aligned lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, tzinfo

from detector.events.naming import told_apart
from detector.files.terminal import cells, escape, escape_lines, padded, shortened
from detector.wire.message import EventBody
from detector.wire.source_table import source_lines

_LABEL_WIDTH = 28
"""Columns; 496 of YAMNet's 521 labels fit, a longer one pushes its own line to the right."""

_SOURCE_WIDTH = 10
"""Columns of a source's name."""

COLUMNS = 79
"""Of a line that leaves the cursor on it, on a terminal of 80."""

_BAR_LOW_DBFS, _BAR_CELLS = -80.0, 16
"""The level at the left end of a bar, whose right end is full scale, and its width."""

DIM, RESET = "\x1b[2m", "\x1b[0m"
_COLOURS = {"start": "\x1b[1;32m", "update": "\x1b[36m", "end": DIM}

_HUGE = 1e9
"""No score, level or duration; a longer number would fill the terminal."""


def event_line(
    event: EventBody,
    *,
    colour: bool = False,
    zone: tzinfo | None = None,
    shared: Collection[str] = frozenset(),
    with_source: bool = False,
) -> str:
    """Render an event without a newline; `zone` None is the machine's own.

    A start and an update show when the sound began, an end when it ended. Labels of `shared` names come with
    their model, sounds of several sources with the name of theirs.
    """
    phase = event.kind
    label = label_text(event, shared)
    parts = [
        local_time(event.end_time or event.start_time, zone),
        f"{phase:<6}",
        *_source_column(event, with_source),
        padded(label, _LABEL_WIDTH),
        _number(event.top_score if phase == "end" else event.score, 5, 2),
        _number(event.level_dbfs, 6, 1) + " dBFS",
    ]
    if phase != "start":
        parts.append(_number(event.duration, 7, 1) + " s")
    line = "  ".join(parts)
    return f"{_COLOURS[phase]}{line}{RESET}" if colour else line


def sound_line(
    event: EventBody,
    *,
    colour: bool = False,
    zone: tzinfo | None = None,
    shared: Collection[str] = frozenset(),
    columns: int = COLUMNS,
    with_source: bool = False,
) -> str:
    """Render a sound as one line of at most `columns`, which a later one of the same sound may replace.

    When it began, its source where several are told apart, its label, its highest score, its level and how
    long it lasts so far; then, dimmed, what it may be as well.
    """
    label = shortened(label_text(event, shared), _LABEL_WIDTH)
    parts = [
        local_time(event.start_time, zone)[:8],
        *_source_column(event, with_source),
        padded(label, _LABEL_WIDTH),
        _number(event.top_score, 4, 2),
        _number(event.level_dbfs, 5, 0) + " dB",
        _number(event.duration, 6, 1) + " s",
    ]
    line = shortened("  ".join(parts), columns)
    rivals = ", ".join(escape(other.label) for other in event.alternatives)
    rivals = shortened(rivals, columns - cells(line) - 2)
    if not colour:
        return f"{line}  {rivals}".rstrip()
    bright = "" if event.kind == "end" else _COLOURS["start"]
    return f"{bright}{line}{RESET}  {DIM}{rivals}{RESET}" if rivals else f"{bright}{line}{RESET}"


def _source_column(event: EventBody, with_source: bool) -> list[str]:
    return [padded(shortened(escape(event.source), _SOURCE_WIDTH), _SOURCE_WIDTH)] if with_source else []


def level_bar(dbfs: float) -> str:
    """A bar as long as the sound is loud, and the level: `[========        ]  -40 dBFS`."""
    share = min(1.0, max(0.0, 1 - dbfs / _BAR_LOW_DBFS))
    return f"[{'=' * round(share * _BAR_CELLS):{_BAR_CELLS}}] {dbfs:4.0f} dBFS"


def label_text(event: EventBody, shared: Collection[str]) -> str:
    """An event's label as a terminal may show it."""
    return escape(told_apart(event.label, event.model, shared))


def local_time(moment: str | None, zone: tzinfo | None = None) -> str:
    """`14:03:21.120` for an RFC 3339 text; blanks of the same width for anything else."""
    try:
        return f"{datetime.fromisoformat(str(moment)).astimezone(zone):%H:%M:%S.%f}"[:12]
    except (ValueError, OverflowError):
        return " " * 12


REPORT_LISTS = {
    "sinks": ("sink", "name"),
    "notify_rules": ("notify rule", "rule"),
    "notify_targets": ("notify target", "name"),
    "brokers": ("broker", "name"),
}
"""Lists of a report -> what each of their items is, and which of its values names it; but for its sources."""


_LONGEST_ALIGNED = 40
"""Characters of a name that the values of a report are aligned with."""


def report_text(values: Mapping[str, object]) -> str:
    """A report's values as aligned lines; its sources, where they have names, as a table below."""
    sources = values.get("sources")
    left_out = {*REPORT_LISTS, "sources", *(("source",) if sources else ())}
    rows = [(key.replace("_", " "), value) for key, value in values.items() if key not in left_out]
    for key, (what, name) in REPORT_LISTS.items():
        listed = values.get(key)
        for each in listed if isinstance(listed, list) else ():
            facts = ", ".join(
                f"{fact} {'-' if value is None else value}"
                for fact, value in each.items()
                if fact != name and value != ""
            )
            rows.append((f"{what} {each[name]}", facts))
    # A long name, such as a socket's, moves the values of no other line.
    width = max((len(name) for name, _ in rows if len(name) <= _LONGEST_ALIGNED), default=0)
    lines = [f"{name:{width}}  {'-' if value is None else value}" for name, value in rows]
    if isinstance(sources, list) and sources:
        lines += ["", *source_lines(sources)]
    return escape_lines("\n".join(lines))


def _number(value: float | None, width: int, digits: int) -> str:
    if value is not None and abs(value) < _HUGE:
        return f"{value:{width}.{digits}f}"
    return "-".rjust(width)
