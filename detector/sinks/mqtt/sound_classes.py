"""Which sounds are shown as live, under which ids, and which of them go on now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from detector.events.groups import WantedNames
from detector.events.labels import AskedLabels
from detector.sinks.mqtt.topics import any_class_id, class_id
from detector.wire.message import EventBody

MOST_SENSORS = 24
"""With more labels than these, those that are to have a topic of their own must be named in `classes`."""

MOST_SOUNDS = 1000
"""Sounds that go on at once; more are a fault elsewhere, and the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class SoundClass:
    """One kind of sound, as Home Assistant knows it."""

    id: str
    """a-z, 0-9 and _: its part of a topic, and its type of event."""
    name: str
    """For people."""


class SoundClasses:
    """Finds the classes of an event."""

    def __init__(
        self,
        *,
        chosen: Sequence[tuple[SoundClass, WantedNames]] = (),
        by_label: Mapping[str, SoundClass] | None = None,
        with_topics: bool = True,
    ) -> None:
        """Those that people chose, with the names of their events, or one for each label, by its name.

        `with_topics`: each has a topic of its own.
        """
        self._chosen = tuple(chosen)
        self._by_label = dict(by_label or {})
        self.all = tuple(dict.fromkeys([*(one for one, _ in chosen), *self._by_label.values()]))
        """The classes, in order."""
        self.with_topics = self.all if with_topics else ()
        """Those that have a topic of their own."""

    def of(self, event: EventBody) -> list[SoundClass]:
        """The classes of an event: of its label, its class id and what is above them."""
        names = (event.label, event.class_id)
        found = [one for one, wanted in self._chosen if wanted.hold(names, event.ancestors)]
        of_label = self._by_label.get(event.label)
        return found if of_label is None else [*found, of_label]


def chosen_classes(names: Sequence[str], asked: Callable[[Collection[str]], AskedLabels]) -> SoundClasses:
    """The classes that the settings name; `asked` tells under which label a name is reported."""
    reported = asked(names).reported_as
    return SoundClasses(
        chosen=[
            (SoundClass(class_id(name), name), WantedNames.of(filter(None, (name, reported.get(name)))))
            for name in names
        ]
    )


def all_classes(labels: Sequence[str]) -> SoundClasses:
    """A class for each label that the daemon reports; labels whose ids are the same share one."""
    classes: dict[str, SoundClass] = {}
    by_label = {
        label: classes.setdefault(any_class_id(label), SoundClass(any_class_id(label), label))
        for label in labels
    }
    return SoundClasses(by_label=by_label, with_topics=len(classes) <= MOST_SENSORS)


class ActiveSounds:
    """Which classes sound now: of those sounds that have begun and not ended."""

    def __init__(self) -> None:
        self._sounds: dict[str, frozenset[str]] = {}

    def note(self, event: EventBody, classes: Collection[SoundClass]) -> tuple[set[str], set[str]]:
        """Take an event; returns the ids of the classes that it begins to be, and that are silent now."""
        before = self._sounds.pop(event.id, frozenset())
        now = frozenset() if event.kind == "end" else frozenset(one.id for one in classes)
        if now:
            self._sounds[event.id] = now
            if len(self._sounds) > MOST_SOUNDS:
                del self._sounds[next(iter(self._sounds))]
        sounding = self.ids
        return set(now - before), {id for id in before if id not in sounding}

    @property
    def ids(self) -> set[str]:
        """The classes that sound."""
        return {id for ids in self._sounds.values() for id in ids}
