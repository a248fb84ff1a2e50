"""Which labels are reported, under which name: include, exclude, groups, background.

A model's outputs become the *reported* labels: everyday ones, each with its kinds, and groups as one label
each whose score is the highest of its members. Names are matched without regard to case, by
the label's name or its `class_id`. The names of shipped groups (`events.groups`) are written exactly, and
stand for those of their labels that are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.errors import ConfigError
from detector.events.groups import WantedNames, named_group, nearest_groups
from detector.events.label_index import GROUP_ID, LabelIndex, did_you_mean_any, nearest_names
from detector.records import Label

HIGHEST_SCORE = 1 - 1e-6
"""Scores count as at most this where odds add up."""


@dataclass(frozen=True, slots=True)
class AskedLabels:
    """What somebody gets who asks for events by the names of labels."""

    unknown: tuple[str, ...] = ()
    """Names that no event has."""
    reported_as: Mapping[str, str] = field(default_factory=dict)
    """Names whose sounds are reported under another label -> the name of that label."""
    message: str = ""
    """What to say about both, for people; empty where events have all names."""


class LabelMap:
    """Maps one score per model output to one score per label that competes for a sound.

    Labels are reported under everyday names (`Label.reported_as`): Bark under Dog, whose odds then are the
    sum of its members'. With `everyday` False every label is reported by itself. A label that `include`,
    `apart` or a group names is a label of its own. `background=False` leaves out background labels unless
    one of them names them. A shipped group in `include` stands for those of its labels that would be reported
    without it, in `exclude` and in a group for all its labels, and in `apart` for none. Excluded labels still
    compete: what sounds most like Music is not reported as something else because Music is excluded. Raises
    ConfigError for a name the model does not have, with the nearest ones, and where nothing would be left to
    report.

    `others` are labels of events that need no score. `include` chooses them by their own name, a name above
    them or a shipped group, `exclude` by their own name or a shipped group.
    """

    def __init__(
        self,
        labels: Sequence[Label],
        *,
        include: Collection[str] = (),
        exclude: Collection[str] = (),
        groups: Mapping[str, Sequence[str]] | None = None,
        background: bool = False,
        everyday: bool = True,
        apart: Collection[str] = (),
        others: Sequence[Label] = (),
    ) -> None:
        index = LabelIndex(labels)
        self.others = _chosen_others(others, include, exclude)
        """What events may carry that need no score."""
        other_names = {name for label in others for name in _own_names(label)}
        is_narrowed = bool(include)
        include = [name for name in include if name.casefold() not in other_names]
        exclude = [name for name in exclude if name.casefold() not in other_names]
        members = {
            name: index.find_all(f"events.groups.{name}", names) for name, names in (groups or {}).items()
        }
        _check_group_names(members, index)
        group_key = {name.casefold(): name for name in members}
        grouped = {column for columns in members.values() for column in columns}

        wanted_groups, wanted = _split(include, group_key)
        by_group = [name for name in wanted if index.group(name)]
        by_name = index.find_all("events.include", [name for name in wanted if name not in by_group])
        unwanted_groups, unwanted = _split(exclude, group_key)
        excluded = set(index.find_all("events.exclude", unwanted))
        alone = [name for name in apart if name in index and not index.group(name)]
        named = {*by_name, *index.find_all("", alone)}
        kinds = _kinds(labels, named | grouped) if everyday else {}

        own = [c for c in range(len(labels)) if c not in grouped and _stands_alone(labels[c], everyday)]
        own = sorted({*own, *(named - grouped)})
        usual = [c for c in own if c in named or background or not labels[c].background]
        if is_narrowed:
            of_groups = index.find_all("events.include", by_group)
            included = [*by_name, *(c for c in of_groups if _is_usual(labels[c], everyday, background))]
            chosen = [c for c in dict.fromkeys(included) if c not in excluded]
            chosen_groups = [g for g in members if g in wanted_groups and g not in unwanted_groups]
            silent = [] if include else usual
        else:
            chosen = [c for c in usual if c not in excluded]
            chosen_groups = [g for g in members if g not in unwanted_groups]
            silent = [c for c in own if c in excluded]
        if not chosen and not chosen_groups and (include or not self.others):
            raise ConfigError("no label is left to report; exclude fewer", key="events.exclude")
        self._labels = tuple(labels)
        self._groups = [np.array(members[g], dtype=np.intp) for g in chosen_groups]
        self._members = [[c, *(k for k in kinds.get(c, ()) if k not in excluded)] for c in chosen]
        self._silent = [[c, *kinds.get(c, ())] for c in silent]
        self._columns = np.array([c for m in (*self._members, *self._silent) for c in m], dtype=np.intp)
        sizes = [len(m) for m in (*self._members, *self._silent)]
        self._starts = np.cumsum([0, *sizes[:-1]], dtype=np.intp)
        self.reported: tuple[Label, ...] = (
            *(labels[c] for c in chosen),
            *(_group_label(g, [labels[c] for c in members[g]]) for g in chosen_groups),
        )
        """What events may carry."""
        self.competing: tuple[Label, ...] = (*self.reported, *(labels[c] for c in silent))
        """In the order of `apply`'s output: what events may carry, then what is excluded."""
        self.member_ids: tuple[frozenset[str], ...] = (
            *(frozenset(labels[c].class_id for c in m) for m in self._members),
            *(frozenset(labels[c].class_id for c in members[g]) for g in chosen_groups),
            *(frozenset(labels[c].class_id for c in m) for m in self._silent),
        )
        """The `class_id`s that each competing label stands for."""

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (model outputs,) -> scores (competing labels,)."""
        own = self._joined(values)
        cut = len(self._members)
        groups = [values[columns].max() for columns in self._groups]
        return np.concatenate((own[:cut], groups, own[cut:])).astype(np.float32)

    def _joined(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The odds of the members of each label added up; a label without others keeps its score."""
        scores = values[self._columns]
        if len(self._columns) == len(self._members) + len(self._silent):
            return scores
        inside = np.minimum(scores.astype(np.float64), HIGHEST_SCORE)
        odds = np.add.reduceat(inside / (1 - inside), self._starts)
        joined: NDArray[np.float32] = (odds / (1 + odds)).astype(np.float32)
        return joined

    def asked(self, names: Collection[str]) -> AskedLabels:
        """What the events of these labels can be found by; names of classes above a label are known too."""
        index = LabelIndex((*self.reported, *self.others))
        known = _names((*self.reported, *self.others))
        reported = {class_id: label for label, ids in self._reported_ids() for class_id in ids}
        unknown, reported_as, lines = [], {}, []
        for name in names:
            group = index.group(name)
            if index.has_any(group) if group else name.casefold() in known:
                continue
            same = [
                label
                for label in self._labels
                if (group.holds(label) if group else name.casefold() in _own_names(label))
            ]
            label = next((reported[each.class_id] for each in same if each.class_id in reported), None)
            if label is not None:
                reported_as[name] = label.name
                lines.append(_reported_as_text(name, label))
            else:
                unknown.append(name)
                lines.append(_left_out_text(name) if same else _unknown_text(name, list(known.values())))
        return AskedLabels(tuple(unknown), reported_as, "; ".join(lines))

    def _reported_ids(self) -> list[tuple[Label, frozenset[str]]]:
        return list(zip(self.reported, self.member_ids, strict=False))

    def find_all(self, key: str, name: str) -> list[int]:
        """Indices of the reported labels or the group of this name; ConfigError names `key` and others."""
        return LabelIndex(self.reported).find_all(key, [name])

    def is_shipped_group(self, name: str) -> bool:
        """Whether the name means a shipped group, and no reported label."""
        return LabelIndex(self.reported).group(name) is not None


def _chosen_others(
    others: Sequence[Label], include: Collection[str], exclude: Collection[str]
) -> tuple[Label, ...]:
    """Those that `include` names, by their own name or one above them or a group, and `exclude` does not."""
    wanted, unwanted = WantedNames.of(include), WantedNames.of(exclude)
    hidden = [group for group in map(named_group, exclude) if group]
    return tuple(
        label
        for label in others
        if (not wanted or wanted.hold(_own_names(label), label.ancestor_names))
        and not unwanted.hold(_own_names(label))
        and not any(group.holds(label) for group in hidden)
    )


def _own_names(label: Label) -> tuple[str, str]:
    return label.name.casefold(), label.class_id.casefold()


def _names(labels: Sequence[Label]) -> dict[str, str]:
    """The names by which their events are found, casefolded -> as they are written."""
    known: dict[str, str] = {}
    for label in labels:
        for name in (*label.ancestor_names, label.class_id, label.name):
            known[name.casefold()] = name
    return known


def _reported_as_text(name: str, label: Label) -> str:
    if label.class_id.startswith(GROUP_ID):
        return f"{name!r} is in the group {label.name!r} of this daemon: the events of the group come"
    return (
        f"this daemon reports {name!r} as {label.name!r}: all events of {label.name!r} come; "
        f"for events of {name!r} alone, add it to events.labels in the daemon's settings"
    )


def _left_out_text(name: str) -> str:
    return (
        f"this daemon does not report {name!r}: see include, exclude, background and labels "
        "under events in its settings"
    )


def _unknown_text(name: str, known: Sequence[str]) -> str:
    nearest = [*nearest_names(name, known), *nearest_groups(name)]
    return f"no label of this daemon is called {name!r}{did_you_mean_any(nearest)}"


def _stands_alone(label: Label, everyday: bool) -> bool:
    return label.reported_as is None or not everyday


def _is_usual(label: Label, everyday: bool, background: bool) -> bool:
    return _stands_alone(label, everyday) and (background or not label.background)


def _kinds(labels: Sequence[Label], apart: Collection[int]) -> dict[int, list[int]]:
    """Column of an everyday label -> the columns reported under it, but for those in `apart`."""
    columns = {(label.model, label.class_id): column for column, label in enumerate(labels)}
    kinds: dict[int, list[int]] = {}
    for column, label in enumerate(labels):
        if label.reported_as and column not in apart:
            kinds.setdefault(columns[label.model, label.reported_as], []).append(column)
    return kinds


def _split(names: Collection[str], groups: Mapping[str, str]) -> tuple[set[str], list[str]]:
    of_groups = {groups[name.casefold()] for name in names if name.casefold() in groups}
    return of_groups, [name for name in names if name.casefold() not in groups]


def _check_group_names(members: Mapping[str, Sequence[int]], index: LabelIndex) -> None:
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
        class_id=f"{GROUP_ID}{name}",
        model="+".join(models),
        ancestors=ancestors,
        ancestor_names=tuple(above for above in names if above not in inside),
    )
