"""`evaluate` for annotated recordings: score them, with and without the gate, and compare with the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.datasets.annotations import Annotation, check_length, merged
from detector.datasets.truths import Truth
from detector.errors import DatasetError, DetectorError
from detector.evaluation.class_map import ClassMap
from detector.evaluation.event_metrics import COLLAR_SECONDS, EventFigures, event_figures
from detector.evaluation.matching import (
    ClassEvent,
    Delay,
    background_false_alarms,
    class_events,
    class_false_alarms,
    delays,
    unmapped_events,
)
from detector.evaluation.recording_scorer import MakeScorerFor, Outcome, RecordingScores, score_all
from detector.evaluation.score_metrics import ScoreFigures, score_figures


@dataclass(frozen=True, slots=True)
class VariantFigures:
    """What one pipeline gave over all recordings."""

    events: EventFigures
    scores: ScoreFigures
    delays: tuple[Delay, ...]
    class_false_alarms: Mapping[str, int]
    """Class -> its events that are far from any true sound of it."""
    background_false_alarms: Mapping[str, int]
    """Class -> its events that are far from any true sound."""
    unmapped_events: Mapping[str, int]
    """Label that is no class of the truth -> its events."""
    windows: int
    """Windows that were classified."""


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """All figures of annotated recordings."""

    recordings: int
    hours: float
    classes: tuple[str, ...]
    unmapped: tuple[str, ...]
    """Classes of the truth that were left out: the model has no label for them."""
    unreadable: Mapping[str, str]
    """Path -> why."""
    variants: Mapping[str, VariantFigures]
    """`as set`, `gate off` -> figures."""


def evaluate_recordings(
    truths: Sequence[Truth],
    class_map: ClassMap,
    make: MakeScorerFor,
    *,
    window_seconds: float,
    hop_seconds: float,
    steady_hop_seconds: float,
    ignored: frozenset[str] = frozenset(),
    jobs: int = 0,
    quiet: bool = False,
) -> RecordingReport:
    """Score every recording; AnnotationError where a truth does not fit its recording.

    `ignored`: labels whose events count neither for nor against.
    """
    outcomes = score_all(make(class_map.columns), [truth.path for truth in truths], jobs=jobs, quiet=quiet)
    scored, unreadable = readable(truths, outcomes)
    known = set(class_map.classes)
    sounds = [merged(a for a in truth.annotations if a.label in known) for truth, _ in scored]
    names = list(scored[0][1])
    hours = sum(next(iter(one.values())).seconds for _, one in scored) / 3600
    of = {label: name for label, name in class_map.of_label.items() if label not in ignored}
    return RecordingReport(
        recordings=len(scored),
        hours=hours,
        classes=class_map.classes,
        unmapped=class_map.unmapped,
        unreadable=unreadable,
        variants={
            name: _variant(
                sounds,
                [one[name] for _, one in scored],
                replace(class_map, of_label=of),
                ignored,
                (window_seconds, hop_seconds, steady_hop_seconds),
            )
            for name in names
        },
    )


def readable(
    truths: Sequence[Truth], outcomes: Sequence[Outcome]
) -> tuple[list[tuple[Truth, dict[str, RecordingScores]]], dict[str, str]]:
    """The recordings that could be read, and path -> why for the others.

    DatasetError where there are none, AnnotationError where a truth does not fit its recording.
    """
    scored, unreadable = [], {}
    for truth, outcome in zip(truths, outcomes, strict=True):
        if isinstance(outcome, DetectorError):
            unreadable[str(truth.path)] = str(outcome)
            continue
        check_length(truth.annotations, next(iter(outcome.values())).seconds, str(truth.annotated_in))
        scored.append((truth, outcome))
    if not scored:
        raise DatasetError(
            f"none of {len(truths)} recordings could be read; {next(iter(unreadable.values()))}"
        )
    return scored, unreadable


def _variant(
    truths: Sequence[Sequence[Annotation]],
    recordings: Sequence[RecordingScores],
    class_map: ClassMap,
    ignored: frozenset[str],
    window_hops: tuple[float, float, float],
) -> VariantFigures:
    detected = [class_events(one.events, class_map.of_label) for one in recordings]
    unmapped = Counter(
        event.label
        for one in recordings
        for event in unmapped_events(one.events, class_map.of_label, ignored)
    )
    return VariantFigures(
        events=event_figures(truths, detected, [one.seconds for one in recordings], class_map.classes),
        scores=score_figures(truths, recordings, class_map.classes, *window_hops),
        delays=tuple(
            delay
            for truth, estimated in zip(truths, detected, strict=True)
            for delay in delays(truth, estimated, COLLAR_SECONDS)
        ),
        class_false_alarms=_counted(class_false_alarms, truths, detected),
        background_false_alarms=_counted(background_false_alarms, truths, detected),
        unmapped_events=dict(unmapped.most_common()),
        windows=sum(len(one.stops) for one in recordings),
    )


def _counted(
    wrong: Callable[[Sequence[Annotation], Sequence[ClassEvent], float], list[ClassEvent]],
    truths: Sequence[Sequence[Annotation]],
    detected: Sequence[Sequence[ClassEvent]],
) -> dict[str, int]:
    """Class -> how many of its events `wrong` picks."""
    pairs = zip(truths, detected, strict=True)
    return dict(Counter(one.label for truth, own in pairs for one in wrong(truth, own, COLLAR_SECONDS)))
