"""Every example scored by a model that never heard its source, and sounds of classes nobody taught it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from detector.training.material import Material, class_weights
from detector.training.recipe import Example, Progress, Recipe

LEAST_CLASSES = 3
"""Of events; with fewer nothing is left to be a stranger."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What was said of the examples that were held out."""

    scores: Mapping[int, NDArray[np.float32]]
    """Index of the example -> (windows, classes)."""
    answers: Mapping[int, NDArray[np.float32]]
    """Index of the example -> (classes,): the mean score over the windows that lie wholly in it.

    Over all, where it is shorter than a window: before a clip lies silence that no stream has.
    """
    histories: Sequence[Sequence[Mapping[str, float]]]
    """Of each fold's fit, row by row; rows may be none."""

    @property
    def epochs(self) -> int | None:
        """After how many epochs the fits were best, in the median; None where they counted none."""
        best = [
            min(rows, key=lambda row: row.get("validation_loss", np.inf))["epoch"]
            for rows in self.histories
            if rows
        ]
        return round(median(best)) if best else None


def cross_validate(
    recipe: Recipe,
    material: Material,
    folds: NDArray[np.intp],
    held_out: Sequence[int],
    *,
    checkpoint: Path | None,
    progress: Progress,
) -> HeldOut:
    """For each of these folds: fit on all others, score it."""
    scores: dict[int, NDArray[np.float32]] = {}
    answers: dict[int, NDArray[np.float32]] = {}
    histories = []
    for number, fold in enumerate(held_out):
        progress("trying out", number, len(held_out))
        train = [example for example, own in zip(material.examples, folds, strict=True) if own != fold]
        test = np.flatnonzero(folds == fold).tolist()
        fitted = recipe.fit(
            material.task,
            train,
            [material.examples[index] for index in test],
            weights=class_weights(np.array([example.targets for example in train])),
            checkpoint=None if checkpoint is None else checkpoint / f"fold-{fold + 1}",
            progress=progress,
        )
        histories.append(fitted.history)
        for index in test:
            example = material.examples[index]
            scores[index] = fitted.scores(example)
            answers[index] = answer(scores[index], fitted.stops(example), recipe.window / recipe.sample_rate)
    progress("trying out", len(held_out), len(held_out))
    return HeldOut(scores, answers, histories)


def answer(
    scores: NDArray[np.float32], stops: NDArray[np.float64], window_seconds: float
) -> NDArray[np.float32]:
    """Shape (classes,): the mean over whole windows, over all where there is none, 0 without any."""
    whole = scores[stops >= window_seconds - 1e-6]
    counted = whole if len(whole) else scores
    mean: NDArray[np.float32] = counted.sum(axis=0, dtype=np.float32) / np.float32(max(1, len(counted)))
    return mean


def strangers(recipe: Recipe, material: Material, *, progress: Progress) -> list[NDArray[np.float32]]:
    """Leave each class out once and score its clips: (windows, classes), 0 for the class left out.

    Nothing where that would leave a single class, or where several classes sound in one example.
    """
    task = material.task
    events = [column for column, name in enumerate(task.classes) if name != task.background]
    if task.multilabel or len(events) < LEAST_CLASSES:
        return []
    found = []
    for number, column in enumerate(events):
        progress("trying strangers", number, len(events))
        rest = [column_ for column_ in range(len(task.classes)) if column_ != column]
        known = [_without(e, rest) for e in material.examples if not e.targets[column]]
        fitted = recipe.fit(
            replace(task, classes=tuple(task.classes[place] for place in rest)),
            known,
            [],
            weights=class_weights(np.array([example.targets for example in known])),
            checkpoint=None,
            progress=progress,
        )
        for example in material.examples:
            if example.targets[column]:
                found.append(np.insert(fitted.scores(example), column, 0.0, axis=1))
    progress("trying strangers", len(events), len(events))
    return found


def _without(example: Example, columns: Sequence[int]) -> Example:
    return replace(example, targets=example.targets[list(columns)])
