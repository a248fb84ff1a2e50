"""How well a head does in scenes of clips that it did not learn from: it sets the threshold, and is reported.

Conventions: levels (windows, classes) of a scene or of the other sounds, as `passing_levels` gives them; a
sound passes a threshold that two windows in a row reach, as the daemon's voting asks (2 of 2, its default).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.training.discriminant import NEVER
from detector.training.simulated_scenes import PlacedSound

HOLD_SECONDS = 0.7
"""Windows that end so long after a sound still hold most of it."""
FAR_SECONDS = 1.0
"""An event is wrong where no sound of its class is so near."""
ONSET_SECONDS = 0.5
"""An event is right where its onset is so near that of a sound of its class."""

AFTER_WINDOW_SECONDS = 0.3
"""Votes are counted over two windows: so much later than a window may a sound in it still be named."""

MOST_WRONG_AN_HOUR = 60.0
MOST_UNKNOWN = 0.015
"""Share of other sounds that may be taken for a taught one, with up to three classes."""
MORE_UNKNOWN = 0.015
"""By so much more for each further class: more classes, more that is like one of them."""
LEAST_FOUND = 0.05
"""The share of its sounds that each class still finds, whatever that costs."""
THRESHOLDS = np.arange(0, 15, 0.25)
"""From half-way between the others and a class."""


@dataclass(frozen=True, slots=True)
class TrialSound:
    """A sound in a scene."""

    label: int
    """Index of its class."""
    onset: float
    """Seconds since the scene began."""
    offset: float


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """An event that the pipeline started."""

    label: int
    onset: float
    """Seconds since the scene began, as the event says."""
    offset: float
    decided: float
    """When it was told."""


@dataclass(frozen=True, slots=True, eq=False)
class TrialScene:
    """A scene with the levels of its windows, each from a fit that had not seen the sound in it."""

    stops: NDArray[np.float64]
    """Shape (windows,): where each window ends [s]."""
    levels: NDArray[np.float32]
    """Shape (windows, classes)."""
    sounds: tuple[TrialSound, ...]
    seconds: float
    memory_seconds: float = 0.0
    """So long after a sound ended the network's window still holds it."""

    def reached(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What each sound's own class reaches (sounds,), and what is wrong (n,): a value for each mistake."""
        own, wrong = [], []
        alone = np.ones(len(self.stops), np.bool_)
        levels = self._without_echoes()
        for sound in self.sounds:
            within = (self.stops > sound.onset) & (self.stops < sound.offset + HOLD_SECONDS)
            own.append(strongest(self.levels[within])[sound.label])
            reach = strongest(levels[within])
            wrong += np.delete(reach, sound.label).tolist()
            alone &= (self.stops <= sound.onset) | (self.stops >= sound.offset + FAR_SECONDS)
        quiet = np.where(alone[:, None], levels, NEVER)
        wrong += [
            float(strongest(part).max(initial=NEVER))
            for part in np.split(quiet, np.flatnonzero(np.diff(alone)) + 1)
        ]
        return np.array(own, np.float32), np.array(wrong, np.float32)

    def _without_echoes(self) -> NDArray[np.float32]:
        """The levels, NEVER for a class that a window only remembers: the daemon has that in its event."""
        levels = self.levels.copy()
        for sound in self.sounds:
            last = sound.offset + self.memory_seconds + AFTER_WINDOW_SECONDS
            levels[(self.stops >= sound.offset + HOLD_SECONDS) & (self.stops < last), sound.label] = NEVER
        return levels


@dataclass(frozen=True, slots=True)
class SceneFigures:
    """What simulated scenes of held-out clips give, through the daemon's own pipeline; shares 0..1."""

    sounds: int
    found: float
    """Share of the sounds with an event of their class, at any onset."""
    event_f1: float
    """Events whose class is right and whose onset is within ONSET_SECONDS."""
    wrong_per_hour: float
    """Events of a class that does not sound within FAR_SECONDS."""
    latency: float
    """Median of the time from a sound's onset to the moment at which it was told [s]; NaN where none was."""
    classes: Mapping[int, float]
    """Index of each class -> share of its sounds that were found."""


def strongest(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shape (classes,): the highest level that two windows in a row reach; NEVER where there are none."""
    if len(levels) < 2:
        alone: NDArray[np.float32] = levels.max(axis=0, initial=NEVER)
        return alone
    reached: NDArray[np.float32] = np.minimum(levels[1:], levels[:-1]).max(axis=0)
    return reached


def choose_threshold(scenes: Sequence[TrialScene], unknown: NDArray[np.float32], classes: int) -> float:
    """Choose the lowest threshold at which few sounds are taken for others.

    `unknown` (sounds,): the level that each other sound reaches. Few are MOST_WRONG_AN_HOUR in the scenes and
    MOST_UNKNOWN of the other sounds.
    """
    reached = [scene.reached() for scene in scenes]
    wrong = np.concatenate([wrong for _, wrong in reached])
    hours = sum(scene.seconds for scene in scenes) / 3600
    most_unknown = MOST_UNKNOWN + MORE_UNKNOWN * max(0, classes - 3)
    for threshold in THRESHOLDS.tolist():
        few_wrong = (wrong >= threshold).sum() <= MOST_WRONG_AN_HOUR * hours
        if few_wrong and (not len(unknown) or (unknown >= threshold).mean() <= most_unknown):
            return float(threshold)
    return float(THRESHOLDS[-1])


def class_thresholds(
    scenes: Sequence[TrialScene], clips: Sequence[tuple[int, float]], threshold: float, classes: int
) -> NDArray[np.float32]:
    """Shape (classes,): the common threshold, or a lower one where a class would find too few sounds.

    They are counted in the scenes, and among the clips as they are; `clips`: class and level of each.
    """
    in_scenes = [
        (sound.label, float(own))
        for scene in scenes
        for sound, own in zip(scene.sounds, scene.reached()[0], strict=True)
    ]
    chosen = np.full(classes, threshold, np.float32)
    for label in range(classes):
        for reached in (in_scenes, clips):
            levels = [level for other, level in reached if other == label and level > NEVER]
            if levels:
                chosen[label] = min(chosen[label], float(np.quantile(levels, 1 - LEAST_FOUND)))
    return chosen


def count_events(scenes: Sequence[tuple[TrialScene, Sequence[TrialEvent]]]) -> SceneFigures:
    """Compare the events of each scene with its sounds."""
    found: dict[int, list[bool]] = {}
    latencies: list[float] = []
    matched = told = wrong = 0
    for scene, events in scenes:
        told += len(events)
        free = list(events)
        for sound in scene.sounds:
            found.setdefault(sound.label, []).append(any(_near(event, sound) for event in events))
            near = [
                event
                for event in free
                if event.label == sound.label and abs(event.onset - sound.onset) <= ONSET_SECONDS
            ]
            if near:
                best = min(near, key=lambda event: abs(event.onset - sound.onset))
                free.remove(best)
                matched += 1
                latencies.append(best.decided - sound.onset)
        wrong += sum(not any(_near(event, sound) for sound in scene.sounds) for event in events)
    every = [one for own in found.values() for one in own]
    seconds = sum(scene.seconds for scene, _ in scenes)
    return SceneFigures(
        sounds=len(every),
        found=float(np.mean(every)) if every else np.nan,
        event_f1=2 * matched / (told + len(every)) if told + len(every) else np.nan,
        wrong_per_hour=3600 * wrong / seconds if seconds else np.nan,
        latency=float(np.median(latencies)) if latencies else np.nan,
        classes={label: float(np.mean(own)) for label, own in sorted(found.items())},
    )


def sounds_of(placed: Sequence[PlacedSound], labels: Sequence[int]) -> tuple[TrialSound, ...]:
    """The sounds of a scene; `labels`: the class of each clip."""
    return tuple(TrialSound(labels[sound.clip], sound.onset, sound.offset) for sound in placed)


def _near(event: TrialEvent, sound: TrialSound) -> bool:
    return (
        event.label == sound.label
        and event.onset < sound.offset + FAR_SECONDS
        and event.offset > sound.onset - FAR_SECONDS
    )
