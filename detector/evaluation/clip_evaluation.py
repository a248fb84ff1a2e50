"""`evaluate` for a dataset of clips: score them all, compare them with their classes, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detector.datasets.labelled_clips import BACKGROUND, Dataset, class_of
from detector.errors import DatasetError, DetectorError
from detector.evaluation.class_map import ClassMap
from detector.evaluation.clip_metrics import (
    BackgroundFigures,
    ClipAnswer,
    ClipFigures,
    answer,
    background_figures,
    clip_figures,
    own_class_detected,
)
from detector.evaluation.recording_scorer import MakeScorerFor, score_all


@dataclass(frozen=True, slots=True, eq=False)
class ClipReport:
    """All figures of a dataset."""

    layout: str
    classes: tuple[str, ...]
    unmapped: tuple[str, ...]
    """Classes that were left out: the model has no label for them."""
    unreadable: Mapping[str, str]
    """Path -> why."""
    clips: int
    own_class_detected: float
    """Share of clips with an event of their own class."""
    by_score: ClipFigures
    by_event: ClipFigures
    answers: tuple[tuple[Path, ClipAnswer], ...]
    background: BackgroundFigures | None = None
    """Of the clips that hold no event; None where there are none. They are in no other figure."""


def evaluate_clips(
    dataset: Dataset, class_map: ClassMap, make: MakeScorerFor, *, jobs: int, quiet: bool = False
) -> ClipReport:
    """Score every clip of a class the model has labels for, and those of the background.

    DatasetError where no clip of a class could be read.
    """
    clips = [
        clip
        for clip in dataset.clips
        if class_of(clip.label) == BACKGROUND or clip.label in class_map.classes
    ]
    outcomes = score_all(make(class_map.columns), [clip.path for clip in clips], jobs=jobs, quiet=quiet)
    answers, unreadable, background = [], {}, []
    for clip, outcome in zip(clips, outcomes, strict=True):
        if isinstance(outcome, DetectorError):
            unreadable[str(clip.path)] = str(outcome)
            continue
        (recording,) = outcome.values()
        if class_of(clip.label) == BACKGROUND:
            background.append(recording)
            continue
        answers.append(
            (clip.path, answer(clip.label, clip.fold, recording, class_map.classes, class_map.of_label))
        )
    if not answers:
        raise DatasetError(
            f"none of {len(clips)} clips could be read; the first: {next(iter(unreadable.values()), '')}"
        )
    only = [given for _, given in answers]
    return ClipReport(
        layout=dataset.layout,
        classes=class_map.classes,
        unmapped=class_map.unmapped,
        unreadable=unreadable,
        clips=len(answers),
        own_class_detected=own_class_detected(only),
        by_score=clip_figures(only, class_map.classes, by_event=False),
        by_event=clip_figures(only, class_map.classes, by_event=True),
        answers=tuple(answers),
        background=background_figures(background, class_map.of_label) if background else None,
    )
