"""The recipe of a head that holds in the room: it learns from scenes, beside a bank of other sounds.

The clips are laid over backgrounds at drawn levels, and the windows of these scenes are cut as the daemon
cuts them. The head learns besides them: the backgrounds, soft noise, the user's own background clips and the
bank. One threshold for all classes is chosen on clips and groups of the bank that were held out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.training.dataset_checks import Finding
from detector.training.discriminant import NEVER, SLOPE, Discriminant, passing_levels
from detector.training.examples import ExampleSet
from detector.training.head_recipe import EmbeddingRecipe, FittedHead
from detector.training.layers import Layer, head_graph
from detector.training.recipe import Example, FitJob, LearningTask
from detector.training.scene_material import NEWEST_SECONDS, EmbeddedScene, SceneMaterial
from detector.training.scene_trial import (
    SceneFigures,
    TrialEvent,
    TrialScene,
    choose_threshold,
    class_thresholds,
    count_events,
    sounds_of,
    strongest,
)

TRIAL_SECONDS = 600.0
"""Scenes of so much sound go through the daemon's pipeline for the figures."""
THRESHOLD = 0.5
"""The score at which every class is detected: the bias of the head is set for it."""

RunPipeline = Callable[[EmbeddedScene, NDArray[np.float32], LearningTask], Sequence[TrialEvent]]
"""A scene, the scores (windows, classes) of its windows and what the classes are -> events."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadTrial:
    """What the scenes and the bank said of clips and groups that were held out."""

    thresholds: NDArray[np.float32]
    """Shape (classes of events,), in levels of the discriminant."""
    same: tuple[str, ...]
    """Groups of the bank that are a taught sound themselves, and are left out."""
    figures: SceneFigures
    unknown_detected: float
    """Share of the bank's recorded sounds that were taken for a taught one; NaN without a bank."""


@dataclass(frozen=True, eq=False)
class DiscriminantRecipe(EmbeddingRecipe):
    """Fills `Recipe`."""

    material: SceneMaterial
    run_pipeline: RunPipeline
    thresholds: NDArray[np.float32] | None = None
    """In levels of the discriminant: where the scores are THRESHOLD; None: all at 0."""
    same: tuple[str, ...] = ()
    """Groups of the bank that are not learned."""

    @property
    def description(self) -> str:
        """One line for model.yaml."""
        return f"a linear discriminant on the embeddings of {self.base.name}, learned in simulated scenes"

    def fit(self, job: FitJob) -> FittedHead:
        """Fit in closed form; nothing is kept at `job.checkpoint`. The task has a background class."""
        groups = [name for name in self.material.bank if name not in self.same]
        fitted = self.material.discriminant(job.task, job.train, groups)
        count = len(job.task.classes)
        weights = np.zeros((count, self.base.features), np.float32)
        bias = np.zeros(count, np.float32)
        events = [column for column in range(count) if job.task.classes[column] != job.task.background]
        weights[events] = SLOPE * fitted.weights
        bias[events] = SLOPE * (fitted.bias - (0 if self.thresholds is None else self.thresholds))
        graph = head_graph(self.base.features, [Layer(weights, bias)], multilabel=False)
        return FittedHead(graph, (), self._means)

    def try_out(self, example_set: ExampleSet, folds: NDArray[np.intp]) -> HeadTrial:
        """Choose the threshold on what was held out, and measure what it gives; raises DatasetError."""
        task = example_set.task
        events = [name for name in task.classes if name != task.background]
        labels = {e.path: int(e.targets.argmax()) for e in example_set.examples}
        same = self.material.same_sounds(task, example_set.examples, folds)
        names = [name for name in self.material.bank if name not in same]
        fold_of = {e.path: int(fold) for e, fold in zip(example_set.examples, folds, strict=True)}
        fits = {}
        for fold in np.unique(folds).tolist():
            known = [e for e in example_set.examples if fold_of[e.path] != fold]
            fits[fold] = self.material.discriminant(task, known, names)
        unknown = self._unknown_levels(example_set, names)
        trials = [self._trial_scene(scene, fits, fold_of, labels) for scene in self.material.scenes]
        common = choose_threshold(trials, _highest(unknown), len(events))
        thresholds = class_thresholds(
            trials, self._clip_levels(example_set, fits, fold_of), common, len(events)
        )
        chosen = self._for_the_pipeline()
        figures = count_events(
            [
                (trials[index], self._events(self.material.scenes[index], fits, fold_of, thresholds, task))
                for index in chosen
            ]
        )
        passed = _highest([levels - thresholds for levels in unknown]) >= 0
        return HeadTrial(thresholds, tuple(same), figures, float(passed.mean()) if len(passed) else np.nan)

    def with_trial(self, trial: HeadTrial) -> DiscriminantRecipe:
        """The recipe with the threshold that was chosen, and without what is a taught sound itself."""
        return replace(self, thresholds=trial.thresholds, same=trial.same)

    def findings(self, trial: HeadTrial, example_set: ExampleSet) -> list[Finding]:
        """What the user should know of the trial."""
        found = []
        task = example_set.task
        if not any(e.targets[task.classes.index(task.background or "")] for e in example_set.examples):
            found.append(
                Finding(
                    "your room is missing: there is no folder `background`, so made-up noise stands for it, "
                    "and what else sounds there is not learned; add it: sound-detector record background"
                )
            )
        if not self.material.bank:
            found.append(
                Finding(
                    f"no other sounds come with the program for {self.base.name}: any sound may be taken "
                    "for one of yours; --base yamnet has them"
                )
            )
        if trial.same:
            found.append(
                Finding(f"like one of your sounds, so not learned as another one: {', '.join(trial.same)}")
            )
        if trial.unknown_detected > 0.05:
            share = 100 * trial.unknown_detected
            found.append(Finding(f"{share:.0f} % of other sounds are taken for one of yours"))
        weak = [
            f"{task.classes[label]} {100 * share:.0f} %"
            for label, share in trial.figures.classes.items()
            if share < 0.5
        ]
        if weak:
            found.append(
                Finding(f"seldom detected in simulated scenes; more clips would help: {', '.join(weak)}")
            )
        return found

    def _trial_scene(
        self,
        scene: EmbeddedScene,
        fits: Mapping[int, Discriminant],
        fold_of: Mapping[Path, int],
        labels: Mapping[Path, int],
    ) -> TrialScene:
        return TrialScene(
            stops=scene.heard.stops,
            levels=passing_levels(self._held_out_levels(scene, fits, fold_of)),
            sounds=sounds_of(scene.sounds, [labels[path] for path in self.material.clips]),
            seconds=scene.seconds,
            memory_seconds=self.base.window_seconds,
        )

    def _held_out_levels(
        self, scene: EmbeddedScene, fits: Mapping[int, Discriminant], fold_of: Mapping[Path, int]
    ) -> NDArray[np.float32]:
        """Shape (windows, classes): each window by the fit that does not know the sound nearest to it."""
        rows = self.material.roots(scene.heard)
        folds = np.array([fold_of[self.material.clips[sound.clip]] for sound in scene.sounds])
        middles = np.array([(sound.onset + sound.offset) / 2 for sound in scene.sounds])
        centres = scene.heard.stops - min(self.base.window_seconds, NEWEST_SECONDS) / 2
        nearest = folds[np.abs(centres[:, None] - middles).argmin(axis=1)]
        levels = np.full((len(rows), len(next(iter(fits.values())).bias)), NEVER, np.float32)
        for fold in np.unique(nearest).tolist():
            levels[nearest == fold] = fits[fold].levels(rows[nearest == fold])
        return levels

    def _clip_levels(
        self, example_set: ExampleSet, fits: Mapping[int, Discriminant], fold_of: Mapping[Path, int]
    ) -> list[tuple[int, float]]:
        """Class of each clip of an event, and the level that it reaches as it is, by a fit without it."""
        reached = []
        for example in example_set.examples:
            label = int(example.targets.argmax())
            heard = self.material.library[example.path].counted()
            if example_set.task.classes[label] != example_set.task.background and len(heard.stops):
                levels = passing_levels(fits[fold_of[example.path]].levels(self.material.roots(heard)))
                reached.append((label, float(strongest(levels)[label])))
        return reached

    def _unknown_levels(self, example_set: ExampleSet, names: Sequence[str]) -> list[NDArray[np.float32]]:
        """Of each recorded sound of the bank: levels (pairs, 2, classes), by a fit without its kind."""
        levels = []
        for groups, fitted in self.material.parts_of_bank(example_set.task, example_set.examples, names):
            for name in groups:
                group = self.material.bank[name]
                of_rows = fitted.levels(self.material.bank_rows[name])
                levels += [of_rows[group.pairs[group.sound == sound]] for sound in range(group.count)]
        return levels

    def _for_the_pipeline(self) -> list[int]:
        """Scenes whose sound was kept, as many as make up TRIAL_SECONDS."""
        chosen: list[int] = []
        seconds = 0.0
        for index, scene in enumerate(self.material.scenes):
            if len(scene.samples) and seconds < TRIAL_SECONDS:
                chosen.append(index)
                seconds += scene.seconds
        return chosen

    def _events(
        self,
        scene: EmbeddedScene,
        fits: Mapping[int, Discriminant],
        fold_of: Mapping[Path, int],
        thresholds: NDArray[np.float32],
        task: LearningTask,
    ) -> Sequence[TrialEvent]:
        levels = self._held_out_levels(scene, fits, fold_of)
        odds = SLOPE * np.concatenate([levels - thresholds, np.zeros_like(levels[:, :1])], axis=1)
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        scores = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
        return self.run_pipeline(scene, scores, task)

    def _means(self, example: Example) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        heard = self.material.library[example.path].counted().part(example.start, example.stop)
        return self.material.running(heard), heard.stops


def _highest(sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Shape (sounds,): the highest threshold that any class passes in a window.

    One window counts, not two in a row: the bank keeps a few windows of each sound, a stream has all of them.
    """
    return np.array(
        [passing_levels(pairs.reshape(-1, pairs.shape[-1])).max() for pairs in sounds],
        np.float32,
    )
