"""Dense layers on embeddings: standardising, folding it into weights, and the graph around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.graphs.graph import Graph

LEAST_SPREAD = 1e-3
"""Features that vary less than this carry no information: they are set to 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """x -> weights x + bias."""

    weights: NDArray[np.float32]
    """Shape (out, in)."""
    bias: NDArray[np.float32]
    """Shape (out,)."""


def signed_sqrt(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots that keep the sign: they tame the few features that are very loud."""
    rooted: NDArray[np.float32] = np.copysign(np.sqrt(np.abs(values)), values)
    return rooted


def standardising(
    rows: NDArray[np.float32], weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scale and shift (features,) that bring the weighted rows to mean 0 and variance 1."""
    mean = np.average(rows, axis=0, weights=weights).astype(np.float32)
    spread = np.sqrt(np.average(np.square(rows - mean), axis=0, weights=weights)).astype(np.float32)
    scale = np.where(spread > LEAST_SPREAD, 1 / np.maximum(spread, LEAST_SPREAD), 0).astype(np.float32)
    return scale, -mean * scale


def head_graph(features: int, layers: Sequence[Layer], *, multilabel: bool) -> Graph:
    """Square roots, the layers with rectifiers between them, softmax or sigmoids."""
    graph = Graph((features,))
    value = graph.signed_sqrt(graph.input)
    for index, layer in enumerate(layers):
        value = graph.dense(graph.relu(value) if index else value, layer.weights, layer.bias)
    graph.output = graph.sigmoid(value) if multilabel else graph.softmax(value)
    return graph
