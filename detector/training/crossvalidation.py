"""Cross-validation: every example is scored by a model that was not trained on its source.

Sounds of unknown classes are imitated by leaving each class out of the training once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from detector.training.examples import ExampleSet, class_weights
from detector.training.recipe import Example, FitJob, Recipe
from detector.workers.progress import Progress

MIN_CLASSES = 3
"""Classes of events needed to leave one out: with fewer the rest is a single class."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutScores:
    """The scores of the examples that were held out."""

    scores: Mapping[int, NDArray[np.float32]]
    """Index of the example -> (windows, classes)."""
    mean_scores: Mapping[int, NDArray[np.float32]]
    """Index of the example -> (classes,): the mean over the windows that lie wholly in it.

    Over all windows where the example is shorter than one: the silence before a clip is in no real stream.
    """
    histories: Sequence[Sequence[Mapping[str, float]]]
    """Of each fold's fit, one row for each epoch; a logistic head has no rows."""

    @property
    def epochs(self) -> int | None:
        """The median of the epochs after which the fits were best; None for fits without epochs."""
        best = [
            min(rows, key=lambda row: row.get("validation_loss", np.inf))["epoch"]
            for rows in self.histories
            if rows
        ]
        return round(median(best)) if best else None


def cross_validate(
    recipe: Recipe,
    example_set: ExampleSet,
    folds: NDArray[np.intp],
    held_out: Sequence[int],
    *,
    checkpoint: Path | None,
    progress: Progress,
) -> HeldOutScores:
    """For each of these folds: fit on all others, score it."""
    scores: dict[int, NDArray[np.float32]] = {}
    mean_scores: dict[int, NDArray[np.float32]] = {}
    histories = []
    for number, fold in enumerate(held_out):
        progress("cross-validating", number, len(held_out))
        train = [example for example, own in zip(example_set.examples, folds, strict=True) if own != fold]
        test = np.flatnonzero(folds == fold).tolist()
        fitted = recipe.fit(
            FitJob(
                example_set.task,
                train,
                [example_set.examples[index] for index in test],
                weights=class_weights(np.array([example.targets for example in train])),
                progress=progress,
                checkpoint=None if checkpoint is None else checkpoint / f"fold-{fold + 1}",
            )
        )
        histories.append(fitted.history)
        for index in test:
            example = example_set.examples[index]
            scores[index] = fitted.scores(example)
            mean_scores[index] = mean_score(
                scores[index], fitted.stops(example), recipe.window / recipe.sample_rate
            )
    progress("cross-validating", len(held_out), len(held_out))
    return HeldOutScores(scores, mean_scores, histories)


def mean_score(
    scores: NDArray[np.float32], stops: NDArray[np.float64], window_seconds: float
) -> NDArray[np.float32]:
    """Shape (classes,): the mean over whole windows, over all where there is none, 0 without any."""
    whole = scores[stops >= window_seconds - 1e-6]
    counted = whole if len(whole) else scores
    mean: NDArray[np.float32] = counted.sum(axis=0, dtype=np.float32) / np.float32(max(1, len(counted)))
    return mean


def score_unknown_sounds(
    recipe: Recipe, example_set: ExampleSet, progress: Progress
) -> list[NDArray[np.float32]]:
    """Leave each class out of the training once and score its clips as sounds that the model does not know.

    Each result has shape (windows, classes), with 0 for the class left out. There are none where a single
    class would be left, or where several classes may sound in one example.
    """
    task = example_set.task
    events = [column for column, name in enumerate(task.classes) if name != task.background]
    if task.multilabel or len(events) < MIN_CLASSES:
        return []
    found = []
    for number, column in enumerate(events):
        progress("unknown sounds", number, len(events))
        rest = [column_ for column_ in range(len(task.classes)) if column_ != column]
        known = [_without(e, rest) for e in example_set.examples if not e.targets[column]]
        fitted = recipe.fit(
            FitJob(
                replace(task, classes=tuple(task.classes[index] for index in rest)),
                known,
                [],
                weights=class_weights(np.array([example.targets for example in known])),
                progress=progress,
            )
        )
        for example in example_set.examples:
            if example.targets[column]:
                found.append(np.insert(fitted.scores(example), column, 0.0, axis=1))
    progress("unknown sounds", len(events), len(events))
    return found


def _without(example: Example, columns: Sequence[int]) -> Example:
    return replace(example, targets=example.targets[list(columns)])
