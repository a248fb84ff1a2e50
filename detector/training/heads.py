"""The recipe that runs on a Raspberry Pi: a small head on the embeddings of a model that is there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams
from detector.errors import DatasetError
from detector.graphs.graph import Graph
from detector.training.contexts import learning_means, running_means
from detector.training.layers import head_graph, signed_sqrt
from detector.training.library import Library
from detector.training.listening import Listened
from detector.training.logistic import fit_logistic
from detector.training.material import example_weights
from detector.training.perceptron import Plan, Rows, fit_perceptron
from detector.training.recipe import Example, HeadInput, Progress, Task

Kind = Literal["logistic", "mlp"]
KINDS: tuple[Kind, ...] = ("logistic", "mlp")


@dataclass(frozen=True, slots=True)
class Base:
    """Whose embeddings are learned from."""

    name: str
    sample_rate: int
    """Hertz."""
    window: int
    """Samples."""
    features: int
    """Length of the embedding."""
    hop_seconds: float
    """From window to window."""
    labels: Mapping[str, str]
    """What it names itself: lower case -> name."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadRecipe:
    """Fills `Recipe`."""

    base: Base
    library: Library
    kind: Kind
    context_seconds: float
    plan: Plan
    """Of the MLP; a logistic head takes nothing from it."""
    soft_noise: Sequence[Path] = ()
    """Recordings in the library that are no event, learned beside every dataset."""

    @property
    def description(self) -> str:
        """One line for model.yaml."""
        if self.kind == "logistic":
            return f"a logistic head on the embeddings of {self.base.name}"
        layers = " and ".join(map(str, self.plan.hidden))
        return f"an MLP of {layers} units ({self.plan.optimizer}) on the embeddings of {self.base.name}"

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
        """What is read."""
        return HeadInput(self.base.name, self.context_seconds)

    @property
    def front_end(self) -> LogMelParams | None:
        """None: that is the base's."""
        return None

    def fit(
        self,
        task: Task,
        train: Sequence[Example],
        validation: Sequence[Example],
        *,
        weights: NDArray[np.float32],
        checkpoint: Path | None,
        progress: Progress,
        epochs: int | None = None,
    ) -> FittedHead:
        """Fit in memory; a break costs seconds, so nothing is kept at `checkpoint`."""
        rows = _joined(self._rows(train, weights), self._noise_rows(task))
        history: Sequence[Mapping[str, float]] = ()
        if self.kind == "logistic":
            layers = fit_logistic(rows.values, rows.targets, rows.weights, multilabel=task.multilabel)
        else:
            plan = replace(self.plan, seed=task.seed, epochs=epochs or self.plan.epochs)
            layers, history = fit_perceptron(
                rows,
                self._rows(validation, weights),
                plan,
                multilabel=task.multilabel,
                tell=lambda done, total, note: progress("training", done, total, note),
            )
        graph = head_graph(self.base.features, layers, multilabel=task.multilabel)
        return FittedHead(graph, history, self._means)

    def _rows(self, examples: Sequence[Example], weights: NDArray[np.float32]) -> Rows:
        """What to learn from; examples in which the base heard no window teach nothing."""
        heard = [(example, self._heard(example)) for example in examples]
        heard = [(example, one) for example, one in heard if len(one.stops)]
        if not heard:
            if examples:
                raise DatasetError(
                    "no window was heard in any of the examples; are they all shorter than a hop?"
                )
            empty = np.zeros((0, self.base.features), np.float32)
            return Rows(empty, np.zeros((0, len(weights)), np.float32), empty[:, 0])
        targets = np.array([example.targets for example, _ in heard], np.float32)
        return self._spread([one for _, one in heard], targets, example_weights(targets, weights))

    def _noise_rows(self, task: Task) -> Rows:
        """The background where there is one, else nothing, or every class alike: no more one than another."""
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
        self, heard: Sequence[Listened], targets: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> Rows:
        """Several means of each recording, which share its weight."""
        means = [
            learning_means(
                one.embeddings.astype(np.float32), one.stops, self.context_seconds, self.base.hop_seconds
            )
            for one in heard
        ]
        counts = [len(shares) for _, shares in means]
        no_values, no_shares = np.zeros((0, self.base.features), np.float32), np.zeros(0, np.float32)
        return Rows(
            values=signed_sqrt(np.concatenate([no_values, *(values for values, _ in means)])),
            targets=np.repeat(targets, counts, axis=0),
            weights=np.concatenate([no_shares, *(shares for _, shares in means)])
            * np.repeat(weights, counts),
        )

    def _means(self, example: Example) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        heard = self._heard(example)
        values = heard.embeddings.astype(np.float32)
        return running_means(values, heard.stops, self.context_seconds, self.base.hop_seconds), heard.stops

    def _heard(self, example: Example) -> Listened:
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


def _joined(one: Rows, other: Rows) -> Rows:
    return Rows(
        np.concatenate([one.values, other.values]),
        np.concatenate([one.targets, other.targets]),
        np.concatenate([one.weights, other.weights]),
    )
