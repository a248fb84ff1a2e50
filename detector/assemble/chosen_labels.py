"""Whether the labels that clips and rules of notifications name are those of some event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.assemble.channels import asked_of_any
from detector.config.settings import Settings
from detector.errors import ConfigError
from detector.events.labels import LabelMap


def check_chosen_labels(settings: Settings, each: Sequence[LabelMap]) -> None:
    """Raise ConfigError where clips or a rule of notifications name a label that no source reports."""
    for key, names in _chosen(settings):
        for j, name in enumerate(names):
            asked = asked_of_any(each, [name])
            if label := asked.reported_as.get(name):
                message = f"{name!r} is reported as {label!r}: write that, or add it to events.labels"
                raise ConfigError(message, key=f"{key}[{j}]")
            if asked.message:
                raise ConfigError(asked.message, key=f"{key}[{j}]")


def _chosen(settings: Settings) -> Iterator[tuple[str, Sequence[str]]]:
    """Each key with labels, and what it names."""
    yield "clips.labels", settings.clips.labels
    for i, rule in enumerate(settings.notify.rules):
        yield f"notify.rules[{i}].labels", rule.labels
        yield f"notify.rules[{i}].exclude", rule.exclude
