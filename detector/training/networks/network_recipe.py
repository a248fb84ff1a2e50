"""The recipe that trains a network from spectrograms with PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams
from detector.graphs.graph import Graph
from detector.training.augmentation import Augmentations
from detector.training.networks.architecture import WINDOW_SECONDS, Architecture, Module
from detector.training.networks.batches import Batches, Item, even_crops
from detector.training.networks.checkpoint import NAME, Checkpoint, fingerprint
from detector.training.networks.clip_patches import PatchMaker
from detector.training.networks.copies import Copy, CopyMaker, CopyStore, planned
from detector.training.networks.environment import set_up_torch
from detector.training.networks.export import to_graph
from detector.training.networks.loop import HeldOutPatches, Loop, LoopSettings, forward
from detector.training.recipe import Example, FitJob, HeadInput, LearningTask, NetworkOptions
from detector.workers.progress import Progress

VALIDATION_CROPS = 4
"""Of each clip, in each epoch; scores are of every window."""


@dataclass(slots=True)
class NetworkRecipe:
    """Fills `Recipe`; keeps the spectrograms of clips from fit to fit."""

    architecture: Architecture
    options: NetworkOptions
    head: HeadInput | None = None
    _copies: dict[CopyMaker, CopyStore] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """One line."""
        return self.architecture.description

    @property
    def front_end(self) -> LogMelParams:
        """Its log-mel patches."""
        return self.architecture.front_end

    @property
    def sample_rate(self) -> int:
        """Hertz."""
        return self.front_end.sample_rate

    @property
    def window(self) -> int:
        """Samples."""
        return round((self.options.window_seconds or WINDOW_SECONDS) * self.sample_rate)

    def fit(self, job: FitJob) -> FittedNetwork:
        """Train a fresh network; raises DetectorError."""
        task, architecture, options = job.task, self.architecture, self.options
        set_up_torch(task.seed, options.jobs)
        settings = LoopSettings(
            epochs=options.epochs or job.epochs or architecture.epochs,
            batch=options.batch or architecture.batch,
            learning_rate=architecture.learning_rate,
            weight_decay=architecture.weight_decay,
            label_smoothing=architecture.label_smoothing,
            multilabel=task.multilabel,
            seed=task.seed,
            tensorboard=options.tensorboard,
        )
        saved = None
        if job.checkpoint is not None:
            decisive = (task, architecture.description, replace(options, jobs=0, cache=None), settings)
            saved = Checkpoint(
                job.checkpoint / NAME,
                fingerprint([*decisive, job.weights.tolist()], [*job.train, *job.validation]),
            )
        frames = self.front_end.frames(self.window)
        module = architecture.build(len(task.classes), options)
        loop = Loop(module, settings, job.weights)
        batches = Batches(
            self._items(task, job.train, job.progress),
            self.front_end,
            frames,
            batch=settings.batch,
            no_class=_no_class(task),
        )
        loop.run(batches, self._held(task, job.validation, job.progress), saved, job.progress)
        graph = to_graph(module, frames, self.front_end.bands, multilabel=task.multilabel)
        maker = PatchMaker(self.front_end, self.window, level=options.level)
        return FittedNetwork(graph, loop.history, module, task.multilabel, maker)

    def _items(self, task: LearningTask, train: Sequence[Example], progress: Progress) -> list[Item]:
        chosen = Augmentations.of(self.options.augment, task.classes)
        plans = planned(train, chosen.for_targets, self.options.copies)
        made = iter(self._copies_of(task, train).get([copy for plan in plans for copy in plan], progress))
        items = []
        for example, plan in zip(train, plans, strict=True):
            names = chosen.for_targets(example.targets)
            clips = [next(made) for _ in plan]
            items.append(
                Item(clips, example.targets, "specaugment" in names, "mixup" in names, "filter" in names)
            )
        return items

    def _held(
        self, task: LearningTask, examples: Sequence[Example], progress: Progress
    ) -> HeldOutPatches | None:
        if not examples:
            return None
        clips = self._copies_of(task, ()).get([Copy(example, 0) for example in examples], progress)
        frames = self.front_end.frames(self.window)
        crops = [even_crops(clip, VALIDATION_CROPS, frames, self.front_end) for clip in clips]
        return HeldOutPatches(
            np.concatenate(crops),
            np.stack([example.targets for example in examples]),
            np.repeat(np.arange(len(examples)), VALIDATION_CROPS),
        )

    def _copies_of(self, task: LearningTask, train: Sequence[Example]) -> CopyStore:
        """One memory for each set of backgrounds that may be mixed in."""
        backgrounds: tuple[Example, ...] = ()
        if task.background is not None:
            column = task.classes.index(task.background)
            backgrounds = tuple(example for example in train if example.targets[column])
        maker = CopyMaker(
            self.front_end, self.window, self.options.level, task.seed, backgrounds, self.options.cache
        )
        return self._copies.setdefault(maker, CopyStore(maker, self.options.jobs))


@dataclass(frozen=True, slots=True)
class FittedNetwork:
    """Fills `Fitted`."""

    graph: Graph
    history: Sequence[Mapping[str, float]]
    _module: Module
    _multilabel: bool
    _maker: PatchMaker

    def scores(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, classes): of every window the daemon would form in it."""
        import torch

        logits = torch.from_numpy(forward(self._module, self.inputs(example)))
        scores = torch.sigmoid(logits) if self._multilabel else torch.softmax(logits, 1)
        values: NDArray[np.float32] = scores.numpy()
        return values

    def stops(self, example: Example, /) -> NDArray[np.float64]:
        """Shape (windows,): seconds since the example began."""
        stops = self._maker.stops(self._maker.read(example))
        return np.array(stops) / self._maker.front_end.sample_rate

    def inputs(self, example: Example, /) -> NDArray[np.float32]:
        """Shape (windows, frames, bands)."""
        return self._maker.windows(self._maker.read(example))


def _no_class(task: LearningTask) -> NDArray[np.float32]:
    """The target of noise: the background class, no class if multilabel, else all classes alike."""
    target = np.zeros(len(task.classes), np.float32)
    if task.background is not None:
        target[task.classes.index(task.background)] = 1.0
    elif not task.multilabel:
        target[:] = 1 / len(target)
    return target
