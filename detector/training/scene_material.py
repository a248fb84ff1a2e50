"""What a discriminant is fitted to: windows of scenes, of background, and of the bank of other sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import DatasetError
from detector.training.contexts import running_means
from detector.training.discriminant import Discriminant, Moments, fit_discriminant, moments, shrunk
from detector.training.embedding_library import EmbeddingLibrary
from detector.training.head_recipe import BaseModel
from detector.training.layers import signed_sqrt
from detector.training.other_sounds import MADE_UP, Bank
from detector.training.recipe import Example, LearningTask
from detector.training.recording_embeddings import EmbeddedRecording
from detector.training.simulated_scenes import PlacedSound

LEAST_OVERLAP_SECONDS = 0.35
"""A window holds a sound where so much of it, or half of a shorter one, lies in it."""
SAME_SOUND = 0.2
"""A group of the bank that is mistaken for a class so often, one against the other, is that very sound."""
SAME_RATIO = 2.0
"""And this many times as often as most groups: sounds of a varied class are mistaken for everything."""
ROOM_WEIGHT = 0.5
"""How much the user's own background counts beside all of the bank."""
BETWEEN, UNCLEAR = -1, -2
"""Instead of a clip's index: a window of background alone, and one at the edge of a sound."""


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
                owners(scene.heard.stops, scene.sounds, self.base.window / self.base.sample_rate),
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

    def same_sounds(self, labels: Mapping[Path, int], count: int) -> list[str]:
        """Groups of the bank that can't be told from a taught class.

        Each class stands against each group alone: one half of both is learned, the other half is tried.
        """
        if not self.bank:
            return []
        pooled = [*self.bank_moments.values(), self.between]
        mean = np.mean([one.mean for one in pooled], axis=0)
        product = np.mean([one.product for one in pooled], axis=0)
        whiten = np.linalg.cholesky(np.linalg.inv(shrunk(product - np.outer(mean, mean))))
        taught: list[list[NDArray[np.float64]]] = [[] for _ in range(count)]
        for path, row in self.clip_means.items():
            if labels[path] < count:
                taught[labels[path]].append(row @ whiten)
        recorded = [name for name in self.bank if not name.startswith(MADE_UP)]
        others = {
            name: np.array(
                [
                    self.bank_rows[name][group.pairs[group.sound == number].ravel()].mean(axis=0)
                    for number in range(group.count)
                ],
                np.float64,
            )
            @ whiten
            for name, group in ((name, self.bank[name]) for name in recorded)
        }
        same = set()
        for own in taught:
            if len(own) < 2 or not recorded:
                continue
            mistaken = np.array([_mistaken(np.array(own), others[name]) for name in recorded])
            least = max(SAME_SOUND, SAME_RATIO * float(np.median(mistaken)))
            same |= {name for name, share in zip(recorded, mistaken, strict=True) if share > least}
        return [name for name in recorded if name in same]

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
    for sound in sounds:
        overlap = np.minimum(stops, sound.offset) - np.maximum(stops - window_seconds, sound.onset)
        enough = overlap >= min(LEAST_OVERLAP_SECONDS, (sound.offset - sound.onset) / 2)
        owner[(overlap > 0) & ~enough & (owner == BETWEEN)] = UNCLEAR
        owner[(overlap > 0) & enough] = sound.clip
    return owner


def _mistaken(own: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Share of rows on the wrong side, the mean of both kinds; each half is tried by the other."""
    shares = []
    for half in (0, 1):
        here, there = own[half::2].mean(axis=0), others[half::2].mean(axis=0)
        direction, middle = here - there, (here + there) / 2
        shares += [
            float(((own[1 - half :: 2] - middle) @ direction < 0).mean()),
            float(((others[1 - half :: 2] - middle) @ direction > 0).mean()),
        ]
    return float(np.mean(shares))
