"""Whether settings make sense: words, ranges, and values that contradict each other."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from detector.config.settings import CHOICES, LIMITS, EventSettings, Settings, SinkSettings
from detector.config.strict import did_you_mean, show
from detector.config.yamltext import Fault, join
from detector.errors import ConfigError, SinkError
from detector.wire.access import Access
from detector.wire.address import parse_address

_TCP = re.compile(r"(?:tcp|tls)://(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_MAX_UNIX_PATH = 107
"""Bytes: Linux's `sun_path` less its final zero, unix(7)."""


def check(settings: Settings) -> list[Fault]:
    """Every fault, by key; without lines, since settings don't know where they stood."""
    found = [Fault(None, key, message) for key, message in _values(settings)]
    found += [Fault(None, f"events.{key}", message) for key, message in _events(settings.events)]
    sinks = settings.sinks
    if sinks is not None and not sinks:
        found.append(Fault(None, "sinks", "expected at least one sink: leave it out for the defaults"))
    for i, sink in enumerate(sinks or ()):
        key, message = "target", _target(sink)
        if not message and sink in (sinks or ())[:i]:
            message = f"the same sink as sinks[{(sinks or ()).index(sink)}]: delete one"
        if not message:
            key, message = _access(sink)
        if message:
            found.append(Fault(None, f"sinks[{i}].{key}", message))
    return found


def parse_sink(text: str) -> SinkSettings:
    """A sink as one writes it on the command line.

    `stdout`, `stdout:json`, `stdout:text`, `log:PATH`, `socket`, `socket:unix://PATH`, `socket:tcp://HOST:PORT`;
    ConfigError for another kind. What follows the colon is looked at by `check`.
    """
    kind, _, rest = text.partition(":")
    kinds = CHOICES["sinks.*.kind"]
    if kind not in kinds:
        usage = "expected stdout, stdout:json, log:PATH, socket:unix://PATH or socket:tcp://HOST:PORT"
        hint = did_you_mean(kind, kinds)
        raise ConfigError(f"{usage}, got {show(text)}{hint and '; ' + hint}")
    return SinkSettings(kind, format=rest or "auto") if kind == "stdout" else SinkSettings(kind, rest)


def walk(value: object, key: str = "", pattern: str = "") -> Iterator[tuple[str, str, object]]:
    """Each leaf of a tree of settings, in order: dotted key, the pattern it has in the tables, value."""
    if is_dataclass(value):
        for item in fields(value):
            yield from walk(getattr(value, item.name), join(key, item.name), join(pattern, item.name))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from walk(inner, join(key, name), f"{pattern}.*")
    elif isinstance(value, tuple):
        for i, inner in enumerate(value):
            yield from walk(inner, f"{key}[{i}]", f"{pattern}.*")
    else:
        yield key, pattern, value


def _values(settings: Settings) -> Iterator[tuple[str, str]]:
    """Single values against the tables; a text that is given is never empty, but for a sink's target."""
    for key, pattern, value in walk(settings):
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, str):
            choices = CHOICES.get(pattern, ())
            if choices and value not in choices:
                hint = did_you_mean(value, choices)
                yield key, f"expected {' or '.join(choices)}, got {show(value)}{hint and '; ' + hint}"
            elif not value.strip() and not pattern.startswith("sinks."):
                yield key, "expected text, got nothing: write it, or delete the key"
        elif isinstance(value, int | float) and pattern in LIMITS and not LIMITS[pattern].holds(value):
            yield key, f"expected {LIMITS[pattern]}, got {value}"


def _events(events: EventSettings) -> Iterator[tuple[str, str]]:
    if fault := _thresholds(events.threshold_on, events.threshold_off):
        yield "threshold_off", fault
    for name, label in events.labels.items():
        on, off = label.threshold_on, label.threshold_off
        if on is None and off is None:
            continue
        fault = _thresholds(
            events.threshold_on if on is None else on, events.threshold_off if off is None else off
        )
        if fault:
            yield f"labels.{name}.{'threshold_on' if off is None else 'threshold_off'}", fault
    for name, members in events.groups.items():
        if not members:
            yield (
                f"groups.{name}",
                "expected a list of labels, got an empty one: add one, or delete the group",
            )
    for label_name in sorted(set(events.include) & set(events.exclude)):
        yield "exclude", f"{show(label_name)} is in `include` too: delete one"


def _thresholds(on: float | None, off: float | None) -> str:
    """What is wrong with a pair; where `on` is the model's own, it can only be seen with the model."""
    if on is None or off is None or off < on:
        return ""
    return f"expected threshold_off below threshold_on, got off {off} and on {on}: lower off, or delete it"


def _target(sink: SinkSettings) -> str:
    """What is wrong with a sink's target."""
    if sink.kind == "stdout" and sink.target:
        return f"stdout takes no target, got {show(sink.target)}: delete it"
    if sink.kind == "log" and not sink.target:
        return "expected the path of the log file, got nothing: write `log:PATH`"
    if sink.kind != "socket" or not sink.target:
        return ""
    tcp = _TCP.fullmatch(sink.target)
    if tcp and int(tcp[2]) <= 65535:
        return ""
    path = sink.target.removeprefix("unix://")
    if path == sink.target or not path:
        return f"expected unix://PATH or tcp://HOST:PORT (port 0..65535), got {show(sink.target)}"
    size = len(os.fsencode(path))
    if size > _MAX_UNIX_PATH:
        return f"expected a socket path of at most {_MAX_UNIX_PATH} bytes, got {size}: choose a shorter one"
    return ""


def _access(sink: SinkSettings) -> tuple[str, str]:
    """Who gets in: the key at fault, and what is wrong with it."""
    tcp = sink.kind == "socket" and _TCP.fullmatch(sink.target)
    for name in ("token_file", "certificate", "key", "insecure"):
        if getattr(sink, name) and not tcp:
            return name, "is for a socket with a tcp://HOST:PORT: delete it"
    if not tcp:
        misplaced = sink.group is not None and sink.kind != "socket"
        return "group", "is for a Unix socket: delete it" if misplaced else ""
    if sink.group is not None:
        return "group", "is for a Unix socket: delete it"
    try:
        Access(None, sink.token_file, sink.certificate, sink.key, sink.insecure).check(
            parse_address(sink.target)
        )
    except ConfigError as error:
        return "target", error.message
    except SinkError as error:
        return "target", str(error)
    return "", ""
