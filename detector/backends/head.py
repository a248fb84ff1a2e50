"""A head in one of the runtimes: to its graph a mean embedding is a window like any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.interfaces import Classifier
from detector.records import ModelSpec, Span, Window


class NetworkHead:
    """Fills `Head` around the classifier that runs the graph."""

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
