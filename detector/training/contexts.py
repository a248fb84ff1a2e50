"""The input of a head: means of embeddings over the last seconds.

Conventions: embeddings (windows, features), `stops` (windows,) the end of each window [s], ascending. Where
windows are missing (the gate was shut, sound was lost) the mean starts afresh, as it does in the daemon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

PARTIAL_SECONDS = 1.0
"""A head must also learn from short means: soon after an onset it knows no more of a sound."""

PAUSE_HOPS = 1.5
"""Windows further apart than so many hops do not belong together."""


def running_means(
    embeddings: NDArray[np.float32], stops: NDArray[np.float64], context_seconds: float, hop_seconds: float
) -> NDArray[np.float32]:
    """For each window the mean of those that end within the last `context_seconds`, itself included."""
    means = np.empty_like(embeddings, dtype=np.float32)
    for first, stop in unbroken(stops, hop_seconds):
        sums = np.cumsum(embeddings[first:stop], axis=0, dtype=np.float64)
        sums = np.concatenate([np.zeros_like(sums[:1]), sums])
        ends = stops[first:stop]
        oldest = np.searchsorted(ends, ends - context_seconds + 1e-6, side="right")
        newest = np.arange(1, stop - first + 1)
        means[first:stop] = (sums[newest] - sums[oldest]) / (newest - oldest)[:, None]
    return means


def learning_means(
    embeddings: NDArray[np.float32], stops: NDArray[np.float64], context_seconds: float, hop_seconds: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows to learn from one clip: means over 1 s, over the context and over the whole, and their weights.

    Weights (rows,) add up to 1, each of the three lengths counting the same, so that a long clip weighs no
    more than a short one.
    """
    lengths = sorted({min(PARTIAL_SECONDS, context_seconds), context_seconds})
    parts = [
        running_means(embeddings, stops, length, hop_seconds)[_spread(len(stops), length, hop_seconds)]
        for length in lengths
    ]
    parts.append(embeddings.mean(axis=0, dtype=np.float64, keepdims=True).astype(np.float32))
    weights = [np.full(len(part), 1 / len(part) / len(parts), np.float32) for part in parts]
    return np.concatenate(parts), np.concatenate(weights)


def unbroken(stops: NDArray[np.float64], hop_seconds: float) -> Iterator[tuple[int, int]]:
    """First and one past the last window of each stretch without a pause."""
    breaks = np.flatnonzero(np.diff(stops) > PAUSE_HOPS * hop_seconds) + 1
    edges: Sequence[int] = [0, *breaks.tolist(), len(stops)]
    for first, stop in pairwise(edges):
        if stop > first:
            yield first, stop


def _spread(windows: int, length: float, hop_seconds: float) -> slice:
    """Every window that a mean over `length` seconds is half new at; the last one of a clip that is short."""
    step = max(1, round(length / hop_seconds / 2))
    return slice(min(step, windows) - 1, None, step)
