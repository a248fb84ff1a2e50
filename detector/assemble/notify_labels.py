"""Whether the labels that rules of notifications name are those of some event."""

from __future__ import annotations

from collections.abc import Sequence

from detector.assemble.channels import asked_of_any
from detector.config.notify_settings import NotifySettings
from detector.errors import ConfigError
from detector.events.labels import LabelMap


def check_notify_labels(settings: NotifySettings, each: Sequence[LabelMap]) -> None:
    """Raise ConfigError where a rule of notifications names a label that no event of any source has."""
    for i, rule in enumerate(settings.rules):
        for key, names in (("labels", rule.labels), ("exclude", rule.exclude)):
            for j, name in enumerate(names):
                asked = asked_of_any(each, [name])
                if label := asked.reported_as.get(name):
                    message = f"{name!r} is reported as {label!r}: write that, or add it to events.labels"
                    raise ConfigError(message, key=f"notify.rules[{i}].{key}[{j}]")
                if asked.message:
                    raise ConfigError(asked.message, key=f"notify.rules[{i}].{key}[{j}]")
