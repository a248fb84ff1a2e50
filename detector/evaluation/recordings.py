"""`evaluate` for annotated recordings: hear them, with and without the gate, and compare with the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detector.datasets.annotation_files import find_annotations, read_annotations
from detector.datasets.annotation_table import is_table_of_many, read_table
from detector.datasets.annotations import Annotation, check_length, merged
from detector.errors import AnnotationError, DatasetError, DetectorError
from detector.evaluation.clip_evaluation import MakeEarOf
from detector.evaluation.eventmetrics import COLLAR_SECONDS, EventFigures, event_figures
from detector.evaluation.hearing import Heard
from detector.evaluation.labelmap import ClassMap
from detector.evaluation.many import Outcome, hear_all
from detector.evaluation.matching import Delay, Estimate, delays, estimates, others, strays, unprompted
from detector.evaluation.scoremetrics import ScoreFigures, score_figures


@dataclass(frozen=True, slots=True)
class Truth:
    """A recording and what sounds in it."""

    path: Path
    annotated_in: Path
    annotations: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True)
class VariantFigures:
    """What one pipeline gave over all recordings."""

    events: EventFigures
    scores: ScoreFigures
    delays: tuple[Delay, ...]
    strays: Mapping[str, int]
    """Class -> its events that touch no true sound of it."""
    unprompted: Mapping[str, int]
    """Class -> its events that touch no true sound of any class."""
    others: Mapping[str, int]
    """Label that is no class of the truth -> its events."""
    windows: int
    """Windows that were classified."""


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """What `evaluate` says of annotated recordings."""

    recordings: int
    hours: float
    classes: tuple[str, ...]
    unmapped: tuple[str, ...]
    """Classes of the truth that were left out: the model has no label for them."""
    unreadable: Mapping[str, str]
    """Path -> why."""
    variants: Mapping[str, VariantFigures]
    """`as set`, `gate off` -> figures."""


def read_truths(paths: Sequence[Path], annotations: Path) -> list[Truth]:
    """Find each recording's annotations: in a folder, a table that names them, or its one file."""
    if annotations.is_dir():
        sources = [find_annotations(annotations, path.stem) for path in paths]
        found = [read_annotations(source) for source in sources]
    elif not annotations.is_file():
        raise AnnotationError(f"{annotations}: expected a folder of annotations or a table, got nothing")
    else:
        sources = [annotations] * len(paths)
        if is_table_of_many(annotations):
            found = read_table(annotations, paths)
        elif len(paths) == 1:
            found = [read_annotations(annotations)]
        else:
            raise AnnotationError(
                f"{annotations} annotates one recording, got {len(paths)}; "
                "give a folder, or a .csv or .tsv table with a column filename"
            )
    return [
        Truth(path, source, tuple(sounds)) for path, source, sounds in zip(paths, sources, found, strict=True)
    ]


def evaluate_recordings(
    truths: Sequence[Truth],
    class_map: ClassMap,
    make: MakeEarOf,
    *,
    window_seconds: float,
    hop_seconds: float,
    ignored: frozenset[str] = frozenset(),
    jobs: int = 0,
    quiet: bool = False,
) -> RecordingReport:
    """Hear every recording; AnnotationError where a truth does not fit its recording.

    `ignored`: labels whose events count neither for nor against.
    """
    outcomes = hear_all(make(class_map.columns), [truth.path for truth in truths], jobs=jobs, quiet=quiet)
    heard, unreadable = _sorted_out(truths, outcomes)
    known = set(class_map.classes)
    sounds = [merged(a for a in truth.annotations if a.label in known) for truth, _ in heard]
    names = list(heard[0][1])
    hours = sum(next(iter(one.values())).seconds for _, one in heard) / 3600
    of = {label: name for label, name in class_map.of_label.items() if label not in ignored}
    return RecordingReport(
        recordings=len(heard),
        hours=hours,
        classes=class_map.classes,
        unmapped=class_map.unmapped,
        unreadable=unreadable,
        variants={
            name: _variant(
                sounds,
                [one[name] for _, one in heard],
                replace(class_map, of_label=of),
                ignored,
                (window_seconds, hop_seconds),
            )
            for name in names
        },
    )


def _sorted_out(
    truths: Sequence[Truth], outcomes: Sequence[Outcome]
) -> tuple[list[tuple[Truth, dict[str, Heard]]], dict[str, str]]:
    heard, unreadable = [], {}
    for truth, outcome in zip(truths, outcomes, strict=True):
        if isinstance(outcome, DetectorError):
            unreadable[str(truth.path)] = str(outcome)
            continue
        check_length(truth.annotations, next(iter(outcome.values())).seconds, str(truth.annotated_in))
        heard.append((truth, outcome))
    if not heard:
        raise DatasetError(
            f"none of {len(truths)} recordings could be read; {next(iter(unreadable.values()))}"
        )
    return heard, unreadable


def _variant(
    truths: Sequence[Sequence[Annotation]],
    heard: Sequence[Heard],
    class_map: ClassMap,
    ignored: frozenset[str],
    window_hop: tuple[float, float],
) -> VariantFigures:
    told = [estimates(one.events, class_map.of_label) for one in heard]
    rest = Counter(event.label for one in heard for event in others(one.events, class_map.of_label, ignored))
    return VariantFigures(
        events=event_figures(truths, told, [one.seconds for one in heard], class_map.classes),
        scores=score_figures(truths, heard, class_map.classes, *window_hop),
        delays=tuple(
            delay
            for truth, estimated in zip(truths, told, strict=True)
            for delay in delays(truth, estimated, COLLAR_SECONDS)
        ),
        strays=_counted(strays, truths, told),
        unprompted=_counted(unprompted, truths, told),
        others=dict(rest.most_common()),
        windows=sum(len(one.stops) for one in heard),
    )


def _counted(
    wrong: Callable[[Sequence[Annotation], Sequence[Estimate], float], list[Estimate]],
    truths: Sequence[Sequence[Annotation]],
    told: Sequence[Sequence[Estimate]],
) -> dict[str, int]:
    """Class -> how many of its events `wrong` picks."""
    pairs = zip(truths, told, strict=True)
    return dict(Counter(one.label for truth, own in pairs for one in wrong(truth, own, COLLAR_SECONDS)))
