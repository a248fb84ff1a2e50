"""How good it is, on examples whose source it had not heard: shares 0..1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.training.crossvalidation import HeldOut
from detector.training.material import Material
from detector.training.thresholds import choose, strengths


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class, as events: it counts as told where its threshold is passed."""

    examples: int
    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An example that the model disagrees with: mislabelled, perhaps, or hard."""

    index: int
    said: str
    """What it heard instead."""
    score: float
    own_score: float
    """Of the class that it should have heard."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What `train` knows of a model before it is used."""

    accuracy: float
    """Share of clips whose class has the highest mean score; NaN where several classes may sound."""
    folds: Mapping[int, float]
    """The same in each fold, counted from 1."""
    macro_f1: float
    """Mean over classes of the F1 as events."""
    told: float
    """Share of the sounds to be told that were."""
    false: float
    """Share of the examples in which something was told that is not there."""
    strangers_told: float
    """Share of sounds of classes it was not taught in which it heard one; NaN where that was not tried."""
    classes: Mapping[str, ClassFigures]
    confusion: NDArray[np.int64]
    """Shape (classes, classes): true by highest mean score; empty where several may sound."""
    doubtful: Sequence[Doubtful]
    """The worst first."""

    def numbers(self) -> dict[str, float]:
        """Those that go into model.yaml, in per cent."""
        named = {
            "accuracy": self.accuracy,
            "macro F1 as events": self.macro_f1,
            "sounds told": self.told,
            "examples with a false event": self.false,
            "unknown sounds told as known": self.strangers_told,
        }
        return {name: round(100 * share, 1) for name, share in named.items() if not np.isnan(share)}


def make_figures(
    material: Material,
    folds: NDArray[np.intp],
    held_out: HeldOut,
    strange_scores: Sequence[NDArray[np.float32]],
) -> Figures:
    """Choose thresholds on what was held out, and say how good that is."""
    task = material.task
    indices = sorted(held_out.scores)
    scores = [held_out.scores[index] for index in indices]
    targets = material.targets[indices]
    known = strengths(scores, len(task.classes))
    strange = strengths(strange_scores, len(task.classes))
    background = None if task.background is None else task.classes.index(task.background)
    thresholds = choose(known, targets, strange, background)
    is_event = np.array([name != task.background for name in task.classes])
    told = (known >= thresholds) & is_event
    wanted = (targets > 0) & is_event
    means = np.array([held_out.answers[index] for index in indices])
    right = means.argmax(axis=1) == targets.argmax(axis=1)
    classes = {
        name: _class_figures(told[:, column], wanted[:, column], float(thresholds[column]))
        for column, name in enumerate(task.classes)
        if is_event[column]
    }
    heard = (strange >= thresholds) & is_event
    single = not task.multilabel
    return Figures(
        accuracy=float(right.mean()) if single else np.nan,
        folds={
            int(fold) + 1: float(right[folds[indices] == fold].mean())
            for fold in np.unique(folds[indices])
            if single
        },
        macro_f1=float(np.mean([one.f1 for one in classes.values()])),
        told=float((told & wanted).sum() / max(1, wanted.sum())),
        false=float((told & ~wanted).any(axis=1).mean()),
        strangers_told=float(heard.any(axis=1).mean()) if len(strange) else np.nan,
        classes=classes,
        confusion=_confusion(targets, means) if single else np.zeros((0, 0), np.int64),
        doubtful=_doubtful(indices, targets, means if single else known, task.classes),
    )


def _class_figures(told: NDArray[np.bool_], wanted: NDArray[np.bool_], threshold: float) -> ClassFigures:
    right, said, there = int((told & wanted).sum()), int(told.sum()), int(wanted.sum())
    return ClassFigures(
        examples=there,
        threshold=round(threshold, 3),
        precision=right / said if said else np.nan,
        recall=right / there if there else np.nan,
        f1=2 * right / (said + there) if said + there else np.nan,
    )


def _confusion(targets: NDArray[np.float32], means: NDArray[np.float32]) -> NDArray[np.int64]:
    counts = np.zeros((targets.shape[1], targets.shape[1]), np.int64)
    np.add.at(counts, (targets.argmax(axis=1), means.argmax(axis=1)), 1)
    return counts


def _doubtful(
    indices: Sequence[int],
    targets: NDArray[np.float32],
    scores: NDArray[np.floating],
    classes: Sequence[str],
) -> list[Doubtful]:
    """Examples in which another class scores higher than the lowest of their own."""
    found = []
    for index, own, said in zip(indices, targets > 0, scores, strict=True):
        if own.all():
            continue
        other = int(np.where(own, -1.0, said).argmax())
        lowest = float(said[own].min()) if own.any() else 0.5
        if said[other] > lowest:
            found.append(Doubtful(index, classes[other], float(said[other]), lowest if own.any() else 0.0))
    return sorted(found, key=lambda one: one.own_score - one.score)
