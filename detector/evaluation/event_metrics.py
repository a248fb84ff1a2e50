"""Event-based and segment-based metrics of sed_eval (A. Mesaros, T. Heittola, T. Virtanen, 2016)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from detector.backends.extra_packages import needed
from detector.datasets.annotations import Annotation
from detector.evaluation.matching import ClassEvent

COLLAR_SECONDS = 0.5
"""How far an event's onset may lie from the true one; offsets are not compared."""
SEGMENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DetectionCounts:
    """How well one class, or all classes together, was detected."""

    true: int
    """Sounds of the truth."""
    events: int
    """Events that were detected."""
    hits: int
    """Events that match one."""
    precision: float
    recall: float
    f1: float
    """0..1; 0 where there are sounds and no events, NaN where there is neither."""
    segment_f1: float

    @property
    def false_alarms(self) -> int:
        """Events that match no sound of the truth."""
        return self.events - self.hits


@dataclass(frozen=True, slots=True)
class EventFigures:
    """All classes of all recordings."""

    overall: DetectionCounts
    """Micro: every sound counts the same."""
    macro_f1: float
    """Every class counts the same; also segment-based."""
    macro_segment_f1: float
    classes: Mapping[str, DetectionCounts]


def event_figures(
    truths: Sequence[Sequence[Annotation]],
    detected: Sequence[Sequence[ClassEvent]],
    seconds: Sequence[float],
    classes: Sequence[str],
) -> EventFigures:
    """Compare recording by recording; `seconds`: their lengths. DetectorError where sed_eval is missing."""
    sound_event = needed("sed_eval", "sed_eval").sound_event
    containers = needed("dcase_util", "dcase_util").containers
    events = sound_event.EventBasedMetrics(
        event_label_list=list(classes),
        evaluate_onset=True,
        evaluate_offset=False,
        t_collar=COLLAR_SECONDS,
        event_matching_type="optimal",
    )
    segments = sound_event.SegmentBasedMetrics(
        event_label_list=list(classes), time_resolution=SEGMENT_SECONDS
    )
    for number, (truth, detected_events, length) in enumerate(zip(truths, detected, seconds, strict=True)):
        reference = containers.MetaDataContainer(_rows(truth, number))
        estimated = containers.MetaDataContainer(_rows(detected_events, number))
        events.evaluate(reference_event_list=reference, estimated_event_list=estimated)
        segments.evaluate(
            reference_event_list=reference, estimated_event_list=estimated, evaluated_length_seconds=length
        )
    by_class = {
        name: _found(events.class_wise[name], _of(events, name), _of(segments, name)) for name in classes
    }
    present = [found for found in by_class.values() if found.true]
    return EventFigures(
        overall=_found(events.overall, events.results_overall_metrics(), segments.results_overall_metrics()),
        macro_f1=_mean([found.f1 for found in present]),
        macro_segment_f1=_mean([found.segment_f1 for found in present]),
        classes=by_class,
    )


def _rows(sounds: Sequence[Annotation] | Sequence[ClassEvent], number: int) -> list[dict[str, object]]:
    return [
        {
            "event_label": sound.label,
            "onset": sound.onset,
            # sed_eval refuses what has no length
            "offset": max(sound.offset, sound.onset + 0.001),
            "filename": str(number),
        }
        for sound in sounds
    ]


def _of(metrics: Any, name: str) -> Mapping[str, Any]:  # noqa: ANN401 (a package without types)
    found: Mapping[str, Any] = metrics.results_class_wise_metrics()[name]
    return found


def _found(
    counts: Mapping[str, float], events: Mapping[str, Any], segments: Mapping[str, Any]
) -> DetectionCounts:
    true = round(counts["Nref"])
    shares = events["f_measure"]
    return DetectionCounts(
        true=true,
        events=round(counts["Nsys"]),
        hits=round(counts["Ntp"]),
        precision=float(shares["precision"]),
        recall=float(shares["recall"]),
        f1=_or_zero(shares["f_measure"], true),
        segment_f1=_or_zero(segments["f_measure"]["f_measure"], true),
    )


def _or_zero(f1: float, true: int) -> float:
    """Without a single hit or event the package gives NaN."""
    return 0.0 if math.isnan(f1) and true else float(f1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
