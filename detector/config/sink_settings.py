"""What every sink's settings have in common, and the kinds there are: each in its own file of `sinks/`.

`assemble` lists the kinds and hands them to `load_settings`, so that nothing here knows any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

from detector.config.constraints import Hint, hints_of
from detector.config.wording import did_you_mean, either, show
from detector.errors import ConfigError
from detector.files.home import expand_home, names_no_home


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One destination of events; each kind of sink adds its own keys."""

    kind: ClassVar[str]
    """The word that chooses this kind: `kind: log`, `--sink log:PATH`."""
    forms: ClassVar[tuple[str, ...]]
    """How `--sink` writes it, for messages: `log:PATH`."""
    schemes: ClassVar[tuple[str, ...]] = ()
    """Where `--sink` writes an address instead, such as `mqtts://HOST`: what may stand before its colon."""

    target: str = ""
    """What follows the colon of `--sink KIND:TARGET`."""

    def __post_init__(self) -> None:
        """Write out `~` in every path, also behind `unix://`."""
        for key, value in self._texts():
            scheme = "unix://" if value.startswith("unix://~") else ""
            object.__setattr__(self, key, scheme + expand_home(value.removeprefix(scheme)))

    @classmethod
    def from_text(cls, target: str) -> SinkSettings:
        """Make them of what follows the colon of `--sink KIND:TARGET`; it is `fault` that looks at it."""
        return cls(target)

    def path_fault(self) -> tuple[str, str] | None:
        """Find the first key with a `~` that is nobody's home."""
        found = ((key, names_no_home(value.removeprefix("unix://"))) for key, value in self._texts())
        return next(((key, message) for key, message in found if message), None)

    def _texts(self) -> list[tuple[str, str]]:
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        return [(key, value) for key, value in values if isinstance(value, str)]

    @property
    def place(self) -> str:
        """What only one sink can have at a time, such as an address; empty where there is no such thing."""
        return ""

    def fault(self) -> tuple[str, str] | None:
        """Find the first key whose value cannot be, and say what is wrong with it; no file is read."""
        return None


@dataclass(frozen=True, slots=True)
class SinkKinds:
    """The kinds of sinks."""

    classes: tuple[type[SinkSettings], ...]

    @property
    def owners(self) -> Mapping[str, type[SinkSettings]]:
        """Every key of any kind, in order, and the first kind that has it."""
        owners: dict[str, type[SinkSettings]] = {}
        for cls in self.classes:
            for key in hints_of(cls):
                owners.setdefault(key, cls)
        return owners

    @property
    def names(self) -> tuple[str, ...]:
        """The words that choose a kind."""
        return tuple(cls.kind for cls in self.classes)

    def named(self, kind: str) -> type[SinkSettings] | None:
        """The kind of this name, or None."""
        return next((cls for cls in self.classes if cls.kind == kind), None)

    def expected(self, kind: str) -> str:
        """What is wrong with a word that chooses none of them."""
        hint = did_you_mean(kind, self.names)
        return f"expected {either(self.names)}, got {show(kind)}{hint and '; ' + hint}"

    def hint_of(self, key: str) -> Hint:
        """What a key takes in the kind that owns it."""
        return hints_of(self.owners[key])[key]

    def parse(self, text: str) -> SinkSettings:
        """Read `KIND`, `KIND:TARGET` or an address, as `--sink` takes it; ConfigError for no kind."""
        kind, _, target = text.partition(":")
        cls = next((cls for cls in self.classes if kind in cls.schemes), None)
        if cls is not None:
            return cls.from_text(text)
        cls = self.named(kind)
        if cls is None:
            usage = either([form for cls in self.classes for form in cls.forms])
            hint = did_you_mean(kind, self.names)
            raise ConfigError(f"expected {usage}, got {show(text)}{hint and '; ' + hint}")
        return cls.from_text(target)
