"""Plain data to frozen dataclasses, strictly: every unknown key, missing key and wrong type is a fault."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

from detector.config.constraints import Hint, OnlyFor, hints_of, notes_of, options_of, wrong_value
from detector.config.sink_settings import SinkKinds, SinkSettings
from detector.config.wording import did_you_mean, either, show
from detector.config.yamltext import Document, Fault, TooManyFaults, add_fault, join
from detector.errors import ConfigError

T = TypeVar("T")

_BAD = object()
_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    types.NoneType: "nothing",
}


def fill(
    cls: type[T], document: Document, *, sink_kinds: SinkKinds | None = None
) -> tuple[T | None, list[Fault]]:
    """Make a dataclass of plain data.

    With faults, the object holds defaults in place of wrong values, so that it can be checked further; it is
    None where a value without a default is wrong. Use it only without faults.

    Fields may be bool, int, float (a whole number will do), str, Literal, unions of those with None,
    dataclasses, tuple[X, ...] and Mapping[str, X]; a section with nothing in it takes its defaults. A
    dataclass with `from_text` may be given as a text.
    Types alone are checked: for ranges and choices call `constraints.wrong_values`.
    """
    reader = _Reader(cls, document.lines, sink_kinds or SinkKinds(()))
    try:
        value = reader.read(cls, document.data, "")
    except TooManyFaults:
        value = _BAD
    return (None if value is _BAD else cast(T, value)), reader.faults


class _Reader:
    """One pass over one document."""

    def __init__(self, root: type, lines: Mapping[str, int], sink_kinds: SinkKinds) -> None:
        self.faults: list[Fault] = []
        self._root = root
        self._lines = lines
        self._sink_kinds = sink_kinds

    def read(self, hint: Hint, value: object, key: str) -> object:
        """The value as `hint` wants it, or _BAD after a fault."""
        options = _types(hint)
        if value is None and types.NoneType in options:
            return None
        one, *more = [option for option in options if option is not types.NoneType]
        if more:
            return value if type(value) in (one, *more) else self._wrong(hint, value, key)
        if one is SinkSettings:
            return self._sink(value, key)
        if is_dataclass(one):
            return self._dataclass(cast(type, one), value, key)
        if _origin(one) is tuple:
            return self._items(one, value, key)
        if _origin(one) is Mapping:
            return self._mapping(one, value, key)
        if one is float and type(value) in (int, float):
            return self._number(cast(float, value), key)
        return value if type(value) is one else self._wrong(one, value, key)

    def _dataclass(self, cls: type, value: object, key: str) -> object:
        if isinstance(value, cls):
            return value
        if value is None:
            value = {}
        if isinstance(value, str) and hasattr(cls, "from_text"):
            try:
                return cls.from_text(value)
            except ConfigError as error:
                return self._fault(key, str(error))
        if not isinstance(value, Mapping):
            return self._wrong(cls, value, key)
        hints = hints_of(cls)
        self._refuse_unknown(value, list(hints), key)
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
                self._add(key, inner, missing)
            whole = whole and (item.name in arguments or not required)
        return cls(**arguments) if whole else _BAD

    def _sink(self, value: object, key: str) -> object:
        """A sink of the kind that is named, or _BAD after a fault."""
        kinds = self._sink_kinds
        if isinstance(value, str):
            try:
                return kinds.parse(value)
            except ConfigError as error:
                return self._fault(key, str(error))
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            return self._wrong(SinkSettings, value, key)
        self._refuse_unknown(value, ["kind", *kinds.owners], key)
        if "kind" not in value:
            self._add(key, join(key, "kind"), "missing: expected text")
        kind = self.read(str, value.get("kind", ""), join(key, "kind"))
        cls = kinds.named(str(kind))
        if cls is None and "kind" in value and kind is not _BAD:
            self._fault(join(key, "kind"), kinds.expected(str(kind)))
        own = {} if cls is None else hints_of(cls)
        for name in kinds.owners:
            if name in value and name not in own:
                self._read_key_of_other_kind(kinds, name, value[name], join(key, name))
        if cls is None:
            return _BAD
        return self._dataclass(cls, {name: given for name, given in value.items() if name in own}, key)

    def _read_key_of_other_kind(self, kinds: SinkKinds, name: str, value: object, key: str) -> None:
        """Check a key that only other kinds of sink have; it has no effect, and may have to be deleted."""
        hint = kinds.hint_of(name)
        read = self.read(hint, value, key)
        owner = next((note for note in notes_of(hint) if isinstance(note, OnlyFor)), None)
        if read is _BAD:
            return
        if message := wrong_value(hint, read):
            self._fault(key, message)
        elif owner is not None and read not in (None, False):
            self._fault(key, str(owner))

    def _items(self, hint: Hint, value: object, key: str) -> object:
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            return self._wrong(hint, value, key, ": put it in [ ]" if isinstance(value, str) else "")
        items = tuple(self.read(get_args(hint)[0], item, f"{key}[{i}]") for i, item in enumerate(value))
        return _BAD if _BAD in items else items

    def _mapping(self, hint: Hint, value: object, key: str) -> object:
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

    def _wrong(self, hint: Hint, value: object, key: str, advice: str = "") -> object:
        if isinstance(value, bool | int | float) and str in _types(hint):
            advice = ": put it in quotes"
        return self._fault(key, f"expected {_name(hint)}, got {show(value)}{advice}")

    def _fault(self, key: str, message: str) -> object:
        self._add(key, key, message)
        return _BAD

    def _add(self, line_of: str, key: str, message: str) -> None:
        add_fault(self.faults, Fault(self._lines.get(line_of), key, message))

    def _refuse_unknown(self, given: Mapping[Any, object], known: list[str], key: str) -> None:
        for name in given:
            if name not in known:
                self._fault(join(key, name), f"unknown key: {self._hint(name, known)}")

    def _hint(self, name: str, known: list[str]) -> str:
        """The nearest known key, or the section where a key of this very name belongs."""
        if elsewhere := _sections(self._root).get(name):
            return f"did you mean `{elsewhere}`?"
        return did_you_mean(name, known) or f"the known keys are {', '.join(known)}"


@cache
def _sections(root: type) -> dict[str, str]:
    """Where a key of this name belongs: last part of a dotted name -> the first such name."""
    return {dotted.rpartition(".")[2]: dotted for dotted in reversed(list(_dotted(root, "")))}


def _types(hint: Hint) -> tuple[Hint, ...]:
    """The types of an annotation; of a Literal, that of its values."""
    return tuple(
        type(get_args(option)[0]) if _origin(option) is Literal else option for option in options_of(hint)
    )


def _origin(hint: Hint) -> Hint:
    return get_origin(hint)


def _dotted(cls: Hint, key: str) -> Iterator[str]:
    """The dotted name of every field of nested dataclasses."""
    for name, hint in hints_of(cls).items():
        yield join(key, name)
        if is_dataclass(hint):
            yield from _dotted(hint, join(key, name))


def _name(hint: Hint) -> str:
    """A type in words."""
    return either([_NAMES.get(option) or _container_name(option) for option in _types(hint)])


def _container_name(hint: Hint) -> str:
    if _origin(hint) is tuple:
        return "a list"
    if _origin(hint) is Mapping or is_dataclass(hint):
        return "a mapping (`key: value` lines)"
    return getattr(hint, "__name__", str(hint))
