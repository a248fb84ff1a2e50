"""Edit settings: apply calibration's changes, write them as plain data, read them back from text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass, replace

from detector.assemble.endpoints import SINK_KINDS
from detector.calibration.proposal import Change, ChangeKind
from detector.config.checks import check
from detector.config.config_text import Key
from detector.config.label_settings import LabelSettings
from detector.config.named_source import NamedSource
from detector.config.settings import Settings
from detector.config.sink_settings import SinkSettings
from detector.config.strict import fill
from detector.config.yamltext import parse
from detector.errors import ConfigError, DetectorError
from detector.events.labels import LabelMap
from detector.records import Label


def with_changes(
    settings: Settings, labels: LabelMap, changes: Sequence[Change]
) -> tuple[Settings, dict[int, Key]]:
    """Apply changes of labels' thresholds; returns the settings and, by label index, the key of each change.

    A label's other settings are kept. Raises DetectorError where no label would be left.
    """
    events = settings.events
    names = [label.name.casefold() for label in labels.reported]
    indexes = {name: labels.find_all(f"events.labels.{name}", name) for name in events.labels}
    own, include, exclude = dict(events.labels), list(events.include), list(events.exclude)
    keys: dict[int, Key] = {}
    for change in changes:
        label = change.label
        written = label.name if names.count(label.name.casefold()) == 1 else label.class_id
        naming = [name for name, found in indexes.items() if change.label_index in found]
        naming_only = [name for name in naming if list(indexes[name]) == [change.label_index]]
        if change.kind is ChangeKind.EXCLUDED:
            for name in naming_only:
                del own[name]
            include, exclude = _without(include, label), [*exclude, written]
            continue
        key = naming_only[-1] if naming_only else written
        before = own[naming[-1]] if naming else LabelSettings()
        off = before.threshold_off if change.off is None else change.off
        own[key] = replace(before, threshold_on=change.now, threshold_off=off)
        keys[change.label_index] = ("events", "labels", key)
    if changes and len(labels.reported) == sum(change.kind is ChangeKind.EXCLUDED for change in changes):
        raise DetectorError(
            "every reported label has high scores in this room and would be excluded: report other labels, "
            "or keep some with --keep"
        )
    events = replace(events, labels=own, include=tuple(include), exclude=tuple(exclude))
    return replace(settings, events=events), keys


def changed_from_default(value: object, default: object) -> dict[str, object]:
    """Collect, as plain data, everything in a section that differs from its default."""
    return {
        item.name: _plain(getattr(value, item.name), getattr(default, item.name))
        for item in fields(value)  # type: ignore[arg-type]
        if getattr(value, item.name) != getattr(default, item.name)
    }


def read_back(text: str) -> Settings:
    """Read settings from the text of a config file; raises ConfigError with every fault."""
    document, faults = parse(text)
    settings, wrong = fill(Settings, document, sink_kinds=SINK_KINDS)
    faults = [*faults, *wrong, *(check(settings) if settings is not None else [])]
    if faults or settings is None:
        raise ConfigError("\n".join(fault.at("the calibrated settings") for fault in faults))
    return settings


def _plain(value: object, default: object) -> object:
    if isinstance(value, LabelSettings):
        return changed_from_default(value, LabelSettings())
    if isinstance(value, NamedSource):
        return changed_from_default(value, NamedSource())
    if isinstance(value, SinkSettings):
        return {"kind": value.kind, **changed_from_default(value, type(value)())}
    if is_dataclass(value):
        return _given(value) if default is None else changed_from_default(value, default)
    if isinstance(value, Mapping):
        return {name: _plain(inner, None) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(item, None) for item in value]
    return value


def _given(item: object) -> dict[str, object]:
    """What an item of a list must or does give: there is no other item to compare it with."""
    values = [(field, getattr(item, field.name)) for field in fields(item)]  # type: ignore[arg-type]
    return {field.name: _plain(value, None) for field, value in values if value != _default_of(field)}


def _default_of(field: Field[object]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _without(names: list[str], label: Label) -> list[str]:
    return [
        name for name in names if name.casefold() not in (label.name.casefold(), label.class_id.casefold())
    ]
