"""A graph as an ONNX file.

Input `embedding` (N, features) or `patch` (N, frames, bands), output `scores` (N, classes) and, where the
graph has one, `embedding` (N, features); all float32. The batch may have any length. It needs `onnx`.
Source: the ONNX operators at opset 14 (onnx.ai/onnx/operators).
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from detector.errors import ModelError
from detector.graphs import operations, pictures
from detector.graphs.graph import Graph, Node
from detector.graphs.onnx_builder import OnnxBuilder
from detector.graphs.operations import Operation

OPSET = 14
"""The first with HardSwish; old enough for every onnxruntime that runs on Python 3.11."""

SIMPLE: dict[type[Operation], str] = {
    operations.Relu: "Relu",
    operations.HardSwish: "HardSwish",
    operations.Sigmoid: "Sigmoid",
    operations.Add: "Add",
}
"""Operations that are one of ONNX's, without weights or options."""


def to_onnx(graph: Graph) -> bytes:
    """Return the file; ModelError where the `onnx` package is missing."""
    if find_spec("onnx") is None:
        raise ModelError("the onnx package is not here; install it (pip install 'sound-detector[train]')")
    writer = _Writer(graph)
    outputs = [(name, value.shape) for name, value in writer.outputs]
    return writer.builder.packed((writer.given, graph.shape), outputs, opset=OPSET)


class _Writer:
    """Translates the nodes in order; a value's name is `v` and its number."""

    def __init__(self, graph: Graph) -> None:
        self.given = "embedding" if len(graph.shape) == 1 else "patch"
        self.builder = OnnxBuilder()
        self._names = {0: self.given}
        if self.given == "patch":
            axis = self.builder.constant(np.array([1], np.int64))
            self._names[0] = self.builder.node(
                "Unsqueeze", [self.given, axis], "picture"
            )  # (N, 1, frames, bands)
        self.outputs = [("scores", graph.output)]
        if graph.embedding is not None:
            self.outputs.append(("embedding", graph.embedding))
        named = {value.number: name for name, value in self.outputs}
        for node in graph.nodes:
            name = named.get(node.output.number, f"v{node.output.number}")
            self._names[node.output.number] = name
            self._write(node, [self._names[value.number] for value in node.inputs], name)

    def _write(self, node: Node, inputs: list[str], name: str) -> None:
        operation = node.operation
        if kind := SIMPLE.get(type(operation)):
            self.builder.node(kind, inputs, name)
        elif isinstance(operation, operations.Dense):
            weights = [self.builder.constant(operation.weights), self.builder.constant(operation.bias)]
            self.builder.node("Gemm", inputs + weights, name, transB=1)
        elif isinstance(operation, operations.Affine):
            along = (1, -1) + (1,) * (len(node.output.shape) - 1)
            scale = self.builder.constant(operation.scale.reshape(along))
            shift = self.builder.constant(operation.shift.reshape(along))
            self.builder.node(
                "Add", [self.builder.node("Mul", [*inputs, scale], f"{name}_scaled"), shift], name
            )
        elif isinstance(operation, operations.SignedSqrt):
            size = self.builder.node(
                "Sqrt", [self.builder.node("Abs", inputs, f"{name}_abs")], f"{name}_root"
            )
            self.builder.node("Mul", [self.builder.node("Sign", inputs, f"{name}_sign"), size], name)
        elif isinstance(operation, operations.Softmax):
            self.builder.node("Softmax", inputs, name, axis=1)
        elif isinstance(operation, operations.Concat):
            self.builder.node("Concat", inputs, name, axis=1)
        else:
            self._write_picture(operation, inputs, name)

    def _write_picture(self, operation: Operation, inputs: list[str], name: str) -> None:
        if isinstance(operation, pictures.Conv):
            weights = [self.builder.constant(operation.weights), self.builder.constant(operation.bias)]
            options = {
                "strides": list(operation.stride),
                "pads": [*operation.padding, *operation.padding],
                "dilations": list(operation.dilation),
            }
            self.builder.node("Conv", inputs + weights, name, **options)
        elif isinstance(operation, pictures.DepthwiseConv):
            kernels = operation.weights[:, np.newaxis]  # (channels, 1, frames, bands)
            weights = [self.builder.constant(kernels), self.builder.constant(operation.bias)]
            options = {"strides": list(operation.stride), "pads": [*operation.padding, *operation.padding]}
            self.builder.node("Conv", inputs + weights, name, group=len(kernels), **options)
        elif isinstance(operation, pictures.Scale):
            axes = self.builder.constant(np.array([2, 3], np.int64))
            factors = self.builder.node(
                "Unsqueeze", [inputs[1], axes], f"{name}_factors"
            )  # (N, channels, 1, 1)
            self.builder.node("Mul", [inputs[0], factors], name)
        elif isinstance(operation, pictures.MaxPool):
            options = {"strides": list(operation.stride), "pads": [*operation.padding, *operation.padding]}
            self.builder.node("MaxPool", inputs, name, kernel_shape=list(operation.size), **options)
        elif isinstance(operation, pictures.MeanPool):
            size = list(operation.size)
            self.builder.node("AveragePool", inputs, name, kernel_shape=size, strides=size)
        elif isinstance(operation, pictures.GlobalMean):
            self.builder.node(
                "Flatten", [self.builder.node("GlobalAveragePool", inputs, f"{name}_mean")], name
            )
        elif isinstance(operation, pictures.GlobalMax):
            self.builder.node("Flatten", [self.builder.node("GlobalMaxPool", inputs, f"{name}_max")], name)
        else:
            raise TypeError(f"{type(operation).__name__} has no counterpart in ONNX")
