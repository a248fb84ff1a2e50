"""Settings as YAML with a word on what was changed: plain data in, text out.

A key is the tuple of names on the way to it: ("events", "labels", "Dog").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from detector.config.yamltext import scalar
from detector.files.terminal import escape

Key: TypeAlias = tuple[str, ...]
Notes: TypeAlias = Mapping[Key, Sequence[str]]
"""Lines that stand as comments above a key."""


def config_text(head: Sequence[str], tree: Mapping[str, object], notes: Notes) -> str:
    """The file: `head` as comments, then the tree."""
    lines = [*_comments(head, ""), ""]
    for name, value in tree.items():
        lines += _lines((name,), value, notes)
    return "".join(f"{line}\n" for line in lines)


def _lines(key: Key, value: object, notes: Notes) -> Iterator[str]:
    pad = "  " * (len(key) - 1)
    yield from _comments(notes.get(key, ()), pad)
    if isinstance(value, Mapping) and value:
        yield f"{pad}{scalar(key[-1])}:"
        for name, inner in value.items():
            yield from _lines((*key, str(name)), inner, notes)
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        yield f"{pad}{scalar(key[-1])}:"
        for item in value:
            yield f"{pad}  - {flow_text(item)}"
    else:
        yield f"{pad}{scalar(key[-1])}: {flow_text(value)}"


def flow_text(value: object) -> str:
    """Plain data on one line: `[Dog, "Baby cry, infant cry"]`, `{threshold_on: 0.4}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name)}: {flow_text(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow_text, value))}]"
    return scalar(value)


def _comments(lines: Sequence[str], pad: str) -> Iterator[str]:
    for line in lines:
        yield f"{pad}# {escape(line)}".rstrip()
