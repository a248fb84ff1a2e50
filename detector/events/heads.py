"""Heads: what small networks name in the embeddings of a big one, beside what that one names itself.

The big network hears each window once. Heads that listen to the same embeddings for equally long share their
mean, so that one more costs its own few products alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.events.context import EmbeddingContext
from detector.interfaces import Head
from detector.records import ModelSpec, Scores

_Ear = tuple[tuple[str, ...], int]
"""Whose embeddings, and over how many samples."""


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
        self._heads: list[tuple[Head, _Ear]] = []
        self._contexts: dict[_Ear, EmbeddingContext] = {}
        for head in heads.heads:
            ear = (head.networks, round(head.context_seconds * heads.spec.sample_rate))
            self._heads.append((head, ear))
            self._contexts.setdefault(ear, EmbeddingContext(length=ear[1], hop=hop))

    def push(self, scores: Scores) -> Scores:
        """Take what the networks said of a window, return what all say."""
        means = {
            ear: context.push(scores.span, _joined(scores, ear[0])) for ear, context in self._contexts.items()
        }
        values = [scores.values] if self._with_base else []
        values += [head.scores(means[ear]) for head, ear in self._heads]
        return Scores(scores.span, np.concatenate(values))


def _joined(scores: Scores, networks: tuple[str, ...]) -> NDArray[np.float32]:
    if len(networks) == 1:
        return scores.embeddings[networks[0]]
    return np.concatenate([scores.embeddings[network] for network in networks])
