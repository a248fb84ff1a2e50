"""What a discriminant is fitted to: windows of scenes, of background, and of the bank of other sounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import DatasetError
from detector.training.contexts import running_means
from detector.training.discriminant import Discriminant, Moments, fit_discriminant, moments
from detector.training.embedding_library import EmbeddingLibrary
from detector.training.head_recipe import BaseModel
from detector.training.layers import signed_sqrt
from detector.training.other_sounds import MADE_UP, Bank
from detector.training.recipe import Example, LearningTask
from detector.training.recording_embeddings import EmbeddedRecording
from detector.training.simulated_scenes import PlacedSound

NEWEST_SECONDS = 0.975
"""A window is said to hold what sounds in its newest part of this length, all of YAMNet's window. A longer
window still holds earlier sounds, but the daemon has decided about those."""
LEAST_OVERLAP_SECONDS = 0.35
"""A window holds a sound where so much of it, or half of a shorter one, lies in that part."""
SAME_SOUND = 0.4
"""A group of the bank whose sounds so often have a higher level than a class's clips is that class itself."""
BANK_PARTS = 5
"""The bank is tried in so many parts, each by a fit without it."""
ROOM_WEIGHT = 0.5
"""How much the user's own background counts beside all of the bank."""
BETWEEN, UNCLEAR = -1, -2
"""Instead of a clip's index: a window of background alone, and one at the edge of a sound or after it."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedScene:
    """A simulated scene as the base model hears it."""

    samples: NDArray[np.int16]
    """Empty for scenes that only teach."""
    sounds: tuple[PlacedSound, ...]
    """`clip` is an index into the material's `clips`."""
    heard: EmbeddedRecording
    seconds: float


@dataclass(frozen=True, eq=False)
class SceneMaterial:
    """Scenes of the clips, and everything that is not to be detected."""

    base: BaseModel
    library: EmbeddingLibrary
    context_seconds: float
    """A head reads the mean of the embeddings over so many seconds."""
    clips: Sequence[Path]
    """What the scenes were made of."""
    scenes: Sequence[EmbeddedScene]
    bank: Bank
    soft_noise: Sequence[Path]

    @cached_property
    def learned(self) -> Sequence[tuple[NDArray[np.float32], NDArray[np.intp]]]:
        """Of each scene: the roots of its running means (windows, features), and the clip in each window.

        The clip is an index into `clips`, BETWEEN where there is only background, UNCLEAR at the edges.
        """
        return [
            (
                self.roots(scene.heard),
                owners(scene.heard.stops, scene.sounds, self.base.window_seconds),
            )
            for scene in self.scenes
        ]

    @cached_property
    def clip_means(self) -> Mapping[Path, NDArray[np.float64]]:
        """Clip -> the mean of its windows in all scenes (features,); a clip without any window is missing."""
        rows: dict[int, list[NDArray[np.float32]]] = {}
        for values, owner in self.learned:
            for clip in np.unique(owner[owner >= 0]).tolist():
                rows.setdefault(clip, []).append(values[owner == clip])
        return {
            self.clips[clip]: np.concatenate(own).mean(axis=0, dtype=np.float64) for clip, own in rows.items()
        }

    @cached_property
    def between(self) -> Moments:
        """Of the background between the sounds, and of soft noise."""
        rows = [values[owner == BETWEEN] for values, owner in self.learned]
        quiet = [self.roots(self.library[path]) for path in self.soft_noise]
        return moments(np.concatenate([*rows, *quiet]))

    @cached_property
    def bank_rows(self) -> Mapping[str, NDArray[np.float32]]:
        """Group -> what a discriminant is fitted to (windows, features)."""
        return {name: signed_sqrt(group.embeddings) for name, group in self.bank.items()}

    @cached_property
    def bank_moments(self) -> Mapping[str, Moments]:
        """Group -> its moments."""
        return {name: moments(rows) for name, rows in self.bank_rows.items()}

    def discriminant(
        self, task: LearningTask, examples: Sequence[Example], groups: Sequence[str]
    ) -> Discriminant:
        """Fit the task's classes of events to examples, against these groups of the bank."""
        classes, background = task.classes, task.background
        events = [column for column, name in enumerate(classes) if name != background]
        means = []
        for column in events:
            own = [
                self.clip_means[e.path] for e in examples if e.targets[column] and e.path in self.clip_means
            ]
            if not own:
                raise DatasetError(
                    f"no clip of {classes[column]!r} holds a window of the model; are they all silent?"
                )
            means.append(np.mean(own, axis=0))
        others = [self.bank_moments[name] for name in groups]
        weights = [1.0] * len(others)
        others.append(self.between)
        weights.append(max(1.0, float(len(weights))))
        rooms = [
            self.roots(self.library[e.path].counted())
            for e in examples
            if background is not None and e.targets[list(classes).index(background)]
        ]
        rooms = [rows for rows in rooms if len(rows)]
        if rooms:
            others.append(moments(np.concatenate(rooms)))
            weights.append(ROOM_WEIGHT * sum(weights))
        return fit_discriminant(np.array(means), others, weights)

    def parts_of_bank(
        self, task: LearningTask, examples: Sequence[Example], names: Sequence[str]
    ) -> Iterator[tuple[Sequence[str], Discriminant]]:
        """Groups of recorded sounds, and a fit without them; `names` are the groups that may be learned."""
        for part in range(min(BANK_PARTS, len(names)) if len(names) > 1 else 0):
            rest = [name for number, name in enumerate(names) if number % BANK_PARTS != part]
            recorded = [name for name in names[part::BANK_PARTS] if not name.startswith(MADE_UP)]
            yield recorded, self.discriminant(task, examples, rest)

    def same_sounds(
        self, task: LearningTask, examples: Sequence[Example], folds: NDArray[np.intp]
    ) -> list[str]:
        """Groups of the bank that are a taught sound themselves.

        By a fit that does not know the group, its sounds often have a higher level than clips of the class by
        a fit that does not know those.
        """
        names, held_out = list(self.bank), self._levels_of_held_out_clips(task, examples, folds)
        same = set()
        for groups, fitted in self.parts_of_bank(task, examples, names):
            for name in groups:
                group, rows = self.bank[name], self.bank_rows[name]
                sounds = [
                    rows[group.pairs[group.sound == one].ravel()].mean(axis=0) for one in range(group.count)
                ]
                levels = fitted.levels(np.array(sounds, np.float32))
                higher = [(levels[:, [c]] > own).mean() for c, own in enumerate(held_out) if len(own)]
                if max(higher, default=0.0) > SAME_SOUND:
                    same.add(name)
        return [name for name in names if name in same]

    def _levels_of_held_out_clips(
        self, task: LearningTask, examples: Sequence[Example], folds: NDArray[np.intp]
    ) -> list[NDArray[np.float32]]:
        """For each class of events the level (clips,) that the mean of each clip's windows has."""
        events = [column for column, name in enumerate(task.classes) if name != task.background]
        levels: list[list[float]] = [[] for _ in events]
        for fold in np.unique(folds):
            known = [e for e, own in zip(examples, folds, strict=True) if own != fold]
            fitted = self.discriminant(task, known, list(self.bank))
            for example, own in zip(examples, folds, strict=True):
                if own == fold and example.path in self.clip_means:
                    label = events.index(int(example.targets.argmax()))
                    reached = fitted.levels(self.clip_means[example.path][None].astype(np.float32))
                    levels[label].append(float(reached[0, label]))
        return [np.array(own, np.float32) for own in levels]

    def roots(self, heard: EmbeddedRecording) -> NDArray[np.float32]:
        """Shape (windows, features): what a discriminant is fitted to."""
        return signed_sqrt(self.running(heard))

    def running(self, heard: EmbeddedRecording) -> NDArray[np.float32]:
        """Shape (windows, features): what the daemon gives the head."""
        values = heard.embeddings.astype(np.float32)
        return running_means(values, heard.stops, self.context_seconds, self.base.hop_seconds)


def owners(
    stops: NDArray[np.float64], sounds: Sequence[PlacedSound], window_seconds: float
) -> NDArray[np.intp]:
    """Shape (windows,): the clip that each window holds, BETWEEN or UNCLEAR."""
    owner = np.full(len(stops), BETWEEN, np.intp)
    newest = min(window_seconds, NEWEST_SECONDS)
    for sound in sounds:
        overlap = np.minimum(stops, sound.offset) - np.maximum(stops - newest, sound.onset)
        enough = overlap >= min(LEAST_OVERLAP_SECONDS, (sound.offset - sound.onset) / 2)
        is_in = (stops > sound.onset) & (stops < sound.offset + window_seconds)
        owner[is_in & ~enough & (owner == BETWEEN)] = UNCLEAR
        owner[(overlap > 0) & enough] = sound.clip
    return owner
