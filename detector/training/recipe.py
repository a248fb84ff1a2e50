"""The interfaces between `train` and the ways to train: examples in, a fitted graph out.

Two classes fill `Recipe`: HeadRecipe (a classifier on the embeddings of an existing model) and NetworkRecipe
(PyTorch, from spectrograms). Neither knows of folds, thresholds or bundles: `train` asks a recipe to fit on
some examples, then asks the fitted model for its scores of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams
from detector.workers.progress import Progress

if TYPE_CHECKING:
    from detector.graphs.graph import Graph


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A clip, or a section of a recording, and the classes that sound in it."""

    path: Path
    targets: NDArray[np.float32]
    """Shape (classes,): 1 for a class that sounds in it, else 0; a single 1 unless the task is multilabel."""
    source: str
    """The recording it was cut from: examples of one source always lie in one fold."""
    fold: str | None = None
    """The dataset's own fold; None where it defines none."""
    start: float = 0.0
    """Where the section begins in the recording [s]."""
    stop: float | None = None
    """Where it ends [s]; None is the recording's end."""


@dataclass(frozen=True, slots=True)
class LearningTask:
    """The classes a model is to tell apart."""

    classes: tuple[str, ...]
    """In the order of the targets."""
    multilabel: bool
    """Several classes may sound at once: a sigmoid for each in place of one softmax over all."""
    seed: int
    """The same seed gives the same metrics."""
    background: str | None = None
    """The class that is no event; None where there is none."""


@dataclass(frozen=True, slots=True)
class HeadInput:
    """`head` of model.yaml: whose embeddings a head reads."""

    base: str
    """The bundle: yamnet, mn04 or yamnet+mn04."""
    context_seconds: float
    """The mean is over the windows that end within the last so many seconds."""


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Options for a network; None is the architecture's own default."""

    arch: str = "cnn"
    """cnn, resnet18-dilated, vgg or image."""
    epochs: int | None = None
    batch: int | None = None
    window_seconds: float | None = None
    weights: Path | None = None
    """`image`: a file with ImageNet weights; None downloads them from their published address."""
    augment: tuple[str, ...] = ()
    """Names of augmentations, each for all classes, or `class=name` for one."""
    tensorboard: Path | None = None
    """Folder for its event files; None writes none."""
    jobs: int = 0
    """Processes that decode; 0 is one for each core."""
    level: bool = True
    """Bring quiet sound up as the daemon does."""
    copies: int = 4
    """Altered copies of each clip that `augment` chooses from."""
    cache: Path | None = None
    """Folder for the spectrograms of altered copies; None keeps them in memory only."""
    width: int | None = None
    """Channels of the first layer."""
    dilations: tuple[int, ...] | None = None
    """`resnet18-dilated`: dilations of the parallel convolutions."""


@dataclass(frozen=True, slots=True, eq=False)
class FitJob:
    """One fit: what to learn from, and how."""

    task: LearningTask
    train: Sequence[Example]
    validation: Sequence[Example]
    """Held out: they may stop the fit early and they fill its history; may be empty."""
    weights: NDArray[np.float32]
    """Shape (classes,): how much an example of each class counts."""
    progress: Progress
    checkpoint: Path | None = None
    """A folder to go on from after a break; its content is the recipe's own. None keeps nothing."""
    epochs: int | None = None
    """How many to train where `validation` is empty, found by fits that had one; None: the recipe's own."""


class Fitted(Protocol):
    """The result of one fit."""

    @property
    def graph(self) -> Graph:
        """The classifier, ready to be written as ONNX and TFLite."""

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """One row for each epoch: epoch, loss, validation_loss, validation_accuracy; may be empty."""

    def scores(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, classes), 0..1: one row for each window that the daemon would classify in it."""

    def stops(self, example: Example, /) -> NDArray[np.float64]:
        """Shape (windows,): the end of each of these windows [s since the example began]."""

    def inputs(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, *graph.shape): the graph's input for each of these windows."""


class Recipe(Protocol):
    """A way to train a model."""

    @property
    def description(self) -> str:
        """One line for model.yaml: `a logistic head on yamnet's embeddings`."""

    @property
    def sample_rate(self) -> int:
        """Hertz of the model's input."""

    @property
    def window(self) -> int:
        """Samples in one window of its input."""

    @property
    def head(self) -> HeadInput | None:
        """For a head: whose embeddings it reads; None for a network."""

    @property
    def front_end(self) -> LogMelParams | None:
        """For a network: its log-mel patches; None for a head."""

    def fit(self, job: FitJob) -> Fitted:
        """Learn; raises DetectorError where memory runs out or a recording can no longer be read."""
