"""Which events belong to which class, which are false alarms, and how late each true sound was detected.

F1 and the like are left to `sed_eval`. It does not say which pairs it made, so latency has its own rule: the
first event of the class whose onset is within the collar.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.datasets.annotations import Annotation


@dataclass(frozen=True, slots=True)
class DetectedEvent:
    """One event from its start to its end."""

    label: str
    onset: float
    """Seconds since the recording began."""
    offset: float
    """Seconds."""
    decided: float
    """Seconds: the newest sound known when the event was reported."""
    top_score: float
    """0..1."""


@dataclass(frozen=True, slots=True)
class ClassEvent:
    """A period in which a class was detected."""

    onset: float
    """Seconds."""
    offset: float
    """Seconds."""
    label: str
    """The class."""
    decided: float
    """Seconds: when it was first reported."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How late one true sound was detected."""

    label: str
    latency: float
    """From its true onset to the decision [s]."""
    onset_error: float
    """Reported minus true onset [s]."""


def class_events(events: Iterable[DetectedEvent], of: Mapping[str, str]) -> list[ClassEvent]:
    """Map events to classes; those of one class that overlap or touch become one.

    Two labels of one class (`Bark` and `Howl` of a dog) may name one sound.
    """
    latest: dict[str, ClassEvent] = {}
    done: list[ClassEvent] = []
    for event in sorted(events, key=lambda event: (event.onset, event.offset)):
        label = of.get(event.label)
        if label is None:
            continue
        new = ClassEvent(event.onset, event.offset, label, event.decided)
        before = latest.get(label)
        if before is None:
            latest[label] = new
        elif new.onset <= before.offset:
            latest[label] = replace(
                before,
                offset=max(before.offset, new.offset),
                decided=min(before.decided, new.decided),
            )
        else:
            done.append(before)
            latest[label] = new
    return sorted([*done, *latest.values()], key=lambda event: (event.onset, event.label))


def unmapped_events(
    events: Iterable[DetectedEvent], of: Mapping[str, str], ignored: Collection[str]
) -> list[DetectedEvent]:
    """Events of labels that belong to no class of the truth and are not ignored."""
    return [event for event in events if event.label not in of and event.label not in ignored]


def class_false_alarms(
    truth: Sequence[Annotation], detected: Iterable[ClassEvent], slack: float
) -> list[ClassEvent]:
    """Events that are not within `slack` [s] of any true sound of their class."""
    return [one for one in detected if not any(s.label == one.label and _near(s, one, slack) for s in truth)]


def background_false_alarms(
    truth: Sequence[Annotation], detected: Iterable[ClassEvent], slack: float
) -> list[ClassEvent]:
    """Events that are not within `slack` [s] of any true sound: the background was taken for a class."""
    return [one for one in detected if not any(_near(sound, one, slack) for sound in truth)]


def delays(truth: Sequence[Annotation], detected: Sequence[ClassEvent], collar: float) -> list[Delay]:
    """For each true sound the first unused event of its class within `collar` [s] of its onset."""
    used: set[int] = set()
    found = []
    for sound in sorted(truth):
        for index, event in enumerate(detected):
            error = event.onset - sound.onset
            if event.label == sound.label and abs(error) <= collar and index not in used:
                used.add(index)
                found.append(Delay(sound.label, event.decided - sound.onset, error))
                break
    return found


def _near(sound: Annotation, event: ClassEvent, slack: float) -> bool:
    return sound.onset - slack <= event.offset and event.onset <= sound.offset + slack
