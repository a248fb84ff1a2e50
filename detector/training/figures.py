"""How good a model is on examples that were held out; all figures are shares 0..1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.training.crossvalidation import HeldOutScores
from detector.training.discriminant_recipe import THRESHOLD, HeadTrial
from detector.training.examples import ExampleSet
from detector.training.scene_trial import SceneFigures
from detector.training.thresholds import choose_thresholds, strengths


@dataclass(frozen=True, slots=True)
class HeldOutClassFigures:
    """One class, counted as events: it is detected in an example where its threshold is reached."""

    examples: int
    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class DoubtfulExample:
    """An example that the model takes for another class: it may be mislabelled, or hard."""

    index: int
    heard_as: str
    """The class with the highest score."""
    score: float
    own_score: float
    """The score of its own class."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingFigures:
    """The figures of a model, from cross-validation."""

    accuracy: float
    """Share of clips whose class has the highest mean score; NaN where several classes may sound."""
    folds: Mapping[int, float]
    """The same in each fold, counted from 1."""
    macro_f1: float
    """Mean over classes of the F1 as events."""
    detected: float
    """Share of the annotated sounds that were detected."""
    false: float
    """Share of the examples in which a class was detected that does not sound there."""
    unknown_detected: float
    """Share of sounds of unknown classes in which a known class was detected; NaN where not measured."""
    classes: Mapping[str, HeldOutClassFigures]
    confusion: NDArray[np.int64]
    """Shape (classes, classes): true by highest mean score; empty where several may sound at once."""
    doubtful: Sequence[DoubtfulExample]
    """The worst first."""
    scenes: SceneFigures | None = None
    """What simulated scenes of held-out clips give; None where there were none."""

    def numbers(self) -> dict[str, float]:
        """Those that go into model.yaml, in per cent."""
        of_scenes = (
            {"sounds found in scenes": self.scenes.found, "event F1 in scenes": self.scenes.event_f1}
            if self.scenes is not None
            else {}
        )
        named = {
            **of_scenes,
            "accuracy": self.accuracy,
            "macro F1 as events": self.macro_f1,
            "sounds reported": self.detected,
            "examples with a false event": self.false,
            "unknown sounds reported as known": self.unknown_detected,
        }
        return {name: round(100 * share, 1) for name, share in named.items() if not np.isnan(share)}


def make_figures(
    example_set: ExampleSet,
    folds: NDArray[np.intp],
    held_out: HeldOutScores,
    unknown_scores: Sequence[NDArray[np.float32]],
    trial: HeadTrial | None = None,
) -> TrainingFigures:
    """Choose thresholds on the held-out scores and measure how good the model is with them.

    After a trial in scenes the threshold is chosen already. Then a clip of a sound is compared with the other
    sounds alone, and one of the background is right where nothing is detected in it.
    """
    task = example_set.task
    indices = sorted(held_out.scores)
    scores = [held_out.scores[index] for index in indices]
    targets = example_set.targets[indices]
    known = strengths(scores, len(task.classes))
    unknown = strengths(unknown_scores, len(task.classes))
    background = None if task.background is None else task.classes.index(task.background)
    thresholds = (
        choose_thresholds(known, targets, unknown, background)
        if trial is None
        else np.full(len(task.classes), THRESHOLD, np.float32)
    )
    is_event = np.array([name != task.background for name in task.classes])
    detected = (known >= thresholds) & is_event
    wanted = (targets > 0) & is_event
    means = np.array([held_out.mean_scores[index] for index in indices])
    if trial is not None and background is not None:
        quiet = (targets[:, background] > 0) & ~detected.any(axis=1)
        means[:, background] = np.where(quiet, 1.0, 0.0)
    right = means.argmax(axis=1) == targets.argmax(axis=1)
    classes = {
        name: _class_figures(detected[:, column], wanted[:, column], float(thresholds[column]))
        for column, name in enumerate(task.classes)
        if is_event[column]
    }
    false_detections = (unknown >= thresholds) & is_event
    single = not task.multilabel
    return TrainingFigures(
        accuracy=float(right.mean()) if single else np.nan,
        folds={
            int(fold) + 1: float(right[folds[indices] == fold].mean())
            for fold in np.unique(folds[indices])
            if single
        },
        macro_f1=float(np.mean([one.f1 for one in classes.values()])),
        detected=float((detected & wanted).sum() / max(1, wanted.sum())),
        false=float((detected & ~wanted).any(axis=1).mean()),
        unknown_detected=trial.unknown_detected
        if trial is not None
        else float(false_detections.any(axis=1).mean())
        if len(unknown)
        else np.nan,
        classes=classes,
        confusion=_confusion(targets, means) if single else np.zeros((0, 0), np.int64),
        doubtful=_doubtful(indices, targets, means if single else known, task.classes),
        scenes=None if trial is None else trial.figures,
    )


def _class_figures(
    detected: NDArray[np.bool_], wanted: NDArray[np.bool_], threshold: float
) -> HeldOutClassFigures:
    right, found, there = int((detected & wanted).sum()), int(detected.sum()), int(wanted.sum())
    return HeldOutClassFigures(
        examples=there,
        threshold=round(threshold, 3),
        precision=right / found if found else np.nan,
        recall=right / there if there else np.nan,
        f1=2 * right / (found + there) if found + there else np.nan,
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
) -> list[DoubtfulExample]:
    """Examples in which another class scores higher than the lowest of their own."""
    found = []
    for index, own, score in zip(indices, targets > 0, scores, strict=True):
        if own.all():
            continue
        other = int(np.where(own, -1.0, score).argmax())
        lowest = float(score[own].min()) if own.any() else 0.5
        if score[other] > lowest:
            own_score = lowest if own.any() else 0.0
            found.append(DoubtfulExample(index, classes[other], float(score[other]), own_score))
    return sorted(found, key=lambda one: one.own_score - one.score)
