"""A network as data: values, and the operations between them, built by calls.

    graph = Graph((1024,))
    graph.output = graph.softmax(graph.dense(graph.signed_sqrt(graph.input), weights, bias))

Every way of training ends in one, and so does reading a published network; `onnx_file` and `tflite_file`
write it down for the two runtimes, `run` says what both must answer. Shapes are of one example: a vector
(features,), or a patch (frames, bands), which is a picture of one channel from the start: (1, frames, bands).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.graphs import operations, pictures
from detector.graphs.operations import Operation, Shape, Weights
from detector.graphs.pictures import Pair

Floats: TypeAlias = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Value:
    """What stands between two operations."""

    number: int
    """Counts from 0, the graph's input."""
    shape: Shape
    """Of one example."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An operation in its place."""

    operation: Operation
    inputs: tuple[Value, ...]
    output: Value


def _appending(operation: type[Operation]) -> Callable[..., Value]:
    """Make the method of a graph that appends an operation without parameters."""

    def append(graph: Graph, *given: Value) -> Value:
        return graph._add(operation(), *given)

    return append


class Graph:
    """A network from one vector or patch to one score for each class."""

    def __init__(self, shape: Shape) -> None:
        if len(shape) not in {1, 2} or min(shape) < 1:
            raise ValueError(f"a graph takes (features,) or (frames, bands), got {shape}")
        self.shape = shape
        self.input = Value(0, shape if len(shape) == 1 else (1, *shape))
        self.nodes: list[Node] = []
        self.embedding: Value | None = None
        """A vector that the files give beside the scores; None where they give the scores alone."""
        self._output: Value | None = None

    @property
    def output(self) -> Value:
        """The scores."""
        if self._output is None:
            raise ValueError("the graph has no output yet")
        return self._output

    @output.setter
    def output(self, value: Value) -> None:
        if len(value.shape) != 1 or not self.nodes:
            raise ValueError(f"a graph ends in one score for each class, got {value.shape}")
        self._output = value

    scale = _appending(pictures.Scale)
    """Multiply each channel of a picture by its feature of a vector."""
    global_mean = _appending(pictures.GlobalMean)
    """Take each channel's mean."""
    global_max = _appending(pictures.GlobalMax)
    """Take each channel's greatest."""
    relu = _appending(operations.Relu)
    """Raise what is below zero to zero."""
    hard_swish = _appending(operations.HardSwish)
    """Multiply by a slope from 0 (at -3) to 1 (at 3)."""
    signed_sqrt = _appending(operations.SignedSqrt)
    """Take the square root, the sign kept."""
    sigmoid = _appending(operations.Sigmoid)
    """Turn log-odds into scores, each class for itself."""
    softmax = _appending(operations.Softmax)
    """Turn log-odds into scores that add up to one."""
    add = _appending(operations.Add)
    """Add two of one shape."""

    def dense(self, given: Value, weights: Floats, bias: Floats) -> Value:
        """Multiply a vector by weights (out, in), add bias (out,)."""
        return self._add(operations.Dense(_float32(weights), _float32(bias)), given)

    def affine(self, given: Value, scale: Floats, shift: Floats) -> Value:
        """Scale and shift each feature, or each channel."""
        return self._add(operations.Affine(_float32(scale), _float32(shift)), given)

    def conv(
        self,
        given: Value,
        weights: Floats,
        bias: Floats,
        *,
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        dilation: Pair = (1, 1),
    ) -> Value:
        """Convolve a picture with weights (out, in, kernel frames, kernel bands); padding is zeros."""
        operation = pictures.Conv(_float32(weights), _float32(bias), stride, padding, dilation)
        return self._add(operation, given)

    def depthwise_conv(
        self, given: Value, weights: Floats, bias: Floats, *, stride: Pair = (1, 1), padding: Pair = (0, 0)
    ) -> Value:
        """Convolve each channel with its own weights (channels, kernel frames, kernel bands)."""
        operation = pictures.DepthwiseConv(_float32(weights), _float32(bias), stride, padding)
        return self._add(operation, given)

    def max_pool(
        self, given: Value, size: Pair, *, stride: Pair | None = None, padding: Pair = (0, 0)
    ) -> Value:
        """Take the greatest of each rectangle; rectangles stand side by side unless told otherwise."""
        return self._add(pictures.MaxPool(size, stride or size, padding), given)

    def mean_pool(self, given: Value, size: Pair) -> Value:
        """Take the mean of each rectangle."""
        return self._add(pictures.MeanPool(size), given)

    def concat(self, given: Sequence[Value]) -> Value:
        """Put features or channels one after another."""
        return self._add(operations.Concat(), *given)

    def run(self, values: Floats) -> NDArray[np.float32]:
        """Compute the scores (n, classes) of a batch (n, *shape)."""
        known = {0: np.asarray(values, np.float64).reshape(-1, *self.input.shape)}
        for node in self.nodes:
            known[node.output.number] = node.operation.run(*(known[value.number] for value in node.inputs))
        return known[self.output.number].astype(np.float32)

    def _add(self, operation: Operation, *given: Value) -> Value:
        """Append an operation; ValueError where it cannot take such shapes."""
        output = Value(len(self.nodes) + 1, operation.shape(*(value.shape for value in given)))
        self.nodes.append(Node(operation, given, output))
        return output


def _float32(values: Floats) -> Weights:
    return np.ascontiguousarray(values, np.float32)
