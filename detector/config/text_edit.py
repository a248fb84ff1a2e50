"""Changes of single settings in the text of a config file: comments, order and all other lines stay.

A change is made where the value stands, then the new text is read again: it must say what it said before but
for the change, and still hold every comment. Where it would not, the file is left to its owner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from detector.config import yamltext
from detector.config.config_text import Key, flow_text
from detector.config.yaml_spans import YamlEntry, YamlSpan, column, comments, line_end, line_start, read_spans
from detector.errors import ConfigError

Places: TypeAlias = tuple[str | int, ...]

INDENT = 2
"""Columns by which a new section is indented."""
DEEPEST_KEPT = 2
"""`events.labels` stays where its last label goes."""


def value_at(data: object, key: Key) -> object:
    """What plain data says at a key; None where it says nothing."""
    for name in key:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def with_value(text: str, key: Key, value: object) -> str:
    """The text with plain data (a scalar or a list of scalars) at a key, which is made where it is missing.

    In a list, a name means the item that has it as its `name`: ("notify", "rules", "doorbell", "enabled").
    Raises ConfigError where the text has faults, or is written in a way that cannot be changed here.
    """
    data = _data(text)
    wanted = deepcopy(data)
    places = _places(data, key)
    section: Any = wanted
    for place in places[:-1]:
        if isinstance(section, dict) and section.get(place) is None:
            section[place] = {}
        section = section[place]
        if not isinstance(section, dict | list):
            raise _unchangeable(key)
    if not isinstance(section, dict):
        raise _unchangeable(key)
    section[places[-1]] = list(value) if isinstance(value, tuple) else value
    return _checked(text, _set(text, places, value), wanted, key)


def without_key(text: str, key: Key) -> str:
    """The text without a key; a label's section that is empty then goes too. Raises ConfigError."""
    data = _data(text)
    wanted = deepcopy(data)
    root = read_spans(text)
    places = _places(data, key)
    path = _path(root, places)
    if root is None or len(path) < len(key):
        return text
    while len(path) > DEEPEST_KEPT + 1 and len(path[-2].value.entries) == 1:
        path.pop()
    section: Any = wanted
    for place in places[: len(path) - 1]:
        section = section[place]
    del section[places[len(path) - 1]]
    parent = path[-2].value if len(path) > 1 else root
    if parent.flow:
        new = _replaced(text, parent.start, parent.stop, flow_text(section), _anchor(path, text))
    else:
        new = _without_lines(text, path[-1].start, path[-1].stop, "")
        if len(parent.entries) == 1 and len(path) > 1:
            new = new[: path[-2].name_stop] + _after_colon(new[path[-2].name_stop :], "{}")
    return _checked(text, new, wanted, key)


def _places(data: object, key: Key) -> Places:
    """The key with the index of an item in place of its `name`, where a list is on the way; ConfigError."""
    places: list[str | int] = []
    for name in key:
        if not isinstance(data, list):
            places.append(name)
            data = data.get(name) if isinstance(data, dict) else None
            continue
        named = [i for i, item in enumerate(data) if isinstance(item, dict) and item.get("name") == name]
        if not named:
            raise _unchangeable(key)
        places.append(named[0])
        data = data[named[0]]
    return tuple(places)


def _data(text: str) -> dict[str, Any]:
    document, faults = yamltext.parse(text)
    if faults or not isinstance(document.data, dict):
        raise ConfigError("\n".join(fault.at("the file") for fault in faults) or "the file is no mapping")
    return document.data


def _checked(text: str, new: str, wanted: object, key: Key) -> str:
    """The new text, where it reads as wanted and has all comments."""
    document, faults = yamltext.parse(new)
    if faults or document.data != wanted or _lost(text, new):
        raise _unchangeable(key)
    return new


def _unchangeable(key: Key) -> ConfigError:
    name = ".".join(key)
    return ConfigError(f"{name} is written in a way that cannot be changed here: change it in the file")


def _lost(text: str, new: str) -> Counter[str]:
    """The comments that the new text lacks."""
    return _words(text) - _words(new)


def _words(text: str) -> Counter[str]:
    return Counter(text[start:stop].strip() for start, stop in comments(text))


def _path(root: YamlSpan | None, places: Places) -> list[YamlEntry]:
    """The entries on the way to a place, as far as there are any; an item of a list counts as one."""
    found: list[YamlEntry] = []
    span = root
    for place in places:
        if isinstance(place, int):
            item = span.items[place] if span is not None else None
            entry = None if item is None else YamlEntry("", item.start, item.start, item)
        else:
            entry = span.entry(place) if span is not None else None
        if entry is None:
            break
        found.append(entry)
        span = entry.value
    return found


def _set(text: str, places: Places, value: object) -> str:
    root = read_spans(text)
    path = _path(root, places)
    if len(path) == len(places):
        return _with_new_value(text, path, value)
    rest = [str(place) for place in places[len(path) :]]
    if not path:
        if root is None or not root.entries:
            return _with_lines_at(text, len(text), _block(rest, value, 0))
        if root.flow:
            return _with_flow_entry(text, root, rest, value)
        return _with_lines_at(text, root.stop, _block(rest, value, column(text, root.entries[0].start)))
    owner = path[-1]
    if owner.value.entries and not owner.value.flow:
        pad = column(text, owner.value.entries[0].start)
        return _with_lines_at(text, owner.value.stop, _block(rest, value, pad))
    if owner.value.entries or any(entry.value.flow for entry in path[:-1]) or (root and root.flow):
        return _with_flow_entry(text, owner.value, rest, value)
    head, tail = text[: owner.name_stop], text[owner.name_stop :]
    emptied = head + _after_colon(tail, "")
    return _with_lines_at(emptied, owner.name_stop, _block(rest, value, column(text, owner.start) + INDENT))


def _block(names: Sequence[str], value: object, pad: int) -> list[str]:
    """New lines: a section in another, and the value in the last."""
    *sections, last = [yamltext.scalar(name) for name in names]
    lines = [f"{' ' * (pad + INDENT * depth)}{name}:" for depth, name in enumerate(sections)]
    return [*lines, f"{' ' * (pad + INDENT * len(sections))}{last}: {flow_text(value)}"]


def _with_lines_at(text: str, position: int, lines: Sequence[str]) -> str:
    """The text with lines after the one that holds this position."""
    end = line_end(text, position)
    newline = "\r\n" if "\r\n" in text else "\n"
    new = newline.join(lines)
    if end == 0 or text[line_start(text, end) : end].strip() == "":
        return text[:end] + new + (text[end:] or newline)
    return text[:end] + newline + new + (text[end:] or newline)


def _with_flow_entry(text: str, span: YamlSpan, names: Sequence[str], value: object) -> str:
    """The text with one more entry in brackets."""
    nested: object = value
    for name in reversed(names[1:]):
        nested = {name: nested}
    new = f"{yamltext.scalar(names[0])}: {flow_text(nested)}"
    if not span.entries:
        joint = " " if span.start == span.stop else ""
        return f"{text[: span.start]}{joint}{{{new}}}{text[span.stop :]}"
    stop = span.entries[-1].stop
    return f"{text[:stop]}, {new}{text[stop:]}"


def _with_new_value(text: str, path: Sequence[YamlEntry], value: object) -> str:
    span = path[-1].value
    if span.start == span.stop:
        return f"{text[: span.start]} {flow_text(value)}{text[span.start :]}"
    if span.kind == "sequence" and not span.flow and isinstance(value, list | tuple):
        edited = _with_items(text, span, list(value))
        if edited is not None:
            return edited
    if span.kind == "sequence" and not span.flow:
        start, new = path[-1].name_stop, text[path[-1].name_stop : span.start]
        colon = new[: new.index(":") + 1]
        return _replaced(text, start, span.stop, f"{colon} {flow_text(value)}", _anchor(path, text))
    return _replaced(text, span.start, span.stop, flow_text(value), _anchor(path, text))


def _with_items(text: str, span: YamlSpan, wanted: list[object]) -> str | None:
    """A list of lines with some taken out and others added at its end; None where that is not all."""
    whole = " " * column(text, span.start) + text[span.start : span.stop]
    document, _ = yamltext.parse(whole, mapping=False)
    have = document.data
    if not isinstance(have, list) or len(have) != len(span.items):
        return None
    kept = [item for item in have if item in wanted]
    if not kept or wanted[: len(kept)] != kept:
        return None
    pad = " " * column(text, span.start)
    added = [f"{pad}- {flow_text(item)}" for item in wanted[len(kept) :]]
    new = _with_lines_at(text, span.stop, added) if added else text
    for item, place in reversed(list(zip(have, span.items, strict=True))):
        if item not in wanted:
            dash = text.rfind("-", 0, max(place.start, 1))
            new = _without_lines(new, dash, place.stop, pad)
    return new


def _replaced(text: str, start: int, stop: int, new: str, anchor: int) -> str:
    """The text with another span; the comments within go above the line at `anchor`."""
    inner = [text[a:b] for a, b in comments(text) if start <= a < stop]
    pad = " " * column(text, anchor)
    lines = "".join(f"{pad}{comment}\n" for comment in inner)
    above = line_start(text, anchor)
    return text[:above] + lines + text[above:start] + new + text[stop:]


def _anchor(path: Sequence[YamlEntry], text: str) -> int:
    """The outermost name on the line of the last one: above it a comment can stand."""
    line = line_start(text, path[-1].start)
    flow = [i for i, entry in enumerate(path) if entry.value.flow]
    first = path[flow[0]] if flow and flow[0] < len(path) - 1 else path[-1]
    return first.start if first.start < line else next(e.start for e in path if e.start >= line)


def _without_lines(text: str, start: int, stop: int, pad: str) -> str:
    """The text without the lines of a span; their comments stay, each on a line of its own."""
    first, last = line_start(text, start), line_end(text, stop)
    pad = pad or text[first:start] if not text[first:start].strip() else pad
    inner = [text[a:b] for a, b in comments(text) if first <= a < last]
    end = text.find("\n", last)
    after = len(text) if end < 0 else end + 1
    return text[:first] + "".join(f"{pad}{comment}\n" for comment in inner) + text[after:]


def _after_colon(tail: str, value: str) -> str:
    """What follows a name, with another value on its line in place of an empty one."""
    colon = tail.index(":") + 1
    end = line_end(tail, colon)
    rest = tail[colon:end]
    words = rest.lstrip()
    for empty in ("{}", "null", "~", "[]"):
        if words.startswith(empty):
            words = words[len(empty) :].lstrip()
            break
    gap = "  " if words else ""
    return f"{tail[:colon]}{' ' if value else ''}{value}{gap}{words}{tail[end:]}"
