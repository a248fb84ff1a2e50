"""Folds for cross-validation: all clips of one source lie in the same fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import DatasetError
from detector.training.examples import ExampleSet

FOLDS = 5


def fold_numbers(example_set: ExampleSet, count: int | None = None) -> NDArray[np.intp]:
    """Shape (examples,), numbers from 0.

    They are the dataset's own folds where `count` is None and it defines some, else new ones.
    """
    given = [example.fold for example in example_set.examples]
    own = sorted({fold for fold in given if fold is not None}, key=lambda fold: (len(fold), fold))
    if count is None and len(own) > 1 and None not in given:
        return np.array([own.index(str(fold)) for fold in given], np.intp)
    sources = [example.source for example in example_set.examples]
    return assign_folds(sources, example_set.targets, count or FOLDS, seed=example_set.task.seed)


def assign_folds(
    sources: Sequence[str], targets: NDArray[np.float32], count: int, *, seed: int
) -> NDArray[np.intp]:
    """Divide the sources so that each fold has its share of every class; no more folds than any class fills.

    The largest sources go first, each to the fold that is then the most even: what scikit-learn's
    StratifiedGroupKFold does, for examples of several classes too.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, source in enumerate(sources):
        members[source].append(index)
    have = np.array([(targets[own].sum(axis=0) > 0) for own in members.values()])  # (sources, classes)
    sounding = have.sum(axis=0)
    count = min(count, len(members), max(2, int(sounding[sounding > 0].min(initial=count))))
    if count < 2:
        raise DatasetError(
            "all examples come from one recording, so there is none to test on; "
            "expected at least 2 recordings"
        )
    order = list(members)
    np.random.default_rng(seed).shuffle(order)
    order.sort(key=lambda source: -len(members[source]))
    wanted = np.maximum(targets.sum(axis=0), 1)
    filled = np.zeros((count, targets.shape[1] + 1))
    numbers = np.zeros(len(sources), np.intp)
    for source in order:
        own = members[source]
        share = np.append(targets[own].sum(axis=0) / wanted, len(own) / len(sources))
        uneven = [
            np.square(filled[fold] + share).sum() - np.square(filled[fold]).sum() for fold in range(count)
        ]
        fold = int(np.argmin(uneven))
        filled[fold] += share
        numbers[own] = fold
    return numbers
