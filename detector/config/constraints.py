"""What an annotation says beyond a type: `Annotated[float, Limit(0, 60, "s")]`, `Literal["on", "off"]`.

`strict.fill` checks types, `wrong_values` what is said here: a value in a file may be replaced by a flag, so
only the value in force must be within its limits.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from detector.config.wording import did_you_mean, either, show
from detector.config.yamltext import join

Hint: TypeAlias = Any
"""A type annotation; Python has no narrower type for one."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number may be; both ends belong to it unless `above` says that the lower one does not."""

    low: float
    high: float
    unit: str = ""
    above: bool = False

    def __str__(self) -> str:
        """`0..60 dB`, `more than 0, at most 1`."""
        span = f"more than {self.low}, at most {self.high}" if self.above else f"{self.low}..{self.high}"
        return f"{span} {self.unit}".rstrip()

    def holds(self, value: float) -> bool:
        """Whether the value is within."""
        return self.low <= value <= self.high and not (self.above and value == self.low)


@dataclass(frozen=True, slots=True)
class OnlyFor:
    """What a sink's key is for; another kind of sink that is given it is refused with these words."""

    owner: str

    def __str__(self) -> str:
        """Give the message."""
        return f"is for {self.owner}: delete it"


def hints_of(cls: Hint) -> dict[str, Hint]:
    """What the fields of a dataclass take, by name."""
    return _read_hints(cls)


@cache
def _read_hints(cls: Hint) -> dict[str, Hint]:
    """Kept, since a document may ask a thousand times."""
    hints = get_type_hints(cls, include_extras=True)
    return {item.name: hints[item.name] for item in fields(cls)}


def options_of(hint: Hint) -> tuple[Hint, ...]:
    """The types that a union names, or the one type there is; what is `Annotated` is left out."""
    origin: Hint = get_origin(hint)
    if origin is Annotated:
        return options_of(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return tuple(option for part in get_args(hint) for option in options_of(part))
    return (hint,)


def notes_of(hint: Hint) -> tuple[object, ...]:
    """The `Limit`s and the like of an annotation, those within a union too."""
    origin: Hint = get_origin(hint)
    if origin is Annotated:
        return (*hint.__metadata__, *notes_of(get_args(hint)[0]))
    if origin in (Union, types.UnionType):
        return tuple(note for part in get_args(hint) for note in notes_of(part))
    return ()


def limit_of(hint: Hint) -> Limit | None:
    """The range that numbers must be in, or None."""
    return next((note for note in notes_of(hint) if isinstance(note, Limit)), None)


def choices_of(hint: Hint) -> tuple[Any, ...]:
    """The values to choose from; empty where there is no `Literal`."""
    for option in options_of(hint):
        origin: Hint = get_origin(option)
        if origin is Literal:
            return get_args(option)
    return ()


def leaves(value: object, hint: Hint = object, key: str = "") -> Iterator[tuple[str, Hint, object]]:
    """Each single value in nested dataclasses, in order: dotted key, annotation, value."""
    if is_dataclass(value):
        for name, inner in hints_of(type(value)).items():
            yield from leaves(getattr(value, name), inner, join(key, name))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, item_hint(hint, Mapping), join(key, name))
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from leaves(item, item_hint(hint, tuple), f"{key}[{i}]")
    else:
        yield key, hint, value


def item_hint(hint: Hint, container: type) -> Hint:
    """What the items of `tuple[X, ...]` or `Mapping[str, X]`, perhaps in a union, take: X."""
    for option in options_of(hint):
        origin: Hint = get_origin(option)
        if origin is container:
            return get_args(option)[0 if container is tuple else 1]
    return object


def wrong_values(value: object) -> Iterator[tuple[str, str]]:
    """Every single value that is out of its range or none of its choices: dotted key and message."""
    for key, hint, leaf in leaves(value):
        if leaf is not None and (message := wrong_value(hint, leaf)):
            yield key, message


def wrong_value(hint: Hint, value: object) -> str:
    """What is wrong with a value of the right type; empty where nothing is."""
    choices, limit = choices_of(hint), limit_of(hint)
    if choices and value not in choices:
        meant = did_you_mean(value, choices) if isinstance(value, str) else ""
        return f"expected {either(choices)}, got {show(value)}{meant and '; ' + meant}"
    if limit is None or isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return "" if limit.holds(value) else f"expected {limit}, got {value}"
