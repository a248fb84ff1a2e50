"""Embeddings: networks that give them to training, and heads that classify them.

An embedding is the input of a network's last layer, float32 (features,). Heads are small graphs that take the
mean embedding of some seconds instead of sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.records import ModelSpec, Scores, Span, Window


class NetworkEmbedder:
    """Fills `Embedder` around a classifier; the embeddings of these networks are concatenated."""

    def __init__(self, classifier: Classifier, networks: Sequence[str]) -> None:
        self._classifier = classifier
        self._networks = tuple(networks)
        self.embedding_length = sum(embedding_lengths(classifier, self._networks).values())

    @property
    def spec(self) -> ModelSpec:
        """Rate, window and labels."""
        return self._classifier.spec

    def hear(self, window: Window) -> tuple[Scores, NDArray[np.float32]]:
        """Scores and embedding (embedding_length,) of one pass over a window of `spec.window` samples."""
        scores = self._classifier.scores(window)
        return scores, np.concatenate([scores.embeddings[network] for network in self._networks])

    def close(self) -> None:
        """Release the runtime."""
        self._classifier.close()


def embedding_lengths(classifier: Classifier, networks: Sequence[str]) -> dict[str, int]:
    """Count the features of each of these networks' embeddings; ModelError where one has none."""
    window = classifier.spec.window
    embeddings = classifier.scores(Window(Span(0, window), np.zeros(window, np.float32))).embeddings
    lacking = next((network for network in networks if network not in embeddings), None)
    if lacking is not None:
        raise ModelError(
            f"model {lacking} gives no embedding, so it cannot be the base of a head; "
            "yamnet, mn04 and yamnet+mn04 can"
        )
    return {network: len(embeddings[network]) for network in networks}


class NetworkHead:
    """Fills `Head` around the classifier that runs the graph: a mean embedding is its window."""

    def __init__(
        self, graph: Classifier, spec: ModelSpec, *, networks: tuple[str, ...], context_seconds: float
    ) -> None:
        self.spec = spec
        self.networks = networks
        self.context_seconds = context_seconds
        self._graph = graph
        self._span = Span(0, graph.spec.window)

    def scores(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score every label for a mean embedding (features,)."""
        return self._graph.scores(Window(self._span, embedding)).values

    def close(self) -> None:
        """Release the runtime."""
        self._graph.close()
