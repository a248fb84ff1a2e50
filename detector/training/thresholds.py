"""The score at which a class counts as detected: chosen on sounds that the model was not trained on.

Conventions: scores (windows, classes) of one example, in the daemon's hops; a strength is the score that the
daemon's voting (2 of 2, its default) would let through.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MIN_THRESHOLD, MAX_THRESHOLD = 0.05, 0.95
"""The range of thresholds: beyond it there were too few examples to know."""
PENALTY_OF_UNKNOWN = 1.0
"""Weight of a false event on a sound of an unknown class; one on a known sound counts 1."""
MIN_UNTESTED = 0.5
"""The lowest threshold where only the known classes were tested: other sounds may score anything."""
ABOVE_BACKGROUND = 0.02
"""A threshold stays this far above the highest score of the background."""


def strength(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shape (classes,): the highest score that two windows in a row reach; 0 where there is no window."""
    if not len(scores):
        return np.zeros(scores.shape[1], np.float32)
    if len(scores) == 1:
        return np.asarray(scores[0], np.float32)
    highest: NDArray[np.float32] = np.minimum(scores[1:], scores[:-1]).max(axis=0)
    return highest


def strengths(scores: Sequence[NDArray[np.float32]], classes: int) -> NDArray[np.float32]:
    """Shape (examples, classes)."""
    return np.array([strength(one) for one in scores], np.float32).reshape(len(scores), classes)


def choose_thresholds(
    known: NDArray[np.float32],
    targets: NDArray[np.float32],
    unknown: NDArray[np.float32],
    background: int | None,
) -> NDArray[np.float32]:
    """Shape (classes,): for each class the threshold of the best F1 over all examples.

    `known` (examples, classes) strengths with their `targets`; `unknown` (examples, classes) those of sounds
    of no known class. Examples of class `background` must stay below the threshold of every other class.
    """
    chosen = np.empty(known.shape[1], np.float32)
    is_untested = background is None and not len(unknown) and bool((targets > 0).any(axis=1).all())
    for column in range(known.shape[1]):
        positive = targets[:, column] > 0
        negative = np.concatenate([known[~positive, column], unknown[:, column]])
        weights = np.ones(len(negative))
        weights[(~positive).sum() :] = PENALTY_OF_UNKNOWN
        threshold = best_f1(known[positive, column], negative, weights)
        if background is not None and column != background:
            quiet = known[targets[:, background] > 0, column]
            threshold = max(threshold, quiet.max(initial=0.0) + ABOVE_BACKGROUND)
        chosen[column] = np.clip(threshold, MIN_UNTESTED if is_untested else MIN_THRESHOLD, MAX_THRESHOLD)
    return chosen


def best_f1(
    positive: NDArray[np.float32], negative: NDArray[np.float32], weights: NDArray[np.float64]
) -> float:
    """The middle of the widest gap between scores at which F1 is best; 0.5 where there is no positive."""
    if not len(positive):
        return 0.5
    edges = np.unique(np.concatenate([[0.0, 1.0], positive, negative]))
    middles = (edges[1:] + edges[:-1]) / 2
    right = len(positive) - np.searchsorted(np.sort(positive), middles)
    order = np.argsort(negative)
    below = np.concatenate([[0.0], np.cumsum(weights[order])])[np.searchsorted(negative[order], middles)]
    wrong = weights.sum() - below
    f1 = 2 * right / (right + wrong + len(positive))
    best = np.flatnonzero(f1 >= f1.max() - 1e-9)
    widest = best[np.argmax(edges[best + 1] - edges[best])]
    return float(middles[widest])
