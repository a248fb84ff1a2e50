"""What the daemon's own pipeline gives for recordings: their events, and their scores window by window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.audition.side_by_side import MakePipeline, MakeSource, run_recording
from detector.errors import DetectorError
from detector.evaluation.matching import DetectedEvent
from detector.interfaces import Classifier
from detector.records import Event, ModelSpec, Scores
from detector.workers.progress import ProgressBars
from detector.workers.tasks import run_tasks


@dataclass(frozen=True, slots=True, eq=False)
class RecordingScores:
    """One recording through one pipeline."""

    seconds: float
    """Length of the recording."""
    events: tuple[DetectedEvent, ...]
    """In the order of their decision."""
    stops: NDArray[np.float64]
    """Shape (windows,): the end of each window that was classified [s]."""
    scores: NDArray[np.float32]
    """Shape (windows, classes): the best score among the labels of each class."""
    messages: tuple[Event, ...] = ()
    """Of the events, all phases, in the order of their decision."""


class RecordingScorer:
    """Runs recordings through named pipelines; `columns`: for each class, the outputs of its labels."""

    def __init__(
        self,
        classifier: Classifier,
        pipelines: Mapping[str, MakePipeline],
        make_source: MakeSource,
        columns: Sequence[Sequence[int]],
    ) -> None:
        self._classifier = classifier
        self._pipelines = pipelines
        self._make_source = make_source
        self._columns = [np.array(own, dtype=np.intp) for own in columns]

    @property
    def spec(self) -> ModelSpec:
        """The model's."""
        return self._classifier.spec

    def score(self, path: Path) -> dict[str, RecordingScores]:
        """Run one recording through all pipelines; raises SourceError."""
        rate = self.spec.sample_rate
        length, outputs = run_recording(self._make_source(path), self._classifier, self._pipelines)
        return {
            name: RecordingScores(
                seconds=length / rate,
                events=tuple(whole_events(output.events, rate)),
                stops=np.array([scores.span.stop for scores in output.scores]) / rate,
                scores=self._by_class(output.scores),
                messages=tuple(output.events),
            )
            for name, output in outputs.items()
        }

    def _by_class(self, scores: Sequence[Scores]) -> NDArray[np.float32]:
        by_class = np.zeros((len(scores), len(self._columns)), dtype=np.float32)
        for row, one in enumerate(scores):
            by_class[row] = [one.values[own].max() for own in self._columns]
        return by_class


MakeScorer = Callable[[], RecordingScorer]
"""Picklable, so that each process of a pool builds its own."""

MakeScorerFor = Callable[[Sequence[Sequence[int]]], MakeScorer]
"""The outputs of each class -> what builds a scorer for them."""

Outcome = dict[str, RecordingScores] | DetectorError
"""What each pipeline gave, or the error why a recording could not be read."""


def score_all(make: MakeScorer, paths: Sequence[Path], *, jobs: int, quiet: bool = False) -> list[Outcome]:
    """One outcome for each path, in their order; `jobs` 1 stays in this process, 0 takes every core."""
    with closing(ProgressBars(quiet=quiet)) as progress:
        return [*run_tasks(partial(_work, make), paths, what="recordings", jobs=jobs, progress=progress)]


def whole_events(events: Sequence[Event], sample_rate: int) -> list[DetectedEvent]:
    """Join the start of each event with its end; times in seconds."""
    starts = {event.id: event for event in events if event.phase == "start"}
    ends = {event.id: event for event in events if event.phase == "end"}
    return [
        DetectedEvent(
            label=start.label.name,
            onset=start.onset / sample_rate,
            offset=max(ends[number].offset or 0, start.onset) / sample_rate,
            decided=start.decided / sample_rate,
            top_score=ends[number].top_score,
        )
        for number, start in starts.items()
    ]


def _work(make: MakeScorer) -> Callable[[Path], dict[str, RecordingScores]]:
    return make().score
