"""Several pipelines beside each other on one stream, such as with and without the gate.

Their windows lie on one grid, and their gain does not depend on the gate. So a window that two of them ask
for has the same samples in both, and the networks score it only once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from detector.interfaces import Classifier, Source
from detector.pipeline import Pipeline
from detector.records import Block, Event, ModelSpec, Scores, Window

GATED, UNGATED = "as set", "gate off"
"""Names of two pipelines: as the settings say, and with the gate always open. Reports show them."""

KEPT_SCORES = 1024
"""Windows whose scores are kept for a gate that opens late: more than a pre-roll of 10 s holds."""


class MakePipeline(Protocol):
    """Builds a fresh pipeline for one stream."""

    def __call__(self, classifier: Classifier, /, keep: Callable[[Scores], None] | None = None) -> Pipeline:
        """Build it around this classifier; `keep` is called with the scores of every window."""


class MakeSource(Protocol):
    """Makes a source of a recording."""

    def __call__(self, path: Path, /) -> Source:
        """Nothing is opened yet."""


class RecentScores:
    """The scores of the newest windows, by the sample at which a window ends."""

    def __init__(self) -> None:
        self._by_stop: OrderedDict[int, Scores] = OrderedDict()

    def add(self, stop: int, scores: Scores) -> None:
        """Keep the scores of the window that ends at this sample; the oldest go."""
        self._by_stop[stop] = scores
        if len(self._by_stop) > KEPT_SCORES:
            self._by_stop.popitem(last=False)

    def __contains__(self, stop: int) -> bool:
        return stop in self._by_stop

    def __getitem__(self, stop: int) -> Scores:
        """The scores of the window that ends at this sample; KeyError where they are not kept."""
        return self._by_stop[stop]


class SharedClassifier:
    """Fills `Classifier` for several pipelines of one stream: each window is scored once for all of them."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._recent = RecentScores()

    @property
    def spec(self) -> ModelSpec:
        """The model's."""
        return self._classifier.spec

    def scores(self, window: Window) -> Scores:
        """Score a window, unless another pipeline asked for it before."""
        stop = window.span.stop
        if stop not in self._recent:
            self._recent.add(stop, self._classifier.scores(window))
        return self._recent[stop]

    def close(self) -> None:
        """The classifier belongs to whoever made it."""


class SideBySide:
    """Pipelines of one stream; `keep` is called with a pipeline's name and the scores of each of its windows.

    The pipelines may differ in their gate and their rules for events, but not in windows or level.
    """

    def __init__(
        self,
        classifier: Classifier,
        pipelines: Mapping[str, MakePipeline],
        keep: Callable[[str, Scores], None],
    ) -> None:
        shared = SharedClassifier(classifier)
        self._pipelines = {name: make(shared, keep=partial(keep, name)) for name, make in pipelines.items()}

    def push(self, block: Block) -> dict[str, list[Event]]:
        """Take one block; the events that each pipeline starts, continues or ends with it."""
        return {name: pipeline.push(block) for name, pipeline in self._pipelines.items()}

    def flush(self) -> dict[str, list[Event]]:
        """The stream ended: the last events of each pipeline."""
        return {name: pipeline.flush() for name, pipeline in self._pipelines.items()}


@dataclass(frozen=True, slots=True)
class PipelineOutput:
    """What one pipeline gave for a whole recording."""

    events: list[Event]
    """All phases, in the order of their decision."""
    scores: list[Scores]
    """Of every window that it classified."""


def run_recording(
    source: Source, classifier: Classifier, pipelines: Mapping[str, MakePipeline]
) -> tuple[int, dict[str, PipelineOutput]]:
    """Run a recording to its end; returns its length [samples] and what each pipeline gave.

    Closes the source; raises SourceError.
    """
    outputs = {name: PipelineOutput([], []) for name in pipelines}
    together = SideBySide(classifier, pipelines, lambda name, scores: outputs[name].scores.append(scores))
    length = 0
    try:
        for block in source.blocks():
            length = block.stop
            _add(outputs, together.push(block))
    finally:
        source.close()
    _add(outputs, together.flush())
    return length, outputs


def _add(outputs: Mapping[str, PipelineOutput], events: Mapping[str, list[Event]]) -> None:
    for name, own in events.items():
        outputs[name].events.extend(own)
