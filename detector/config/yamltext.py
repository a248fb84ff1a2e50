"""YAML text to plain data that remembers its lines, and back: the only user of PyYAML.

Scalars follow YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema), not PyYAML's 1.1:
`off`, `no` and `12:30` stay text, `1e-3` is a number. Keys are always text. Tags and aliases are refused, so
that memory is bounded by the length of the document. Faults are returned, never raised.
`strict.fill` makes frozen dataclasses of what is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from detector.config.wording import nearest_file
from detector.files.guarded import read_named

MAX_BYTES = 1_000_000
"""Longest document that is read; a real one has some thousands."""
MAX_DEPTH = 20
"""Deepest nesting that is read; a real one has five levels."""

MAX_FAULTS = 100
"""Faults that are looked for in one document; whoever has more has given the wrong file."""

_Event: TypeAlias = Any
"""One of yaml's event classes, which carry no types."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_AMBIGUOUS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a document."""

    line: int | None
    """From 1; None where no line is to blame."""
    key: str
    """Dotted: `events.labels.Dog.threshold_on`, `sinks[0].target`; empty for the whole document."""
    message: str
    """What was expected, what was given, what to do."""

    def at(self, name: str) -> str:
        """`NAME:LINE: key: message`, without the parts that are not known."""
        location = name if self.line is None else f"{name}:{self.line}"
        return ": ".join(part for part in (location, self.key, self.message) if part)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and its lines."""

    data: object
    lines: Mapping[str, int] = field(default_factory=dict)
    """Dotted key -> line of the key; `key[0]` -> line of the item."""


def read(path: str | Path, *, max_bytes: int = MAX_BYTES, links: bool = True) -> tuple[Document, list[Fault]]:
    """Read a file whose top level is a mapping; the document is empty where there are faults."""
    try:
        content = read_named(path, max_bytes=max_bytes, links=links)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        hint = nearest_file(path) if isinstance(error, FileNotFoundError) else ""
        return Document({}), [Fault(None, "", f"cannot be read: {reason}{hint and '; ' + hint}")]
    if len(content) > max_bytes:
        return Document({}), [Fault(None, "", f"expected at most {max_bytes} bytes: is this the right file?")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Document({}), [Fault(line, "", "expected UTF-8 text: save the file in that encoding")]
    return parse(text)


def parse(text: str, *, mapping: bool = True) -> tuple[Document, list[Fault]]:
    """Read one document, whose top level is a mapping unless `mapping` is False.

    Empty text is an empty mapping (or None). The document is empty where there are faults.
    """
    strange = _UNPRINTABLE.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        return Document({}), [Fault(line, "", f"expected text, got the character {strange[0]!a}: delete it")]
    builder = _Builder(yaml.parse(text, Loader=_LOADER))
    data: object = None
    try:
        data = builder.document()
        if mapping and data is None:
            data = {}
        elif mapping and not isinstance(data, dict):
            builder.fault(1, "", "expected `key: value` lines, got something else: is this the right file?")
    except TooManyFaults:
        pass
    except _TooDeep as error:
        builder.fault(error.args[0], "", f"expected at most {MAX_DEPTH} levels of nesting")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        reason = " ".join(" ".join(part for part in (error.context, error.problem) if part).split())
        lines = text.splitlines()
        tab = line <= len(lines) and re.match(r" *\t", lines[line - 1])
        builder.fault(line, "", f"not YAML: {reason}" + (": indent with spaces, not tabs" if tab else ""))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        builder.fault(None, "", f"not YAML: {' '.join(str(error).split())}")
    return (Document({}), builder.faults) if builder.faults else (Document(data, builder.lines), [])


def events(text: str) -> Iterator[_Event]:
    """The parser's events of a text that `parse` has read without faults; their marks count characters."""
    found: Iterator[_Event] = yaml.parse(text, Loader=_LOADER)
    return found


def join(key: str, name: str) -> str:
    """The dotted key of `name` within `key`."""
    return f"{key}.{name}" if key else name


def scalar(value: object) -> str:
    """One plain value as YAML that `parse`, and a YAML 1.1 reader, reads back as the same."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


class TooManyFaults(Exception):
    """Raised at the fault number MAX_FAULTS, which says that there may be more."""


def add_fault(faults: list[Fault], fault: Fault) -> None:
    """Add a fault; where it is one too many, raise TooManyFaults."""
    if len(faults) == MAX_FAULTS:
        faults.append(Fault(fault.line, "", "and more: mend those above first"))
        raise TooManyFaults
    faults.append(fault)


class _TooDeep(Exception):
    """Hierarchy beyond MAX_DEPTH; its argument is the line."""


class _Builder:
    """Folds the parser's events into plain data.

    Events and not nodes, because composing is recursive and expands aliases before anyone can object.
    """

    def __init__(self, events: Iterator[_Event]) -> None:
        self.faults: list[Fault] = []
        self.lines: dict[str, int] = {}
        self._events = events

    def fault(self, line: int | None, key: str, message: str) -> None:
        add_fault(self.faults, Fault(line, key, message))

    def document(self) -> object:
        """The only document's value; None where the text is empty."""
        data: object = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.fault(_line(event), "", "expected one document, got a second `---`: delete it")
            elif isinstance(event, yaml.NodeEvent):
                data = self._value(event, "", 0)
        return data

    def _value(self, event: _Event, key: str, depth: int) -> object:
        line = _line(event)
        if depth > MAX_DEPTH:
            raise _TooDeep(line)
        if isinstance(event, yaml.AliasEvent):
            self.fault(line, key, f"aliases (*{event.anchor}) are not read here: write the value out")
            return None
        if event.tag is not None:
            self.fault(line, key, f"tags ({event.tag}) are not read here: leave it out")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(key, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(key, depth)
        return self._scalar(event, key)

    def _mapping(self, key: str, depth: int) -> dict[str, object]:
        data: dict[str, object] = {}
        first_lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            if isinstance(event, yaml.ScalarEvent) and event.value:
                name = self._text(event, key)
            else:
                name = "?"
                self.fault(line, key, "expected a name before the colon: put it in quotes, on one line")
                self._value(event, key, depth + 1)
            inner = join(key, name)
            if name in data and name != "?":
                self.fault(line, inner, f"given twice, first on line {first_lines[name]}: delete one")
            first_lines.setdefault(name, line)
            self.lines.setdefault(inner, line)
            data[name] = self._value(next(self._events), inner, depth + 1)
        return data

    def _sequence(self, key: str, depth: int) -> list[object]:
        data: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            inner = f"{key}[{len(data)}]"
            self.lines[inner] = _line(event)
            data.append(self._value(event, inner, depth + 1))
        return data

    def _text(self, event: _Event, key: str) -> str:
        text: str = event.value
        if _UNUSABLE.search(text):  # by an escape: no path, name or terminal can take these
            self.fault(_line(event), key, f"expected text, got {ascii(text)[:60]}: delete the escape")
        return text

    def _scalar(self, event: _Event, key: str) -> object:
        text = self._text(event, key)
        if not event.implicit[0]:  # quoted, or a block of text
            return text
        if text in _NULLS:
            return None
        if text in _BOOLS:
            return _BOOLS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if special := _NOT_FINITE.fullmatch(text):
            return float("nan") if special[3] else float(f"{special[1]}inf")
        return text


def _line(event: _Event) -> int:
    return int(event.start_mark.line) + 1
