"""Heads: small networks that classify the embeddings of a big one, beside the big one's own labels.

The big network processes each window once. A sound that lasts is known better from several windows than from
one, so a head gets the mean of the embeddings of the last seconds. Heads that want the mean of the same
embeddings over the same time share it: one more head costs only its own few products.

Only windows that follow each other count: where more than a hop lies between two, sound was lost or the gate
was closed, and the mean begins anew. That is derived from the windows' positions alone, so it makes no
difference how the stream was cut into blocks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.interfaces import Head
from detector.records import ModelSpec, Scores, Span

_ContextKey = tuple[tuple[str, ...], int]
"""Names of the networks whose embeddings are joined, and over how many samples their mean is taken."""


class EmbeddingContext:
    """Keeps the embeddings of the windows that ended less than `length` [samples] ago.

    `hop` [samples] is the distance at which windows follow on each other.
    """

    def __init__(self, *, length: int, hop: int) -> None:
        self._length = length
        self._hop = hop
        self._stops: deque[int] = deque()
        self._rows = np.empty((0, 0), np.float32)  # those that count are the last before `_end`, in order
        self._end = 0

    def push(self, span: Span, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the newest window's embedding (features,), return the mean with those that still count."""
        if self._stops and span.stop - self._stops[-1] > self._hop:
            self._stops.clear()
        while self._stops and self._stops[0] <= span.stop - self._length:
            self._stops.popleft()
        if self._end == len(self._rows):
            self._make_room(len(embedding))
        self._rows[self._end] = embedding
        self._end += 1
        self._stops.append(span.stop)
        count = len(self._stops)
        total = np.add.reduce(self._rows[self._end - count : self._end], axis=0)
        mean: NDArray[np.float32] = total / np.float32(count)
        return mean

    def _make_room(self, features: int) -> None:
        """Move what counts to the front of rows of twice its number and more: seldom, so it costs little."""
        count = len(self._stops)
        kept = self._rows[self._end - count : self._end]
        self._rows = np.empty((2 * count + 8, features), np.float32)
        if count:
            self._rows[:count] = kept
        self._end = count


@dataclass(frozen=True, slots=True, eq=False)
class HeadSet:
    """The heads of one model; each stream has a `HeadStage` of its own."""

    spec: ModelSpec
    """With all labels: the networks' own, unless `with_base` is False, then each head's in their order."""
    heads: tuple[Head, ...]
    with_base: bool = True
    """Whether the networks' own labels are reported too."""


class HeadStage:
    """Turns a window's scores and embeddings into all labels' scores; windows lie `hop` [samples] apart."""

    def __init__(self, heads: HeadSet, *, hop: int) -> None:
        self._with_base = heads.with_base
        self._heads: list[tuple[Head, _ContextKey]] = []
        self._contexts: dict[_ContextKey, EmbeddingContext] = {}
        for head in heads.heads:
            key = (head.networks, round(head.context_seconds * heads.spec.sample_rate))
            self._heads.append((head, key))
            self._contexts.setdefault(key, EmbeddingContext(length=key[1], hop=hop))

    def push(self, scores: Scores) -> Scores:
        """Take the networks' scores of a window, return the scores of all labels."""
        means = {
            key: context.push(scores.span, _joined(scores, key[0])) for key, context in self._contexts.items()
        }
        values = [scores.values] if self._with_base else []
        values += [head.scores(means[key]) for head, key in self._heads]
        return Scores(scores.span, np.concatenate(values), scores.embeddings)


def _joined(scores: Scores, networks: tuple[str, ...]) -> NDArray[np.float32]:
    if len(networks) == 1:
        return scores.embeddings[networks[0]]
    return np.concatenate([scores.embeddings[network] for network in networks])
