"""Which events are of which class, and how long each true sound waited for its event.

Pure. F1 and the like are left to `sed_eval`; it does not tell which pairs it made, so that latency has
its own rule: the first event of the class whose onset is within the collar.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.datasets.annotations import Annotation


@dataclass(frozen=True, slots=True)
class HeardEvent:
    """One event from its start to its end."""

    label: str
    onset: float
    """Seconds since the recording began."""
    offset: float
    """Seconds."""
    decided: float
    """Seconds: the newest sound known when it was told."""
    top_score: float
    """0..1."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A stretch in which a class was told."""

    onset: float
    """Seconds."""
    offset: float
    """Seconds."""
    label: str
    """The class."""
    decided: float
    """Seconds: when it was first told."""


@dataclass(frozen=True, slots=True)
class Delay:
    """One true sound that was found."""

    label: str
    latency: float
    """From its true onset to the decision [s]."""
    onset_error: float
    """Told minus true onset [s]."""


def estimates(events: Iterable[HeardEvent], of: Mapping[str, str]) -> list[Estimate]:
    """Events as classes; those of one class that overlap or touch are one.

    Two labels of one class (`Bark` and `Howl` of a dog) may name one sound.
    """
    latest: dict[str, Estimate] = {}
    done: list[Estimate] = []
    for event in sorted(events, key=lambda event: (event.onset, event.offset)):
        label = of.get(event.label)
        if label is None:
            continue
        new = Estimate(event.onset, event.offset, label, event.decided)
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
    return sorted([*done, *latest.values()], key=lambda estimate: (estimate.onset, estimate.label))


def others(events: Iterable[HeardEvent], of: Mapping[str, str], ignored: Collection[str]) -> list[HeardEvent]:
    """Events of labels that speak for no class of the truth and are not to be ignored."""
    return [event for event in events if event.label not in of and event.label not in ignored]


def strays(truth: Sequence[Annotation], told: Iterable[Estimate], slack: float) -> list[Estimate]:
    """Events within `slack` [s] of no true sound of their class: not late, not early, just wrong."""
    return [one for one in told if not any(s.label == one.label and _near(s, one, slack) for s in truth)]


def unprompted(truth: Sequence[Annotation], told: Iterable[Estimate], slack: float) -> list[Estimate]:
    """Events within `slack` [s] of no true sound at all: not one taken for another, but the background."""
    return [one for one in told if not any(_near(sound, one, slack) for sound in truth)]


def delays(truth: Sequence[Annotation], told: Sequence[Estimate], collar: float) -> list[Delay]:
    """For each true sound the first unused event of its class within `collar` [s] of its onset."""
    used: set[int] = set()
    found = []
    for sound in sorted(truth):
        for place, estimate in enumerate(told):
            error = estimate.onset - sound.onset
            if estimate.label == sound.label and abs(error) <= collar and place not in used:
                used.add(place)
                found.append(Delay(sound.label, estimate.decided - sound.onset, error))
                break
    return found


def _near(sound: Annotation, estimate: Estimate, slack: float) -> bool:
    return sound.onset - slack <= estimate.offset and estimate.onset <= sound.offset + slack
