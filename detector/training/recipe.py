"""What `train` and the ways to train promise each other: examples in, a fitted graph out.

Two rooms fill `Recipe`: heads (a classifier on the embeddings of a model that is there already) and networks
(PyTorch, from spectrograms). Neither knows of folds, thresholds or bundles: `train` asks a recipe to fit on
some examples, then asks what was fitted for its scores of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams

if TYPE_CHECKING:
    from detector.graphs.graph import Graph


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A clip, or a stretch of a recording, and what sounds in it."""

    path: Path
    targets: NDArray[np.float32]
    """Shape (classes,): 1 for what sounds in it, 0 for the rest; one 1 alone unless `Task.multilabel`."""
    source: str
    """The recording it was cut from: what shares a source never lies in two folds."""
    fold: str | None = None
    """As the dataset says; None where it says nothing."""
    start: float = 0.0
    """Where the stretch begins in the recording [s]."""
    stop: float | None = None
    """Where it ends [s]; None is the recording's end."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be told apart."""

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
    """What the command line may say of a network; None is the architecture's own default."""

    epochs: int | None = None
    batch: int | None = None
    window_seconds: float | None = None
    weights: Path | None = None
    """`image`: a file with ImageNet weights; None looks at their published address."""
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
    """Folder of what was heard of clips and their copies; None keeps it in memory alone."""
    width: int | None = None
    """Channels of the first layer."""
    dilations: tuple[int, ...] | None = None
    """`resnet18-dilated`: of the convolutions that stand side by side."""


class Progress(Protocol):
    """Tells how far a long step is; it costs nothing to call often."""

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """`what`: hearing, training, ...; `done` of `total` steps of it; `note`: the loss, for instance."""


class Fitted(Protocol):
    """What came out of one fit."""

    @property
    def graph(self) -> Graph:
        """The classifier, ready to be written as ONNX and TFLite."""

    @property
    def history(self) -> Sequence[Mapping[str, float]]:
        """One row for each epoch: epoch, loss, validation_loss, validation_accuracy; may be empty."""

    def scores(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, classes), 0..1: of every window the daemon would form in it, in its hops."""

    def stops(self, example: Example, /) -> NDArray[np.float64]:
        """Shape (windows,): where each of them ends [s since the example began]."""

    def inputs(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, *graph.shape): what the graph is given for these windows."""


class Recipe(Protocol):
    """One way to train."""

    @property
    def description(self) -> str:
        """One line for model.yaml: `a logistic head on yamnet's embeddings`."""

    @property
    def sample_rate(self) -> int:
        """Hertz that the bundle hears at."""

    @property
    def window(self) -> int:
        """Samples it hears at once."""

    @property
    def head(self) -> HeadInput | None:
        """For a head: whose embeddings it reads; None for a network."""

    @property
    def front_end(self) -> LogMelParams | None:
        """For a network: its log-mel patches; None for a head."""

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
    ) -> Fitted:
        """Learn from `train`; `validation` may stop it early and fills the history, and may be empty.

        `epochs`: how many to train where `validation` is empty, found by the fits that had one; None is the
        recipe's own default.

        `weights` (classes,): how much an example of each class counts. `checkpoint`: a folder to go on from
        after a break; its content is the recipe's own. Raises DetectorError (no memory left, a file that can
        not be read any more).
        """
