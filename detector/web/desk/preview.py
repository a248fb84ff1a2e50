"""How many stored events would remain with other settings: counted by each event's highest score.

What the history lacks cannot be counted: sounds that stayed below the threshold of their time, and labels
that were left out then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from detector.config.page_settings import path_of
from detector.events.groups import WantedNames, named_group
from detector.wire.message import EventBody

MOST_SCORES = 200
"""Scores of one label that are given."""
THRESHOLD, DURATION = "threshold_on", "min_duration_seconds"


@dataclass(slots=True)
class LabelCount:
    """Events of one label, by their last word."""

    before: int = 0
    after: int = 0
    scores: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PreviewCount:
    """All events of a time, and those of them that would remain."""

    by_label: Mapping[str, LabelCount]
    notes: Sequence[str]
    """What the numbers cannot show."""

    @property
    def before(self) -> int:
        """Events that there were."""
        return sum(count.before for count in self.by_label.values())

    @property
    def after(self) -> int:
        """Events that would remain."""
        return sum(count.after for count in self.by_label.values())


@dataclass(frozen=True, slots=True)
class _Rules:
    """The changed values, and where a value of its own comes before a wider one."""

    values: Mapping[str, object]
    labels: Mapping[str, Mapping[str, object]]
    """Names that have settings of their own, after the changes."""
    sources: Mapping[str, Mapping[str, object]]

    def keeps(self, event: EventBody) -> bool:
        """Whether an event would remain."""
        threshold, shortest = self.number(event, THRESHOLD), self.number(event, DURATION)
        if threshold is not None and event.top_score is not None and event.top_score < threshold:
            return False
        if shortest is not None and event.duration is not None and event.duration < shortest:
            return False
        include = self._names(event, "include")
        exclude = self._names(event, "exclude")
        if include and not _holds(include, event):
            return False
        return not (exclude and _holds(exclude, event))

    def number(self, event: EventBody, name: str) -> float | None:
        """The changed number that holds for an event; None where what holds for it did not change."""
        key = self._key(event, name)
        value = self.values.get(key)
        return float(value) if isinstance(value, int | float) else None

    def _key(self, event: EventBody, name: str) -> str:
        own = [label for label, values in self.labels.items() if values.get(name) is not None]
        naming = [label for label in own if _holds((label,), event)]
        single = [label for label in naming if label.casefold() == event.label.casefold()]
        if naming:
            return f"events.labels.{(single or naming)[-1]}.{name}"
        source = self.sources.get(event.source, {})
        return f"sources.{event.source}.{name}" if source.get(name) is not None else f"events.{name}"

    def _names(self, event: EventBody, name: str) -> Sequence[str]:
        of_source = self.sources.get(event.source, {}).get(name) is not None
        value = self.values.get(f"sources.{event.source}.{name}" if of_source else f"events.{name}")
        return value if isinstance(value, list) else ()


def preview(
    events: Iterable[EventBody],
    changes: Mapping[str, object],
    *,
    labels: Mapping[str, Mapping[str, object]],
    sources: Mapping[str, Mapping[str, object]],
    now_in_force: Mapping[str, object],
    default_threshold: float | None = None,
) -> PreviewCount:
    """Count events, each given by its last message.

    `changes` are right values by key; `labels` and `sources` the settings of their own before the changes;
    `now_in_force` the values before them, by key; `default_threshold` is the model's own, where it is known.
    """
    after_labels = _changed(labels, changes, "labels")
    after_sources = _changed(sources, changes, "sources")
    rules = _Rules(changes, after_labels, after_sources)
    counts: dict[str, LabelCount] = defaultdict(LabelCount)
    for event in events:
        count = counts[event.label]
        count.before += 1
        count.after += rules.keeps(event)
        if event.top_score is not None:
            count.scores.append(event.top_score)
    for count in counts.values():
        count.scores = sorted(count.scores)[:MOST_SCORES]
    return PreviewCount(
        dict(sorted(counts.items())), list(_notes(changes, now_in_force, counts, default_threshold))
    )


def _changed(
    own: Mapping[str, Mapping[str, object]], changes: Mapping[str, object], section: str
) -> dict[str, dict[str, object]]:
    after = {name: dict(values) for name, values in own.items()}
    for key, value in changes.items():
        path = path_of(key) or ()
        if section in path[:2] and len(path) > 2:
            after.setdefault(path[-2], {})[path[-1]] = value
    return after


def _notes(
    changes: Mapping[str, object],
    before: Mapping[str, object],
    counts: Mapping[str, LabelCount],
    default_threshold: float | None,
) -> Iterable[str]:
    lowest = min((count.scores[0] for count in counts.values() if count.scores), default=1.0)
    wide = before.get(f"events.{THRESHOLD}") or default_threshold or lowest
    for key, value in changes.items():
        last, was = key.rpartition(".")[2], before.get(key)
        if value is None:
            yield f"{key}: what its default would change is not counted"
        elif last == THRESHOLD and isinstance(value, int | float):
            reference = was if isinstance(was, int | float) else wide
            if isinstance(reference, int | float) and value < reference:
                yield (
                    "a lower threshold reports more sounds: those that stayed below the old one were never "
                    "stored, so nobody can say how many"
                )
        elif last in ("include", "exclude"):
            gone = set(was if isinstance(was, list) else ()) - set(value if isinstance(value, list) else ())
            if (last == "exclude" and gone) or (last == "include" and was and not value):
                yield "sounds that were left out until now were never stored, so nobody can say how many come"
        elif last not in (THRESHOLD, DURATION, "threshold_off"):
            yield f"{key}: what it would change cannot be counted"


def _holds(names: Sequence[str], event: EventBody) -> bool:
    """Whether an event has one of these labels or is in one of these groups."""
    own = (event.label, event.class_id)
    if {name.casefold() for name in names} & {name.casefold() for name in own}:
        return True
    groups = WantedNames.of(name for name in names if named_group(name) is not None)
    return groups.hold(own, event.ancestors)
