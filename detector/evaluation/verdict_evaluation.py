"""`evaluate --verdicts` for annotated recordings: hear them once, and simulate verdicts on what was heard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from detector.datasets.truths import Truth
from detector.evaluation.class_map import ClassMap
from detector.evaluation.recording_evaluation import readable
from detector.evaluation.recording_scorer import MakeScorerFor, score_all
from detector.evaluation.verdict_simulation import HeardRecording, VerdictFigures, VerdictSimulation
from detector.records import ModelSpec


@dataclass(frozen=True, slots=True)
class VerdictReport:
    """What verdicts would do in annotated recordings."""

    recordings: int
    hours: float
    classes: tuple[str, ...]
    unmapped: tuple[str, ...]
    """Classes of the truth that were left out: the model has no label for them."""
    unreadable: Mapping[str, str]
    """Path -> why."""
    figures: tuple[VerdictFigures, ...]
    """For each number of verdicts: those that say `wrong`, and those that name the right label."""


def evaluate_verdicts(
    truths: Sequence[Truth],
    class_map: ClassMap,
    make: MakeScorerFor,
    spec: ModelSpec,
    *,
    asked: Sequence[int],
    ignored: Collection[str] = (),
    jobs: int = 0,
    quiet: bool = False,
) -> VerdictReport:
    """Simulate so many verdicts in each recording, for each number `asked`.

    `ignored`: labels whose events get no verdict and count neither for nor against. Raises DatasetError,
    AnnotationError.
    """
    outcomes = score_all(make(class_map.columns), [truth.path for truth in truths], jobs=jobs, quiet=quiet)
    scored, unreadable = readable(truths, outcomes)
    heard = []
    for truth, one in scored:
        scores = next(iter(one.values()))
        heard.append(HeardRecording(scores.seconds, truth.annotations, scores.messages))
    simulation = VerdictSimulation(
        spec.labels, class_map, sample_rate=spec.sample_rate, ignored=frozenset(ignored)
    )
    return VerdictReport(
        recordings=len(heard),
        hours=sum(recording.seconds for recording in heard) / 3600,
        classes=class_map.classes,
        unmapped=class_map.unmapped,
        unreadable=unreadable,
        figures=tuple(
            simulation.run(heard, number, named=named) for named in (False, True) for number in asked
        ),
    )
