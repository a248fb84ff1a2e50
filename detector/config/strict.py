"""Plain data to frozen dataclasses, strictly: every unknown key, missing key and wrong type is a fault."""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from detector.config.yamltext import Document, Fault, join
from detector.errors import ConfigError

T = TypeVar("T")

_Hint: TypeAlias = Any
"""A type annotation; Python has no narrower type for one."""
_BAD = object()
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def fill(
    cls: type[T],
    document: Document,
    *,
    text_readers: Mapping[type, Callable[[str], object]] | None = None,
) -> tuple[T | None, list[Fault]]:
    """Make a dataclass of plain data.

    Where there are faults, the object is made of what was right, defaults in place of the rest, so that it
    can be checked further; it is None where a part without a default is wrong. Never use it then.

    Fields may be bool, int, float (a whole number will do), str, Literal, unions of those with None,
    dataclasses, tuple[X, ...] and Mapping[str, X]; a section with nothing in it takes its defaults.
    `text_readers` names dataclasses that may also be given as one text; a reader raises ConfigError.
    """
    reader = _Reader(cls, document.lines, text_readers or {})
    value = reader.read(cls, document.data, "")
    return (None if value is _BAD else cast(T, value)), reader.faults


def show(value: object) -> str:
    """A value as a message quotes it: short, on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    text = escape(repr(value))
    return text if len(text) <= 60 else text[:57] + "..."


def escape(text: str) -> str:
    """The text with what no terminal line can show (line breaks, control characters) as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """A question that ends a message about an unknown name; empty where nothing is near."""
    folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"did you mean `{escape(folded[close[0]])}`?" if close else ""


class _Reader:
    """One pass over one document."""

    def __init__(
        self, root: type, lines: Mapping[str, int], text_readers: Mapping[type, Callable[[str], object]]
    ) -> None:
        self.faults: list[Fault] = []
        self._root = root
        self._lines = lines
        self._text_readers = text_readers

    def read(self, hint: _Hint, value: object, key: str) -> object:
        """The value as `hint` wants it, or _BAD after a fault."""
        origin: _Hint = get_origin(hint)
        if origin in (Union, types.UnionType):
            return self._union(hint, value, key)
        if is_dataclass(hint):
            return self._dataclass(cast(type, hint), value, key)
        if origin is tuple:
            return self._items(hint, value, key)
        if origin is Mapping:
            return self._mapping(hint, value, key)
        if origin is Literal:
            return value if value in get_args(hint) else self._wrong(hint, value, key)
        if hint is float and type(value) in (int, float):
            return self._number(cast(float, value), key)
        return value if type(value) is hint else self._wrong(hint, value, key)

    def _union(self, hint: _Hint, value: object, key: str) -> object:
        options = [option for option in get_args(hint) if option is not types.NoneType]
        if value is None and len(options) < len(get_args(hint)):
            return None
        if len(options) == 1:
            return self.read(options[0], value, key)
        return value if type(value) in options else self._wrong(hint, value, key)

    def _dataclass(self, cls: type, value: object, key: str) -> object:
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and cls in self._text_readers:
            try:
                return self._text_readers[cls](value)
            except ConfigError as error:
                return self._fault(key, str(error))
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            return self._wrong(cls, value, key)
        hints = _hints(cls)
        for name in value:
            if name not in hints:
                self._fault(join(key, name), f"unknown key: {self._hint(name, list(hints))}")
        arguments: dict[str, Any] = {}
        whole = True
        for item in fields(cls):
            inner = join(key, item.name)
            required = item.default is MISSING and item.default_factory is MISSING
            if item.name in value:
                result = self.read(hints[item.name], value[item.name], inner)
                if result is not _BAD:
                    arguments[item.name] = result
            elif required:
                missing = f"missing: expected {_name(hints[item.name])}"
                self.faults.append(Fault(self._lines.get(key), inner, missing))
            whole = whole and (item.name in arguments or not required)
        return cls(**arguments) if whole else _BAD

    def _items(self, hint: _Hint, value: object, key: str) -> object:
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            return self._wrong(hint, value, key, ": put it in [ ]" if isinstance(value, str) else "")
        items = tuple(self.read(get_args(hint)[0], item, f"{key}[{i}]") for i, item in enumerate(value))
        return _BAD if _BAD in items else items

    def _mapping(self, hint: _Hint, value: object, key: str) -> object:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            return self._wrong(hint, value, key)
        inner = get_args(hint)[1]
        pairs = {name: self.read(inner, item, join(key, name)) for name, item in value.items()}
        return {name: item for name, item in pairs.items() if item is not _BAD}

    def _number(self, value: float, key: str) -> object:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        return (
            number if math.isfinite(number) else self._fault(key, f"expected a finite number, got {number}")
        )

    def _wrong(self, hint: _Hint, value: object, key: str, advice: str = "") -> object:
        if isinstance(value, bool | int | float) and str in (hint, *get_args(hint)):
            advice = ": put it in quotes"
        return self._fault(key, f"expected {_name(hint)}, got {show(value)}{advice}")

    def _fault(self, key: str, message: str) -> object:
        self.faults.append(Fault(self._lines.get(key), key, message))
        return _BAD

    def _hint(self, name: str, known: list[str]) -> str:
        """The nearest known key, or the section where a key of this very name belongs."""
        if elsewhere := _places(self._root).get(name):
            return f"did you mean `{elsewhere}`?"
        return did_you_mean(name, known) or f"known are {', '.join(known)}"


@cache
def _hints(cls: type) -> dict[str, _Hint]:
    """What the fields of a dataclass take; kept, since a document may ask a thousand times."""
    return get_type_hints(cls)


@cache
def _places(root: type) -> dict[str, str]:
    """Where a key of this name belongs: last part of a dotted name -> the first such name."""
    return {dotted.rpartition(".")[2]: dotted for dotted in reversed(list(_dotted(root, "")))}


def _dotted(cls: _Hint, key: str) -> Iterator[str]:
    """The dotted name of every field of nested dataclasses."""
    for name, hint in _hints(cls).items():
        yield join(key, name)
        if is_dataclass(hint):
            yield from _dotted(hint, join(key, name))


def _name(hint: _Hint) -> str:
    """A type in words."""
    origin: _Hint = get_origin(hint)
    arguments = get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join("nothing" if item is types.NoneType else _name(item) for item in arguments)
    if origin is tuple:
        return "a list"
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is Mapping or is_dataclass(hint):
        return "a mapping (`key: value` lines)"
    return _NAMES.get(hint, getattr(hint, "__name__", str(hint)))
