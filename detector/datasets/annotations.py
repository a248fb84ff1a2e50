"""What sounds when: the noun of a ground truth, and the checks that catch its usual faults."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from detector.errors import AnnotationError

SLACK_SECONDS = 1.0
"""How far an annotation may reach beyond its recording: editors round, encoders pad."""
RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000, 96000, 1000)
"""What a number of samples, or of milliseconds, is divided by to guess what was meant."""


@dataclass(frozen=True, slots=True, order=True)
class Annotation:
    """One sound of the truth."""

    onset: float
    """Seconds since the recording began."""
    offset: float
    """Seconds; not before the onset."""
    label: str
    """As the annotator wrote it."""


def check(annotation: Annotation, location: str) -> Annotation:
    """Return it; AnnotationError, naming `location`, where it cannot be meant."""
    onset, offset = annotation.onset, annotation.offset
    if not (math.isfinite(onset) and math.isfinite(offset)) or onset < 0:
        raise AnnotationError(f"{location}: expected times from 0 s on, got {onset:g} to {offset:g}")
    if offset < onset:
        raise AnnotationError(
            f"{location}: ends at {offset:g} s, before it begins at {onset:g} s; "
            "expected onset and offset, not onset and duration"
        )
    if not annotation.label.strip():
        raise AnnotationError(f"{location}: expected a label after the times, got none")
    return annotation


def check_length(annotations: Iterable[Annotation], seconds: float, location: str) -> None:
    """AnnotationError where one lies beyond a recording of `seconds`."""
    last = max(annotations, key=lambda annotation: annotation.offset, default=None)
    if last is None or last.offset <= seconds + SLACK_SECONDS:
        return
    raise AnnotationError(
        f"{location}: {last.label!r} ends at {last.offset:g} s in a recording of {seconds:.1f} s; "
        f"did you supply seconds?{_guess(last.offset, seconds)}"
    )


def merged(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Sorted, those of one label that overlap or touch made one: a label sounds once at a time."""
    latest: dict[str, Annotation] = {}
    done: list[Annotation] = []
    for annotation in sorted(annotations):
        before = latest.get(annotation.label)
        if before is not None and annotation.onset <= before.offset:
            latest[annotation.label] = replace(before, offset=max(before.offset, annotation.offset))
            continue
        if before is not None:
            done.append(before)
        latest[annotation.label] = annotation
    return sorted([*done, *latest.values()])


def labels_of(truths: Iterable[Sequence[Annotation]]) -> list[str]:
    """Every label that occurs, sorted."""
    return sorted({annotation.label for truth in truths for annotation in truth})


def _guess(time: float, seconds: float) -> str:
    for rate in RATES_HZ:
        if time / rate <= seconds + SLACK_SECONDS and time / rate > 0.02 * seconds:
            unit = "milliseconds" if rate == 1000 else f"samples at {rate} Hz"
            return f" As {unit} it would be {time / rate:.2f} s"
    return " Or do the annotations belong to another recording?"
