"""Which examples are held out together: clips of one source never lie on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import DatasetError
from detector.training.material import Material

FOLDS = 5


def fold_numbers(material: Material, count: int | None = None) -> NDArray[np.intp]:
    """Shape (examples,), 0..: the dataset's own folds where `count` is None and it has some, else made."""
    given = [example.fold for example in material.examples]
    own = sorted({fold for fold in given if fold is not None}, key=lambda fold: (len(fold), fold))
    if count is None and len(own) > 1 and None not in given:
        return np.array([own.index(str(fold)) for fold in given], np.intp)
    sources = [example.source for example in material.examples]
    return made(sources, material.targets, count or FOLDS, seed=material.task.seed)


def made(sources: Sequence[str], targets: NDArray[np.float32], count: int, *, seed: int) -> NDArray[np.intp]:
    """Deal sources out so that each fold has its share of every class; no more folds than any class fills.

    The largest sources first, each to the fold that then is the least uneven: what scikit-learn's
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
            "all examples come from one recording, so nothing is left to try them out on; "
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
