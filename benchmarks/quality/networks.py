"""Networks from scratch on the folds of a dataset: accuracy on the clips held out, by their mean scores.

A clip's mean is over the windows that lie wholly in it, as `train` has it, 0.24 s apart, as the daemon's. The
clips held out decide nothing: no epoch, no threshold is chosen by them, and clips of one source never lie in
two folds. The time is this process's CPU time on one core.

    python -m benchmarks.quality.networks DATASET [--arch cnn] [--augment stretch,pitch] [--dilations 1]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.support.report import table
from detector.datasets.labelled_clips import Dataset, read_dataset
from detector.training.crossvalidation import mean_score
from detector.training.networks import ARCHITECTURES, make_network_recipe
from detector.training.networks.network_recipe import NetworkRecipe
from detector.training.recipe import Example, FitJob, LearningTask, NetworkOptions


def main() -> None:
    """Print one row of figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.networks", description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--arch", choices=ARCHITECTURES, default="cnn")
    parser.add_argument("--augment", default="", help="names, separated by commas")
    parser.add_argument("--copies", type=int, default=NetworkOptions().copies)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--width", type=int, help="channels of the first layer")
    parser.add_argument("--dilations", help="resnet18-dilated: numbers, separated by commas")
    parser.add_argument("--weights", type=Path, help="image: ImageNet's weights")
    parser.add_argument("--cache", type=Path, help="folder of altered copies")
    parser.add_argument("--folds", help="only these, separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    options = NetworkOptions(
        arch=given.arch,
        epochs=given.epochs,
        augment=tuple(name for name in given.augment.split(",") if name),
        copies=given.copies,
        width=given.width,
        dilations=tuple(map(int, given.dilations.split(","))) if given.dilations else None,
        weights=given.weights,
        cache=given.cache,
        jobs=1,
    )
    recipe = make_network_recipe(options)
    dataset = read_dataset(given.dataset)
    folds = given.folds.split(",") if given.folds else dataset.folds
    began = time.process_time()
    shares = [_held_out(recipe, dataset, fold, given.seed) for fold in folds]
    minutes = (time.process_time() - began) / 60
    epochs = options.epochs or ARCHITECTURES[given.arch].epochs
    row = [given.arch, given.augment or "none", given.dilations or "", str(epochs)]
    cells = [f"{100 * share:.1f}" for share in shares]
    mean, spread = 100 * np.mean(shares), 100 * np.std(shares)
    heads = ["arch", "augmentation", "dilations", "epochs", *(f"fold {fold}" for fold in folds)]
    print(
        table([[*heads, "mean", "CPU min"], [*row, *cells, f"{mean:.1f} ± {spread:.1f}", f"{minutes:.1f}"]])
    )


def _held_out(recipe: NetworkRecipe, dataset: Dataset, fold: str, seed: int) -> float:
    """Train on the other folds; the share of this one's clips that are named rightly."""
    classes = dataset.classes
    rows = np.eye(len(classes), dtype=np.float32)
    examples = [
        Example(clip.path, rows[classes.index(clip.label)], clip.source, clip.fold) for clip in dataset.clips
    ]
    train = [example for example in examples if example.fold != fold]
    test = [example for example in examples if example.fold == fold]
    task = LearningTask(tuple(classes), multilabel=False, seed=seed)
    even = np.ones(len(classes), np.float32)
    fitted = recipe.fit(FitJob(task, train, [], even, _quiet))
    seconds = recipe.window / recipe.sample_rate
    right = [
        mean_score(fitted.scores(one), fitted.stops(one), seconds).argmax() == one.targets.argmax()
        for one in test
    ]
    return float(np.mean(right))


def _quiet(what: str, done: int, total: int, note: str = "") -> None:
    """No bar."""


if __name__ == "__main__":
    main()
