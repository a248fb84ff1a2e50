"""Where in a YAML text each value stands: a tree of spans, and the comments between them.

All positions are in characters since the beginning of the text. `text_edit` changes settings by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from detector.config import yamltext

_Event: TypeAlias = Any


@dataclass(slots=True)
class YamlSpan:
    """One value: a scalar, a mapping or a sequence."""

    kind: Literal["scalar", "mapping", "sequence"]
    start: int
    stop: int
    """Behind its last character; a value that is left out has none, and stands behind its colon."""
    flow: bool = False
    """Written in brackets."""
    entries: list[YamlEntry] = field(default_factory=list)
    """Of a mapping."""
    items: list[YamlSpan] = field(default_factory=list)
    """Of a sequence."""

    def entry(self, name: str) -> YamlEntry | None:
        """The entry of that name, where this is a mapping that has it."""
        return next((entry for entry in self.entries if entry.name == name), None)


@dataclass(slots=True)
class YamlEntry:
    """One `name: value` of a mapping."""

    name: str
    start: int
    """Of the name."""
    name_stop: int
    value: YamlSpan

    @property
    def stop(self) -> int:
        """Behind the last character of the value, or of the name where that is later."""
        return max(self.name_stop, self.value.stop)


def read_spans(text: str) -> YamlSpan | None:
    """The tree of a text that `yamltext.parse` has read without faults; None where it is empty."""
    found: YamlSpan | None = None
    events = yamltext.events(text)
    for event in events:
        if _kind(event) in ("Scalar", "MappingStart", "SequenceStart"):
            found = _span(event, events, text)
    return found


def comments(text: str) -> list[tuple[int, int]]:
    """The comments of such a text, each from its # to the end of its line, in order."""
    found = []
    position = 0
    spans = [(event.start_mark.index, event.end_mark.index) for event in _scalars(text)]
    for start, stop in [*spans, (len(text), len(text))]:
        while (sign := text.find("#", position, start)) >= 0:
            end = line_end(text, sign)
            if sign == 0 or text[sign - 1] in " \t\r\n":
                found.append((sign, end))
                position = end
            else:
                position = sign + 1
        position = max(position, stop)
    return found


def line_start(text: str, position: int) -> int:
    """Where the line begins that holds this position."""
    return text.rfind("\n", 0, position) + 1


def line_end(text: str, position: int) -> int:
    """Where the line ends that holds this position, before its line break."""
    found = text.find("\n", position)
    stop = len(text) if found < 0 else found
    return stop - 1 if stop > position and text[stop - 1] == "\r" else stop


def column(text: str, position: int) -> int:
    """How many characters of its line stand before this position."""
    return position - line_start(text, position)


def _scalars(text: str) -> Iterator[_Event]:
    return (event for event in yamltext.events(text) if _kind(event) == "Scalar")


def _kind(event: _Event) -> str:
    return type(event).__name__.removesuffix("Event")


def _span(event: _Event, events: Iterator[_Event], text: str) -> YamlSpan:
    start = event.start_mark.index
    if _kind(event) == "Scalar":
        stop = event.end_mark.index
        return YamlSpan("scalar", start, start + len(text[start:stop].rstrip()))
    flow = bool(event.flow_style)
    if _kind(event) == "MappingStart":
        span = YamlSpan("mapping", start, start, flow)
        while _kind(name := next(events)) != "MappingEnd":
            value = _span(next(events), events, text)
            entry = YamlEntry(str(name.value), name.start_mark.index, name.end_mark.index, value)
            span.entries.append(entry)
            span.stop = max(span.stop, entry.stop)
        event = name
    else:
        span = YamlSpan("sequence", start, start, flow)
        while _kind(item := next(events)) != "SequenceEnd":
            span.items.append(_span(item, events, text))
            span.stop = max(span.stop, span.items[-1].stop)
        event = item
    if flow:
        span.stop = event.end_mark.index
    return span
