"""A classifier heard for its embedding: what training learns from, exactly as the daemon hears it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.records import ModelSpec, Scores, Span, Window


class NetworkEmbedder:
    """Fills `Embedder`; the embedding is that of these networks, one behind the other."""

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
    """Features of each of these networks' embeddings; ModelError where one tells none."""
    window = classifier.spec.window
    told = classifier.scores(Window(Span(0, window), np.zeros(window, np.float32))).embeddings
    mute = next((network for network in networks if network not in told), None)
    if mute is not None:
        raise ModelError(
            f"model {mute} tells no embedding, so nothing can listen to it; yamnet, mn04 and yamnet+mn04 do"
        )
    return {network: len(told[network]) for network in networks}
