"""How well heads learn: the tables of docs/training.md, from embeddings that are listened to once.

python -m benchmarks.quality.transfer DATA            all tables; DATA holds esc10/ and urbansound8k/
python -m benchmarks.quality.transfer DATA --only urbansound8k
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.assemble.training import embed_all, embedding_settings, find_base
from detector.config.settings import Settings
from detector.datasets.labelled_clips import read_dataset
from detector.evaluation.report_tables import Cell, table
from detector.modelstore import ModelCatalogue
from detector.training.crossvalidation import mean_score
from detector.training.examples import ExampleSet, class_weights, from_clips
from detector.training.folds import fold_numbers
from detector.training.head_recipe import CONTEXT_SECONDS, HeadOptions, HeadRecipe
from detector.training.logistic import regression
from detector.training.recipe import Example, FitJob, Recipe
from detector.workers.progress import ProgressBars

SEEDS = (0, 1, 2)
"""Over which draws of classes and clips are averaged."""


@dataclass(frozen=True)
class Heard:
    """A dataset that was listened to."""

    example_set: ExampleSet
    recipe: HeadRecipe

    def mean(self, example: Example) -> NDArray[np.float32]:
        """The plain mean embedding of a clip."""
        heard = self.recipe.library[example.path].counted()
        mean: NDArray[np.float32] = heard.embeddings.astype(np.float32).mean(axis=0)
        return mean


def heard(root: Path, base: str) -> Heard:
    """Read a dataset and listen to it."""
    example_set = from_clips(read_dataset(root).clips, seed=0)
    settings = embedding_settings(Settings(), base)
    catalogue = ModelCatalogue()
    found = find_base(settings, catalogue)
    with closing(ProgressBars()) as bars:
        paths = [example.path for example in example_set.examples]
        library, soft_noise = embed_all(settings, catalogue, found, paths, jobs=0, progress=bars)
    kept = tuple(example for example in example_set.examples if example.path in library.recordings)
    recipe = HeadRecipe(
        found, HeadOptions(kind="logistic", context_seconds=CONTEXT_SECONDS), library, soft_noise
    )
    return Heard(ExampleSet(example_set.task, kept), recipe)


def accuracy(one: Heard, train: Sequence[Example], test: Sequence[Example]) -> float:
    """Per cent of `test` whose class has the highest mean score after learning from `train`."""
    recipe: Recipe = one.recipe
    weights = class_weights(np.array([example.targets for example in train]))
    fitted = recipe.fit(FitJob(one.example_set.task, train, [], weights, _silent))
    seconds = recipe.window / recipe.sample_rate
    right = [
        mean_score(fitted.scores(example), fitted.stops(example), seconds).argmax()
        == example.targets.argmax()
        for example in test
    ]
    return 100 * float(np.mean(right))


def plain(one: Heard, train: Sequence[Example], test: Sequence[Example]) -> float:
    """The same of the usual way: scikit-learn's logistic regression on standardised mean embeddings."""
    known, asked = (np.array([one.mean(example) for example in part]) for part in (train, test))
    centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    model = regression(1.0).fit((known - centre) / spread, [e.targets.argmax() for e in train])
    said = model.predict((asked - centre) / spread)
    return 100 * float(np.mean(said == [e.targets.argmax() for e in test]))


def by_fold(
    example_set: ExampleSet, folds: NDArray[np.intp]
) -> Iterator[tuple[list[Example], list[Example]]]:
    """What is learned from and what is held out, once for each fold."""
    for fold in np.unique(folds):
        pairs = list(zip(example_set.examples, folds, strict=True))
        yield [e for e, own in pairs if own != fold], [e for e, own in pairs if own == fold]


def over_folds(one: Heard, folds: NDArray[np.intp], measure: Callable[..., float] = accuracy) -> float:
    """The mean over folds."""
    return float(np.mean([measure(one, train, test) for train, test in by_fold(one.example_set, folds)]))


def esc10(root: Path) -> str:
    """Five folds, by base; and a random split, which leaks."""
    rows: list[list[Cell]] = [["ESC-10, five folds [%]", "plain logistic", "default head", "random split"]]
    for base in ("yamnet", "mn04", "yamnet+mn04"):
        one = heard(root, base)
        own = fold_numbers(one.example_set)
        shuffled = np.random.default_rng(0).permutation(own)
        rows.append([base, over_folds(one, own, plain), over_folds(one, own), over_folds(one, shuffled)])
    return table(rows, markdown=True)


def sizes(root: Path) -> str:
    """How many classes, and how many clips of each."""
    one = heard(root, "yamnet")
    folds = fold_numbers(one.example_set)
    clips = (5, 10, 20, 32)
    rows: list[list[Cell]] = [["YAMNet, clips per class [%]", *map(str, clips)]]
    for classes in (2, 5, 10):
        cells = [_drawn(one, folds, classes, count) for count in clips]
        rows.append([f"{classes} classes", *cells])
    return table(rows, markdown=True)


def urbansound8k(root: Path) -> str:
    """Trained on fold 1 and tested on 2, and the reverse; beside a random split of the same clips."""
    rows: list[list[Cell]] = [
        ["UrbanSound8K [%]", "1 to 2", "2 to 1", "mean", "random halves"],
    ]
    for base in ("yamnet", "mn04", "yamnet+mn04"):
        one = heard(root, base)
        own = fold_numbers(one.example_set)
        shuffled = np.random.default_rng(0).permutation(own)
        for name, measure in (("plain logistic", plain), ("default head", accuracy)):
            each = [measure(one, train, test) for train, test in by_fold(one.example_set, own)][::-1]
            rows.append([f"{base}, {name}", *each, float(np.mean(each)), over_folds(one, shuffled, measure)])
    return table(rows, markdown=True)


def _drawn(one: Heard, folds: NDArray[np.intp], classes: int, count: int) -> float:
    """The mean over draws of so many classes and of so many clips of each to learn from."""
    found = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        chosen = set(rng.permutation(len(one.example_set.task.classes))[:classes].tolist())
        for train, test in by_fold(one.example_set, folds):
            kept: list[Example] = []
            for column in chosen:
                own = [example for example in train if example.targets[column]]
                kept += [own[place] for place in rng.permutation(len(own))[:count]]
            found.append(accuracy(one, kept, [e for e in test if int(e.targets.argmax()) in chosen]))
    return float(np.mean(found))


def _silent(what: str, done: int, total: int, note: str = "") -> None:
    """Nothing to show."""


def main() -> int:
    """Print the tables."""
    tables = {
        "esc10": ("esc10", esc10),
        "sizes": ("esc10", sizes),
        "urbansound8k": ("urbansound8k", urbansound8k),
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=tables)
    options = parser.parse_args()
    for name, (folder, make) in tables.items():
        if options.only in (None, name):
            print(make(options.data / folder), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
