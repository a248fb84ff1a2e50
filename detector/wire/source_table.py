"""The sources of a report as a table for people, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from detector.files.terminal import cells, escape, padded, shortened

COLUMNS = 79
_LONGEST_NAME = 14

MOST_NAMES = 4
"""So many names stand in a line for people; the others are counted."""

_FACTS: tuple[tuple[str, str, int], ...] = (
    ("level_dbfs", "dBFS", 6),
    ("gain_db", "gain", 5),
    ("windows", "windows", 8),
    ("windows_skipped", "left out", 8),
    ("events", "events", 6),
    ("lost_seconds", "lost s", 7),
    ("late_seconds", "late s", 6),
)
"""Key, heading and width; a source's other values are in the report as JSON."""


def source_lines(sources: Sequence[object]) -> list[str]:
    """A heading, a line for each source, and below it what is wrong with it.

    What several sources have in common is said once, below them all.
    """
    rows = [source for source in sources if isinstance(source, Mapping)]
    names = [escape(str(row.get("name"))) for row in rows]
    width = min(_LONGEST_NAME, max((cells(name) for name in ("source", *names)), default=0))
    having: dict[str, list[str]] = {}
    for row, name in zip(rows, names, strict=True):
        having.setdefault(_detail(row), []).append(name)
    having.pop("", None)
    lines = [f"{'source':{width}}  {'state':11}" + "".join(f" {head:>{w}}" for _, head, w in _FACTS)]
    for row, name in zip(rows, names, strict=True):
        state = padded(shortened(escape(str(row.get("state"))), 11), 11)
        facts = "".join(f" {_text(row.get(key)):>{w}}" for key, _, w in _FACTS)
        lines.append(f"{padded(shortened(name, width), width)}  {state}{facts}")
        if len(having.get(detail := _detail(row), ())) == 1:
            lines += _note(detail)
    for detail, of in having.items():
        if len(of) > 1:
            lines += _note(f"{detail} ({'all sources' if len(of) == len(rows) else some_names(of)})")
    return lines


def some_names(names: Sequence[str]) -> str:
    """All of a few names; of many the first ones, and how many others there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST_NAMES])} and {more} others"


def _detail(row: Mapping[str, object]) -> str:
    return escape(str(row.get("detail") or ""))


def _note(text: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, initial_indent="    ", subsequent_indent="    ")


def _text(value: object) -> str:
    return "-" if value is None else escape(str(value))
