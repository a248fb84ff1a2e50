"""Which labels are reported, under which name: include, exclude, groups, background.

A model's outputs become the *reported* labels: chosen ones as they are, groups as one label
each whose score is the highest of its members. Names are matched without regard to case, by
the label's name or its `class_id`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import ConfigError
from detector.records import Label


class LabelMap:
    """Maps one score per model output to one score per reported label.

    `background=False` leaves out background labels unless `include` or a group names them.
    Raises ConfigError for a name the model does not have, with the nearest ones, and where
    nothing would be left to report.
    """

    def __init__(
        self,
        labels: Sequence[Label],
        *,
        include: Collection[str] = (),
        exclude: Collection[str] = (),
        groups: Mapping[str, Sequence[str]] | None = None,
        background: bool = False,
    ) -> None:
        index = _Index(labels)
        members = {
            name: index.find_all(f"events.groups.{name}", names) for name, names in (groups or {}).items()
        }
        _check_group_names(members, index)
        group_key = {name.casefold(): name for name in members}
        grouped = {column for columns in members.values() for column in columns}

        wanted_groups, wanted = _split(include, group_key)
        included = index.find_all("events.include", wanted)
        unwanted_groups, unwanted = _split(exclude, group_key)
        excluded = set(index.find_all("events.exclude", unwanted))

        if include:
            chosen = [c for c in dict.fromkeys(included) if c not in excluded]
            chosen_groups = [g for g in members if g in wanted_groups and g not in unwanted_groups]
        else:
            chosen = [
                c
                for c, label in enumerate(labels)
                if c not in grouped and c not in excluded and (background or not label.background)
            ]
            chosen_groups = [g for g in members if g not in unwanted_groups]
        if not chosen and not chosen_groups:
            raise ConfigError("no label is left to report; exclude fewer", key="events.exclude")
        self._chosen = np.array(chosen, dtype=np.intp)
        self._groups = [np.array(members[g], dtype=np.intp) for g in chosen_groups]
        self.reported: tuple[Label, ...] = (
            *(labels[c] for c in chosen),
            *(_group_label(g, [labels[c] for c in members[g]]) for g in chosen_groups),
        )
        """What events may carry, in the order of `apply`'s output."""
        self.member_ids: tuple[frozenset[str], ...] = (
            *(frozenset({labels[c].class_id}) for c in chosen),
            *(frozenset(labels[c].class_id for c in members[g]) for g in chosen_groups),
        )
        """The `class_id`s that each reported label stands for."""

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (model outputs,) -> scores (reported labels,)."""
        chosen = values[self._chosen]
        if not self._groups:
            return chosen
        return np.append(chosen, [values[columns].max() for columns in self._groups]).astype(np.float32)

    def find_all(self, key: str, name: str) -> list[int]:
        """Indices of the reported labels or the group of this name; ConfigError names `key` and others."""
        return _Index(self.reported).find_all(key, [name])


class _Index:
    """Looks labels up by name or class_id."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self._names = [label.name for label in labels]
        self._columns: dict[str, list[int]] = {}
        for column, label in enumerate(labels):
            for key in {label.name.casefold(), label.class_id.casefold()}:
                self._columns.setdefault(key, []).append(column)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._columns

    def find_all(self, key: str, names: Collection[str]) -> list[int]:
        columns: list[int] = []
        for name in names:
            found = self._columns.get(name.casefold())
            if found is None:
                raise ConfigError(f"no reported label is called {name!r}{self._nearest(name)}", key=key)
            columns.extend(found)
        return columns

    def _nearest(self, name: str) -> str:
        wanted = name.casefold()
        parts = {part.strip().casefold(): n for n in reversed(self._names) for part in (n, *n.split(","))}
        close = difflib.get_close_matches(wanted, parts, n=3, cutoff=0.6)
        nearest = dict.fromkeys(parts[c] for c in close)
        for part, full in parts.items():
            if wanted in part and len(nearest) < 3:
                nearest[full] = None
        if not nearest:
            return "; `sound-detector models info NAME --labels` lists them"
        return "; did you mean " + " or ".join(repr(n) for n in nearest) + "?"


def _split(names: Collection[str], groups: Mapping[str, str]) -> tuple[set[str], list[str]]:
    of_groups = {groups[name.casefold()] for name in names if name.casefold() in groups}
    return of_groups, [name for name in names if name.casefold() not in groups]


def _check_group_names(members: Mapping[str, Sequence[int]], index: _Index) -> None:
    for name, columns in members.items():
        if not columns:
            raise ConfigError("expected at least one label, got none", key=f"events.groups.{name}")
        if name in index:
            raise ConfigError(
                "a label of the model has this name; choose another", key=f"events.groups.{name}"
            )


def _group_label(name: str, members: Sequence[Label]) -> Label:
    own = {label.class_id for label in members}
    ancestors = frozenset().union(*(label.ancestors for label in members)) - own
    names = dict.fromkeys(name for label in members for name in label.ancestor_names)
    inside = {label.name for label in members}
    models = dict.fromkeys(label.model for label in members)
    return Label(
        name=name,
        class_id=f"group:{name}",
        model="+".join(models),
        ancestors=ancestors,
        ancestor_names=tuple(above for above in names if above not in inside),
    )
