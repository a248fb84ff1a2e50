"""The recipe that trains on a Raspberry Pi: a small head on the embeddings of an existing model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams
from detector.errors import DatasetError
from detector.graphs.graph import Graph
from detector.training.contexts import learning_means, running_means
from detector.training.embedding_library import EmbeddingLibrary
from detector.training.examples import example_weights
from detector.training.layers import head_graph, signed_sqrt
from detector.training.logistic import fit_logistic
from detector.training.perceptron import PerceptronPlan, TrainingRows, fit_perceptron
from detector.training.recipe import Example, FitJob, HeadInput, LearningTask
from detector.training.recording_embeddings import EmbeddedRecording

Kind = Literal["discriminant", "logistic", "mlp"]
ONE_WINDOW_SECONDS = 0.24
"""Context of a discriminant: one window at the daemon's hop, so that a short sound is not averaged away."""
CONTEXT_SECONDS = 3.0
"""Of the other heads, which learn from whole clips."""


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The model whose embeddings a head learns from."""

    name: str
    sample_rate: int
    """Hertz."""
    window: int
    """Samples."""
    features: int
    """Length of the embedding."""
    hop_seconds: float
    """From window to window."""
    networks: tuple[str, ...]
    """Those whose embeddings are joined, in order."""
    labels: Mapping[str, str]
    """Its own labels: lower-case name -> name."""

    @property
    def window_seconds(self) -> float:
        """How long the embedding of a window may still hold a sound that ended."""
        return self.window / self.sample_rate


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """Options for a head."""

    base: str = ""
    """The model whose embeddings it reads; empty is the one that listens where nothing else is asked for."""
    kind: Kind = "discriminant"
    context_seconds: float = ONE_WINDOW_SECONDS
    """It reads the mean of the embeddings over so many seconds."""
    plan: PerceptronPlan = field(default_factory=PerceptronPlan)
    """Of the MLP; the other heads take nothing from it."""


@dataclass(frozen=True, eq=False)
class EmbeddingRecipe:
    """What the recipes of heads share of `Recipe`: the input is the base's."""

    base: BaseModel
    """The model whose embeddings the head reads."""
    options: HeadOptions

    @property
    def sample_rate(self) -> int:
        """The base's."""
        return self.base.sample_rate

    @property
    def window(self) -> int:
        """The base's."""
        return self.base.window

    @property
    def head(self) -> HeadInput:
        """Its input."""
        return HeadInput(self.base.name, self.options.context_seconds)

    @property
    def front_end(self) -> LogMelParams | None:
        """None: that is the base's."""
        return None


@dataclass(frozen=True, eq=False)
class HeadRecipe(EmbeddingRecipe):
    """Fills `Recipe`."""

    library: EmbeddingLibrary
    soft_noise: Sequence[Path] = ()
    """Recordings in the library that hold no event; every dataset is learned together with them."""

    @property
    def description(self) -> str:
        """One line for model.yaml."""
        if self.options.kind == "logistic":
            return f"a logistic head on the embeddings of {self.base.name}"
        layers = " and ".join(map(str, self.options.plan.hidden))
        return (
            f"an MLP of {layers} units ({self.options.plan.optimizer}) on the embeddings of {self.base.name}"
        )

    def fit(self, job: FitJob) -> FittedHead:
        """Fit in memory; a break costs seconds, so nothing is kept at `job.checkpoint`."""
        task = job.task
        rows = _joined(self._rows(job.train, job.weights), self._noise_rows(task))
        history: Sequence[Mapping[str, float]] = ()
        if self.options.kind == "logistic":
            layers = fit_logistic(rows.values, rows.targets, rows.weights, multilabel=task.multilabel)
        else:
            plan = replace(self.options.plan, seed=task.seed, epochs=job.epochs or self.options.plan.epochs)
            layers, history = fit_perceptron(
                rows,
                self._rows(job.validation, job.weights),
                plan,
                multilabel=task.multilabel,
                report=lambda done, total, note: job.progress("training", done, total, note),
            )
        graph = head_graph(self.base.features, layers, multilabel=task.multilabel)
        return FittedHead(graph, history, self._means)

    def _rows(self, examples: Sequence[Example], weights: NDArray[np.float32]) -> TrainingRows:
        """Training rows; an example shorter than a hop has no window and gives none."""
        heard = [(example, self._heard(example)) for example in examples]
        heard = [(example, one) for example, one in heard if len(one.stops)]
        if not heard:
            if examples:
                raise DatasetError(
                    "none of the examples holds a window of the model; are they all shorter than a hop?"
                )
            empty = np.zeros((0, self.base.features), np.float32)
            return TrainingRows(empty, np.zeros((0, len(weights)), np.float32), empty[:, 0])
        targets = np.array([example.targets for example, _ in heard], np.float32)
        return self._spread([one for _, one in heard], targets, example_weights(targets, weights))

    def _noise_rows(self, task: LearningTask) -> TrainingRows:
        """Rows of soft noise: of the background class; else of no class if multilabel, or of all alike."""
        identity = np.eye(len(task.classes), dtype=np.float32)
        if task.background is not None:
            targets = identity[[task.classes.index(task.background)]]
        else:
            targets = np.zeros_like(identity[:1]) if task.multilabel else identity
        heard = [self.library[path] for path in self.soft_noise for _ in targets]
        return self._spread(
            heard,
            np.tile(targets, (len(self.soft_noise), 1)),
            np.full(len(heard), 1 / len(targets), np.float32),
        )

    def _spread(
        self, heard: Sequence[EmbeddedRecording], targets: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> TrainingRows:
        """Turn each recording into several means of its embeddings, which share its weight."""
        means = [
            learning_means(
                one.embeddings.astype(np.float32),
                one.stops,
                self.options.context_seconds,
                self.base.hop_seconds,
            )
            for one in heard
        ]
        counts = [len(shares) for _, shares in means]
        no_values, no_shares = np.zeros((0, self.base.features), np.float32), np.zeros(0, np.float32)
        return TrainingRows(
            values=signed_sqrt(np.concatenate([no_values, *(values for values, _ in means)])),
            targets=np.repeat(targets, counts, axis=0),
            weights=np.concatenate([no_shares, *(shares for _, shares in means)])
            * np.repeat(weights, counts),
        )

    def _means(self, example: Example) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        heard = self._heard(example)
        values = heard.embeddings.astype(np.float32)
        return running_means(
            values, heard.stops, self.options.context_seconds, self.base.hop_seconds
        ), heard.stops

    def _heard(self, example: Example) -> EmbeddedRecording:
        return self.library[example.path].counted().part(example.start, example.stop)


@dataclass(frozen=True, slots=True, eq=False)
class FittedHead:
    """Fills `Fitted`."""

    graph: Graph
    history: Sequence[Mapping[str, float]]
    heard: Callable[[Example], tuple[NDArray[np.float32], NDArray[np.float64]]]
    """Running means over an example's windows, and where the windows end."""

    def inputs(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, features): the running means that the daemon would give."""
        return self.heard(example)[0]

    def stops(self, example: Example, /) -> NDArray[np.float64]:
        """Shape (windows,): seconds since the example began."""
        return self.heard(example)[1] - example.start

    def scores(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, classes)."""
        return self.graph.run(self.inputs(example))


def _joined(one: TrainingRows, other: TrainingRows) -> TrainingRows:
    return TrainingRows(
        np.concatenate([one.values, other.values]),
        np.concatenate([one.targets, other.targets]),
        np.concatenate([one.weights, other.weights]),
    )
