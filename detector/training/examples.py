"""Datasets as examples: clips of one class each, or sections of annotated recordings with any number.

A folder called `background`, `negatives` or `unknown` holds sounds that are no event: they are learned as a
class that is never reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.datasets.annotations import Annotation, labels_of
from detector.datasets.labelled_clips import BACKGROUND, Clip, class_of
from detector.datasets.truths import Truth
from detector.errors import DatasetError
from detector.training.recipe import Example, LearningTask

LEAST_OVERLAP_SECONDS = 0.5
"""A sound counts for a section that holds this much of it, or half of it where it is shorter."""


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """All examples, and the classes they are of."""

    task: LearningTask
    examples: tuple[Example, ...]

    @property
    def targets(self) -> NDArray[np.float32]:
        """Shape (examples, classes)."""
        return np.array([example.targets for example in self.examples], np.float32)

    @property
    def class_count(self) -> int:
        """How many classes have an example."""
        return int(self.targets.any(axis=0).sum())


def from_clips(clips: Sequence[Clip], *, seed: int) -> ExampleSet:
    """One example for each clip; DatasetError for class names that cannot be told apart."""
    classes = _classes({class_of(clip.label) for clip in clips})
    column_of = {name: column for column, name in enumerate(classes)}
    identity = np.eye(len(classes), dtype=np.float32)
    task = LearningTask(classes, multilabel=False, seed=seed, background=_background(classes))
    return ExampleSet(
        task,
        tuple(
            Example(clip.path, identity[column_of[class_of(clip.label)]], clip.source, clip.fold)
            for clip in clips
        ),
    )


def from_truths(
    truths: Sequence[Truth], seconds: Mapping[Path, float], *, length: float, seed: int
) -> ExampleSet:
    """Cut annotated recordings into sections of `length` [s]; a recording is one source."""
    sounding = [[a for a in truth.annotations if class_of(a.label) != BACKGROUND] for truth in truths]
    classes = _classes(set(labels_of(sounding)))
    task = LearningTask(classes, multilabel=True, seed=seed)
    examples = []
    for truth, sounds in zip(truths, sounding, strict=True):
        for number in range(max(1, round(seconds[truth.path] / length))):
            start, stop = number * length, (number + 1) * length
            targets = [_sounds(name, sounds, start, stop) for name in classes]
            examples.append(
                Example(truth.path, np.array(targets, np.float32), str(truth.path), start=start, stop=stop)
            )
    return ExampleSet(task, tuple(examples))


def with_background(example_set: ExampleSet) -> ExampleSet:
    """The same examples in a task that has a background class, of which there may be no example."""
    task = example_set.task
    if task.background is not None:
        return example_set
    return ExampleSet(
        replace(task, classes=(*task.classes, BACKGROUND), background=BACKGROUND),
        tuple(replace(e, targets=np.append(e.targets, np.float32(0))) for e in example_set.examples),
    )


def class_weights(targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shape (classes,): rare classes count more, so that all together count the same; the mean is 1."""
    counts = np.maximum(targets.sum(axis=0), 1)
    weights: NDArray[np.float32] = (1 / counts / (1 / counts).mean()).astype(np.float32)
    return weights


def example_weights(targets: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shape (examples,): the mean weight of what sounds in each, 1 where nothing does; they average 1."""
    count = targets.sum(axis=1)
    each = np.where(count > 0, (targets @ weights) / np.maximum(count, 1), 1.0)
    averaged: NDArray[np.float32] = (each / each.mean()).astype(np.float32)
    return averaged


def _sounds(name: str, annotations: Sequence[Annotation], start: float, stop: float) -> bool:
    return any(
        a.label == name
        and min(a.offset, stop) - max(a.onset, start)
        >= min(LEAST_OVERLAP_SECONDS, (a.offset - a.onset) / 2, stop - start)
        for a in annotations
    )


def _classes(names: set[str]) -> tuple[str, ...]:
    """Sorted, the background last; DatasetError where two differ in the case of letters alone."""
    by_fold: dict[str, str] = {}
    for name in sorted(names):
        other = by_fold.setdefault(name.casefold(), name)
        if other != name:
            raise DatasetError(f"the classes {other!r} and {name!r} differ in case only; rename one of them")
    return tuple(sorted(names, key=lambda name: (name == BACKGROUND, name.casefold())))


def _background(classes: Sequence[str]) -> str | None:
    return BACKGROUND if BACKGROUND in classes else None
