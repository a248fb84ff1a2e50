"""Which settings the page may change, and what each takes: the list that docs/security.md shows.

No key here names a program, a command, a file, an address or a secret.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_origin

from detector.config.config_text import Key
from detector.config.constraints import (
    Hint,
    choices_of,
    hints_of,
    item_hint,
    limit_of,
    options_of,
    wrong_value,
)
from detector.config.label_settings import LabelSettings
from detector.config.named_source import NamedSource
from detector.config.settings import Settings
from detector.config.strict import fill
from detector.config.wording import show
from detector.config.yamltext import Document

FieldKind: TypeAlias = Literal["number", "choice", "flag", "list", "hours"]

PLAIN = (
    *("events.preset", "events.threshold_on", "events.threshold_off"),
    *("events.min_duration_seconds", "events.refractory_seconds"),
    *("events.include", "events.exclude", "events.background", "events.everyday"),
    *("gate.min_level_dbfs", "alarms.patterns", "model.heads", "verdicts.use"),
    *("clips.enabled", "clips.speech", "clips.labels", "notify.quiet_hours"),
)
OF_LABELS = ("threshold_on", "threshold_off", "min_duration_seconds", "refractory_seconds")
"""Below `events.labels.LABEL`."""
OF_SOURCES = ("threshold_on", "threshold_off", "include", "exclude", "quiet_hours", "quiet_keep")
"""Below `sources.NAME`, of a source that the file names."""
OF_RULES = ("notify.rules.", ".enabled")
"""Around the name of a rule of notifications that the file has."""
RESTART = ("gate.", "alarms.", "clips.")
"""What a running daemon does not take from a reload."""
RESTART_OF_SOURCES = ("quiet_hours", "quiet_keep")


@dataclass(frozen=True, slots=True)
class PageField:
    """One setting that the page may change."""

    key: str
    kind: FieldKind
    restart: bool
    """Whether it is in force only after the daemon was started again."""
    default: object = None
    nullable: bool = False
    choices: tuple[object, ...] = ()
    low: float | None = None
    high: float | None = None
    above: bool = False
    """Whether `low` itself is too low."""
    unit: str = ""


def page_fields() -> list[PageField]:
    """The settings of `PLAIN`, in order."""
    return [_field(key, *_plain(key)) for key in PLAIN]


def path_of(key: str) -> Key | None:
    """The way to a key that the page may change; None for any other. A label may have dots in its name."""
    if key in PLAIN:
        return tuple(key.split("."))
    section, _, rest = key.partition(".")
    if key.startswith("events.labels."):
        name, _, last = key.removeprefix("events.labels.").rpartition(".")
        return ("events", "labels", name, last) if name and last in OF_LABELS else None
    if key.startswith(OF_RULES[0]) and key.endswith(OF_RULES[1]):
        name = key[len(OF_RULES[0]) : -len(OF_RULES[1])]
        return ("notify", "rules", name, "enabled") if name else None
    name, _, last = rest.rpartition(".")
    return ("sources", name, last) if section == "sources" and name and last in OF_SOURCES else None


def needs_restart(key: str) -> bool:
    """Whether a change of this key waits for the daemon's next start."""
    last = key.rpartition(".")[2]
    return key.startswith(RESTART) or (key.startswith("sources.") and last in RESTART_OF_SOURCES)


def default_of(path: Key) -> object:
    """What a key says that is not given; None for one of a label or a source."""
    return _plain(".".join(path))[1] if ".".join(path) in PLAIN else None


def page_fault(key: str, value: object) -> str:
    """What is wrong with a value for a key, in one line; empty where nothing is.

    None goes back to the default. Names of labels are not checked here: the model knows them.
    """
    path = path_of(key)
    if path is None:
        return f"{key}: this setting cannot be changed from the page: change it in the file"
    if value is None:
        return ""
    if path[:2] == ("notify", "rules"):
        return "" if isinstance(value, bool) else f"{key}: expected true or false, got {show(value)}"
    if key == "model.heads" and isinstance(value, list) and (bad := _no_names(value)):
        return f"{key}: expected names of heads in the folder of models, got {bad[0]!r}"
    nested: object = value
    for name in reversed(path):
        nested = {name: nested}
    settings, faults = fill(Settings, Document(nested))
    if faults or settings is None:
        return "; ".join(f"{fault.key}: {fault.message}" for fault in faults)
    hint = _hint(path)
    found = [wrong_value(item_hint(hint, tuple), item) for item in value] if isinstance(value, list) else []
    wrong = next(filter(None, [*found, "" if isinstance(value, list) else wrong_value(hint, value)]), "")
    return f"{key}: {wrong}" if wrong else ""


def page_faults(changes: Mapping[str, object]) -> list[str]:
    """What is wrong with values, one line for each that is."""
    return [fault for key, value in changes.items() if (fault := page_fault(key, value))]


def page_values(values: Mapping[str, Any]) -> dict[str, object]:
    """All values that the page may change, by key; empty for the settings of a file with faults."""
    if not values:
        return {}
    found: dict[str, object] = {key: _plain_value(values, key) for key in PLAIN}
    for name, label in values["events"]["labels"].items():
        found |= {f"events.labels.{name}.{last}": value for last, value in label.items()}
    for name, source in values["sources"].items():
        found |= {f"sources.{name}.{last}": source.get(last) for last in OF_SOURCES}
    before, after = OF_RULES
    return found | {f"{before}{rule['name']}{after}": rule["enabled"] for rule in values["notify"]["rules"]}


def _plain_value(values: Mapping[str, Any], key: str) -> object:
    section, name = key.split(".")
    return values[section][name]


def _no_names(values: list[object]) -> list[object]:
    return [
        value
        for value in values
        if not isinstance(value, str) or set(value) & set("/\\~+") or value[:1] == "."
    ]


def _plain(key: str) -> tuple[Hint, object]:
    section, name = key.split(".")
    owner = getattr(Settings(), section)
    return hints_of(type(owner))[name], getattr(owner, name)


def _hint(path: Key) -> Hint:
    if path[0] == "sources":
        return hints_of(NamedSource)[path[-1]]
    return (
        hints_of(LabelSettings)[path[-1]]
        if path[1] == "labels" and len(path) == 4
        else _plain(".".join(path))[0]
    )


def _field(key: str, hint: Hint, default: object) -> PageField:
    options = [option for option in options_of(hint) if option is not types.NoneType]
    choices, limit = choices_of(hint), limit_of(hint)
    kind: FieldKind = "number"
    if choices:
        kind = "choice"
    elif bool in options:
        kind = "flag"
    elif any(get_origin(option) in (tuple, Mapping) for option in options):
        kind = "list"
    elif str in options:
        kind = "hours"
    return PageField(
        key=key,
        kind=kind,
        restart=needs_restart(key),
        default=list(default) if isinstance(default, tuple) else default,
        nullable=types.NoneType in options_of(hint),
        choices=choices,
        low=None if limit is None else limit.low,
        high=None if limit is None else limit.high,
        above=limit is not None and limit.above,
        unit="" if limit is None else limit.unit,
    )
