"""What the daemon's own pipeline says of a recording: its events, and its scores window by window.

One ear hears a recording through several pipelines, such as with and without the gate. Their windows lie
on one grid, so that a window that two of them classify is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.evaluation.matching import HeardEvent
from detector.interfaces import Classifier, Source
from detector.pipeline import Pipeline
from detector.records import Event, ModelSpec, Scores, Window


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """One recording through one pipeline."""

    seconds: float
    """Length of the recording."""
    events: tuple[HeardEvent, ...]
    """In the order of their decision."""
    stops: NDArray[np.float64]
    """Shape (windows,): the end of each window that was classified [s]."""
    scores: NDArray[np.float32]
    """Shape (windows, classes): of each class its best label's score."""


class MakePipeline(Protocol):
    """A fresh pipeline for one stream."""

    def __call__(self, classifier: Classifier, /, keep: Callable[[Scores], None] | None = None) -> Pipeline:
        """Build it around this classifier; `keep` is given the scores of every window."""


class MakeSource(Protocol):
    """A recording as a source."""

    def __call__(self, path: Path, /) -> Source:
        """Nothing is opened yet."""


class Ear:
    """Hears recordings through named pipelines; `columns`: the model's outputs of each class."""

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

    def hear(self, path: Path) -> dict[str, Heard]:
        """Run one recording through each pipeline; raises SourceError."""
        memory: dict[tuple[int, bytes], Scores] = {}
        return {
            name: self._through(path, make, Remembering(self._classifier, memory))
            for name, make in self._pipelines.items()
        }

    def _through(self, path: Path, make: MakePipeline, classifier: Remembering) -> Heard:
        said: list[Scores] = []
        source, pipeline = self._make_source(path), make(classifier, keep=said.append)
        rate = self.spec.sample_rate
        told: list[Event] = []
        stop = 0
        try:
            for block in source.blocks():
                told += pipeline.push(block)
                stop = block.stop
        finally:
            source.close()
        told += pipeline.flush()
        return Heard(
            seconds=stop / rate,
            events=tuple(whole_events(told, rate)),
            stops=np.array([scores.span.stop for scores in said]) / rate,
            scores=self._by_class(said),
        )

    def _by_class(self, said: Sequence[Scores]) -> NDArray[np.float32]:
        by_class = np.zeros((len(said), len(self._columns)), dtype=np.float32)
        for row, scores in enumerate(said):
            by_class[row] = [scores.values[own].max() for own in self._columns]
        return by_class


class Remembering:
    """A classifier that takes from `memory` what was computed before."""

    def __init__(self, classifier: Classifier, memory: dict[tuple[int, bytes], Scores]) -> None:
        self._classifier = classifier
        self._memory = memory

    @property
    def spec(self) -> ModelSpec:
        """The model's."""
        return self._classifier.spec

    def scores(self, window: Window) -> Scores:
        """As the model says, or said of the same samples at the same place."""
        key = (window.span.stop, _digest(window.samples))
        known = self._memory.get(key)
        if known is None:
            known = self._memory[key] = self._classifier.scores(window)
        return known

    def close(self) -> None:
        """Nothing is held."""


def whole_events(told: Sequence[Event], sample_rate: int) -> list[HeardEvent]:
    """Starts with their ends, in seconds."""
    starts = {event.id: event for event in told if event.phase == "start"}
    ends = {event.id: event for event in told if event.phase == "end"}
    return [
        HeardEvent(
            label=start.label.name,
            onset=start.onset / sample_rate,
            offset=max(ends[number].offset or 0, start.onset) / sample_rate,
            decided=start.decided / sample_rate,
            top_score=ends[number].top_score,
        )
        for number, start in starts.items()
    ]


def _digest(samples: NDArray[np.float32]) -> bytes:
    from hashlib import blake2b

    return blake2b(samples.tobytes(), digest_size=16).digest()


MakeEar = Callable[[], Ear]
"""Picklable, so that each process of a pool builds its own."""
