"""Where settings come from: defaults, then one YAML file, then flags.

The file is `--config`, else `$SOUND_DETECTOR_CONFIG`, else the user's own, else the system's: one, never two.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from detector.config import yamltext
from detector.config.checks import check
from detector.config.named_source import keys_of_text
from detector.config.settings import Settings
from detector.config.sink_settings import SinkKinds
from detector.config.strict import fill
from detector.config.yamltext import MAX_FAULTS, Document, Fault, join
from detector.errors import ConfigError
from detector.files.home import expand_home
from detector.files.terminal import escape

VARIABLE = "SOUND_DETECTOR_CONFIG"
SYSTEM_FILE = "/etc/sound-detector/config.yaml"
DEFAULT = "default"
FLAG = "command line"
SET = "--set"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each of them was given."""

    settings: Settings
    path: str | None = None
    """The file that was read."""
    origins: Mapping[str, int | str] = field(default_factory=dict)
    """Dotted key -> its line in that file, or the flag that gave it."""

    def line_of(self, key: str) -> int | None:
        """Line of `events.labels.Dog` or `events.include[2]` in the file; None if it was not given there."""
        origin = self._origin(key)
        return origin if isinstance(origin, int) else None

    def where(self, key: str) -> str:
        """`PATH:LINE`, a flag such as `--threshold`, or `default`."""
        origin = self._origin(key)
        return f"{self.path}:{origin}" if isinstance(origin, int) else origin

    def located(self, key: str, message: str) -> str:
        """The message with the file and line of its key, as one line."""
        place = key
        while self.where(place) == DEFAULT and place.startswith("sources."):
            place = place.rpartition(".")[0]
        return escape(f"{_place(self.where(place), key)}: {message}")

    @contextmanager
    def locating_errors(self) -> Iterator[None]:
        """Add file and line to a ConfigError that is raised inside and names a key."""
        try:
            yield
        except ConfigError as error:
            if not error.key:
                raise
            raise ConfigError(self.located(error.key, error.message)) from error

    def _origin(self, key: str) -> int | str:
        """An item stands where its list does if that was given whole, a section where its first key does."""
        while key and key not in self.origins and "[" in key:
            key = key[: key.rindex("[")] if key.endswith("]") else key.rpartition(".")[0]
        inner = (origin for known, origin in self.origins.items() if known.startswith(f"{key}."))
        origin = self.origins[key] if key in self.origins else next(inner, DEFAULT)
        whole = key.rpartition(".")[0]
        if origin == DEFAULT and whole.startswith("sources") and not self._has_parts(whole):
            return self._origin(whole)  # a source that was given as a text
        return origin

    def _has_parts(self, key: str) -> bool:
        return any(known.startswith(f"{key}.") for known in self.origins)


def load_settings(
    *,
    config_path: str | None = None,
    environ: Mapping[str, str],
    sink_kinds: SinkKinds,
    overrides: Mapping[str, object] | None = None,
    flags: Mapping[str, str] | None = None,
    set_expressions: Sequence[str] = (),
    system_file: str = SYSTEM_FILE,
) -> Loaded:
    """Read the settings from the file, the flags and `--set`.

    `overrides` are the flags that were given: dotted key -> value as in YAML, `sinks` a list of texts;
    `flags` has their names, by key.
    `set_expressions` are `KEY=VALUE` with the value in YAML; they replace any other value.
    Raises ConfigError with every fault, one a line.
    """
    layers = _Layers(sink_kinds)
    path, named_by = find_file(config_path, environ, system_file)
    if path is not None:
        layers.add_file(path, named_by)
    for key, value in (overrides or {}).items():
        layers.add_flag((flags or {}).get(key, FLAG), key, Document(value))
    for expression in set_expressions:
        layers.add_expression(expression)
    return layers.loaded(path)


def find_file(
    config_path: str | None, environ: Mapping[str, str], system_file: str = SYSTEM_FILE
) -> tuple[str | None, str]:
    """The file to read, or None, and what named it: a named file must exist, a default one need not."""
    if config_path is not None:
        return expand_home(config_path), "--config"
    if environ.get(VARIABLE):
        return expand_home(environ[VARIABLE]), f"${VARIABLE}"
    for path in (user_file(environ), system_file):
        # Unlike Path.is_file, this is False and not an error in a home closed to a service.
        if path and os.path.isfile(path):  # noqa: PTH113
            return path, ""
    return None, ""


def user_file(environ: Mapping[str, str]) -> str:
    """The user's own config file, whether there is one or not; empty where the user has no home."""
    home = environ.get("XDG_CONFIG_HOME", "")
    if not Path(home).is_absolute():
        home = str(Path(environ["HOME"], ".config")) if environ.get("HOME") else ""
    return str(Path(home, "sound-detector", "config.yaml")) if home else ""


def _place(where: str, key: str) -> str:
    """Where to correct a setting: `FILE:LINE: key`, `--set key` or `--threshold (events.threshold_on)`."""
    if where == SET:
        return f"{where} {key}"
    return f"{where} ({key})" if where.startswith("--") else f"{where}: {key}"


class _Layers:
    """Merges plain data; each layer is checked by itself, so that none hides another's faults."""

    def __init__(self, sink_kinds: SinkKinds) -> None:
        self._sink_kinds = sink_kinds
        self._data: dict[str, object] = {}
        self._origins: dict[str, int | str] = {}
        self._faults: list[str] = []
        self._faulty: set[str] = set()

    def add_file(self, path: str, named_by: str) -> None:
        document, faults = yamltext.read(path)
        if not faults:
            _, faults = fill(Settings, document, sink_kinds=self._sink_kinds)
        for fault in sorted(faults, key=lambda fault: fault.line or 0):
            reason = f" (named by {named_by})" if named_by and fault.line is None and not fault.key else ""
            self._add_fault(fault, fault.at(path) + reason)
        if isinstance(document.data, dict):
            self._data = document.data
            self._origins.update(document.lines)

    def add_expression(self, expression: str) -> None:
        key, equals, text = expression.partition("=")
        if not equals:
            self._faults.append(escape(f"{SET} {expression}: expected KEY=VALUE, such as gate.mode=level"))
            return
        document, faults = yamltext.parse(text, mapping=False)
        for fault in faults:
            self._add_fault(fault, f"{SET} {key}: {fault.message}")
        if not faults:
            self.add_flag(SET, key.strip(), document)

    def add_flag(self, flag: str, key: str, document: Document) -> None:
        """Replace the value of a dotted key; what is no section on the way to it becomes one."""
        *sections, name = key.split(".")
        nested: object = document.data
        for part in (name, *reversed(sections)):
            nested = {part: nested}
        _, faults = fill(Settings, Document(nested), sink_kinds=self._sink_kinds)
        for fault in faults:
            self._add_fault(fault, f"{_place(flag, fault.key)}: {fault.message}")
        section = self._data
        for part in sections:
            inner = section.get(part)
            if isinstance(inner, str) and sections[0] == "sources":
                inner = keys_of_text(inner)
            inner = dict(inner) if isinstance(inner, dict) else {}
            section[part] = inner
            section = inner
        section[name] = document.data
        for known in [known for known in self._origins if known.startswith((f"{key}.", f"{key}["))]:
            del self._origins[known]
        self._origins[key] = flag
        for inner_key in document.lines:
            self._origins[f"{key}{inner_key}" if inner_key.startswith("[") else join(key, inner_key)] = flag

    def loaded(self, path: str | None) -> Loaded:
        settings, _ = fill(Settings, Document(self._data), sink_kinds=self._sink_kinds)
        loaded = Loaded(settings or Settings(), path, self._origins)
        for fault in check(loaded.settings):
            if fault.key not in self._faulty:
                self._add_fault(fault, loaded.located(fault.key, fault.message))
        if self._faults:
            raise ConfigError("\n".join(self._faults))
        return loaded

    def _add_fault(self, fault: Fault, line: str) -> None:
        self._faulty.add(fault.key)
        if len(self._faults) <= MAX_FAULTS:
            self._faults.append(escape(line))
