"""Metrics of clips, by scikit-learn: how often a clip's class is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.backends.extra_packages import needed
from detector.evaluation.recording_scorer import RecordingScores

NOTHING = "(nothing)"
"""The answer for a clip that was not classified, or that had no event."""


@dataclass(frozen=True, slots=True)
class ClipAnswer:
    """The model's answer for one clip."""

    label: str
    """Its true class."""
    fold: str | None
    by_score: str
    """Class with the highest mean score, or NOTHING."""
    by_event: str
    """Class of the event with the highest top score, or NOTHING."""
    detected: frozenset[str]
    """Classes of all its events."""
    scores: NDArray[np.float32]
    """Shape (classes,): mean over the clip's windows, 0 where there is none."""


@dataclass(frozen=True, slots=True)
class BackgroundFigures:
    """Clips that hold no event: silence is right there."""

    clips: int
    quiet: float
    """Share of these clips without an event of any class, 0..1."""
    false_alarms: int
    """Events of the dataset's classes in them."""
    hours: float

    @property
    def per_hour(self) -> float:
        """False alarms in an hour of such clips."""
        return self.false_alarms / self.hours if self.hours else 0.0


@dataclass(frozen=True, slots=True)
class ClipClassFigures:
    """Figures of one class, 0..1."""

    precision: float
    recall: float
    f1: float
    average_precision: float
    """Of its mean scores over all clips; NaN where it is not by score."""
    clips: int


@dataclass(frozen=True, slots=True, eq=False)
class ClipFigures:
    """Figures of one way to decide, 0..1."""

    accuracy: float
    micro: tuple[float, float, float]
    """Precision, recall, F1; a clip with no answer lowers recall alone."""
    macro: tuple[float, float, float]
    mean_average_precision: float
    nothing: float
    """Share of clips without an answer."""
    classes: Mapping[str, ClipClassFigures]
    folds: Mapping[str, float]
    """Accuracy in each."""
    confusion: NDArray[np.int64]
    """Shape (classes, classes + 1): true by answered, the last column is NOTHING."""


def answer(
    label: str, fold: str | None, recording: RecordingScores, classes: Sequence[str], of: Mapping[str, str]
) -> ClipAnswer:
    """Decide by mean score and by events; `of`: label name -> class."""
    mean = recording.scores.mean(axis=0) if len(recording.scores) else np.zeros(len(classes), np.float32)
    mapped = [event for event in recording.events if event.label in of]
    top = max(mapped, key=lambda event: event.top_score, default=None)
    return ClipAnswer(
        label=label,
        fold=fold,
        by_score=classes[int(mean.argmax())] if mean.any() else NOTHING,
        by_event=NOTHING if top is None else of[top.label],
        detected=frozenset(of[event.label] for event in mapped),
        scores=mean,
    )


def background_figures(recordings: Sequence[RecordingScores], of: Mapping[str, str]) -> BackgroundFigures:
    """Count the events in clips that hold none; `of`: label name -> class."""
    alarms = [sum(event.label in of for event in recording.events) for recording in recordings]
    return BackgroundFigures(
        clips=len(recordings),
        quiet=float(np.mean([count == 0 for count in alarms])),
        false_alarms=sum(alarms),
        hours=sum(recording.seconds for recording in recordings) / 3600,
    )


def own_class_detected(answers: Sequence[ClipAnswer]) -> float:
    """Share of clips of which at least one event is of their own class."""
    return float(np.mean([a.label in a.detected for a in answers]))


def clip_figures(answers: Sequence[ClipAnswer], classes: Sequence[str], *, by_event: bool) -> ClipFigures:
    """Compare answers with the truth; DetectorError where scikit-learn is missing."""
    metrics = needed("sklearn.metrics", "scikit-learn")
    truth = [a.label for a in answers]
    answered = [a.by_event if by_event else a.by_score for a in answers]
    names = [*classes, NOTHING]

    def shares(average: str | None) -> tuple[NDArray[np.float64], ...]:
        result: tuple[NDArray[np.float64], ...] = metrics.precision_recall_fscore_support(
            truth, answered, labels=list(classes), average=average, zero_division=0.0
        )
        return result

    precision, recall, f1, count = shares(None)
    average = [np.nan] * len(classes)
    if not by_event:
        scores = np.array([a.scores for a in answers])  # (clips, classes)
        average = [
            metrics.average_precision_score([label == name for label in truth], scores[:, column])
            if name in truth
            else np.nan
            for column, name in enumerate(classes)
        ]
    right = np.array([a == b for a, b in zip(truth, answered, strict=True)])
    folds = sorted({a.fold for a in answers if a.fold is not None}, key=lambda fold: (len(fold), fold))
    return ClipFigures(
        accuracy=float(metrics.accuracy_score(truth, answered)),
        micro=_three(shares("micro")),
        macro=_three(shares("macro")),
        mean_average_precision=float(np.nanmean(average)) if not by_event else np.nan,
        nothing=float(np.mean([name == NOTHING for name in answered])),
        classes={
            name: ClipClassFigures(
                float(precision[i]), float(recall[i]), float(f1[i]), float(average[i]), int(count[i])
            )
            for i, name in enumerate(classes)
        },
        folds={fold: float(right[[a.fold == fold for a in answers]].mean()) for fold in folds},
        confusion=metrics.confusion_matrix(truth, answered, labels=names)[:-1],
    )


def _three(shares: Sequence[object]) -> tuple[float, float, float]:
    precision, recall, f1 = (float(np.asarray(share)) for share in shares[:3])
    return precision, recall, f1
