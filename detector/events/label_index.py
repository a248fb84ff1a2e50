"""Labels by their names: what a name in the settings means, and the nearest names where it means nothing."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from detector.errors import ConfigError
from detector.events.groups import LabelGroup, named_group, nearest_groups
from detector.records import Label

GROUP_ID = "group:"
"""How the class_id of a user's group begins."""


class LabelIndex:
    """Looks labels up by name or class_id, and shipped groups by their exact name."""

    def __init__(self, labels: Sequence[Label]) -> None:
        """A group of the user's is a label here, with a `class_id` that begins with GROUP_ID."""
        self._labels = labels
        self._exactly = {name for label in labels for name in (label.name, label.class_id)}
        self._own_groups = {label.name.casefold() for label in labels if label.class_id.startswith(GROUP_ID)}
        self._columns: dict[str, list[int]] = {}
        for column, label in enumerate(labels):
            for key in {label.name.casefold(), label.class_id.casefold()}:
                self._columns.setdefault(key, []).append(column)

    def __contains__(self, name: str) -> bool:
        """Whether a label or a group of the user's is called so."""
        return name.casefold() in self._columns

    def group(self, name: str) -> LabelGroup | None:
        """The shipped group that a name means; None where it means a label or a group of the user's."""
        own = name in self._exactly or name.casefold() in self._own_groups
        return None if own else named_group(name)

    def has_any(self, group: LabelGroup) -> bool:
        """Whether any of the labels belongs to a shipped group."""
        return any(map(group.holds, self._labels))

    def find_all(self, key: str, names: Collection[str]) -> list[int]:
        """Places of the labels and of the groups' labels; ConfigError names `key` and the nearest names."""
        columns: list[int] = []
        for name in names:
            group = self.group(name)
            if group is not None:
                found = [column for column, label in enumerate(self._labels) if group.holds(label)]
                if not found:
                    raise ConfigError(f"no label of the group {name!r} is reported", key=key)
            elif (found := self._columns.get(name.casefold(), [])) == []:
                raise ConfigError(f"no reported label is called {name!r}{self._nearest(name)}", key=key)
            columns.extend(found)
        return columns

    def _nearest(self, name: str) -> str:
        nearest = nearest_names(name, [label.name for label in self._labels])
        nearest = [*nearest, *nearest_groups(name)]
        if not nearest:
            return "; `sound-detector models info NAME --labels` lists them, `models groups` the groups"
        return did_you_mean_any(nearest)


def did_you_mean_any(names: Collection[str]) -> str:
    """Append the question to a message; nothing where there are no names."""
    return "; did you mean " + " or ".join(map(repr, names)) + "?" if names else ""


def nearest_names(name: str, names: Sequence[str]) -> list[str]:
    """At most three names that are like a name, or of which it is a part."""
    wanted = name.casefold()
    parts = {part.strip().casefold(): n for n in reversed(names) for part in (n, *n.split(","))}
    nearest = dict.fromkeys(parts[c] for c in difflib.get_close_matches(wanted, parts, n=3, cutoff=0.6))
    for part, full in parts.items():
        if wanted in part and len(nearest) < 3:
            nearest[full] = None
    return list(nearest)
