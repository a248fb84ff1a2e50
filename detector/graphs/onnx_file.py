"""A graph as an ONNX file.

Input `embedding` (N, features) or `patch` (N, frames, bands), output `scores` (N, classes) and, where the
graph has one, `embedding` (N, features); all float32. The batch may have any length. It needs `onnx`.
Source: the ONNX operators at opset 14 (onnx.ai/onnx/operators).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector import __version__
from detector.errors import ModelError
from detector.graphs import operations, pictures
from detector.graphs.graph import Graph, Node
from detector.graphs.operations import Operation

_Foreign: TypeAlias = Any
"""What ONNX's own package takes, which has no type information."""

OPSET, IR_VERSION = 14, 8
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
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise ModelError(
            "the onnx package is not here; install it (pip install 'sound-detector[train]')"
        ) from error
    writer = _Writer(graph)
    given = helper.make_tensor_value_info(writer.given, TensorProto.FLOAT, ["N", *graph.shape])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *value.shape])
        for name, value in writer.outputs
    ]
    built = helper.make_model(
        helper.make_graph(writer.nodes, "network", [given], outputs, writer.weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="sound-detector",
        producer_version=__version__,
    )
    built.ir_version = IR_VERSION
    checker.check_model(built, full_check=True)
    packed: bytes = built.SerializeToString()
    return packed


class _Writer:
    """Translates the nodes in order; a value's name is `v` and its number."""

    def __init__(self, graph: Graph) -> None:
        self.given = "embedding" if len(graph.shape) == 1 else "patch"
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._names = {0: self.given}
        if self.given == "patch":
            axis = self._constant(np.array([1], np.int64))
            self._names[0] = self._node("Unsqueeze", [self.given, axis], "picture")  # (N, 1, frames, bands)
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
            self._node(kind, inputs, name)
        elif isinstance(operation, operations.Dense):
            weights = [self._constant(operation.weights), self._constant(operation.bias)]
            self._node("Gemm", inputs + weights, name, transB=1)
        elif isinstance(operation, operations.Affine):
            along = (1, -1) + (1,) * (len(node.output.shape) - 1)
            scale = self._constant(operation.scale.reshape(along))
            shift = self._constant(operation.shift.reshape(along))
            self._node("Add", [self._node("Mul", [*inputs, scale], f"{name}_scaled"), shift], name)
        elif isinstance(operation, operations.SignedSqrt):
            size = self._node("Sqrt", [self._node("Abs", inputs, f"{name}_abs")], f"{name}_root")
            self._node("Mul", [self._node("Sign", inputs, f"{name}_sign"), size], name)
        elif isinstance(operation, operations.Softmax):
            self._node("Softmax", inputs, name, axis=1)
        elif isinstance(operation, operations.Concat):
            self._node("Concat", inputs, name, axis=1)
        else:
            self._write_picture(operation, inputs, name)

    def _write_picture(self, operation: Operation, inputs: list[str], name: str) -> None:
        if isinstance(operation, pictures.Conv):
            weights = [self._constant(operation.weights), self._constant(operation.bias)]
            options = {
                "strides": list(operation.stride),
                "pads": [*operation.padding, *operation.padding],
                "dilations": list(operation.dilation),
            }
            self._node("Conv", inputs + weights, name, **options)
        elif isinstance(operation, pictures.DepthwiseConv):
            kernels = operation.weights[:, np.newaxis]  # (channels, 1, frames, bands)
            weights = [self._constant(kernels), self._constant(operation.bias)]
            options = {"strides": list(operation.stride), "pads": [*operation.padding, *operation.padding]}
            self._node("Conv", inputs + weights, name, group=len(kernels), **options)
        elif isinstance(operation, pictures.Scale):
            axes = self._constant(np.array([2, 3], np.int64))
            factors = self._node("Unsqueeze", [inputs[1], axes], f"{name}_factors")  # (N, channels, 1, 1)
            self._node("Mul", [inputs[0], factors], name)
        elif isinstance(operation, pictures.MaxPool):
            options = {"strides": list(operation.stride), "pads": [*operation.padding, *operation.padding]}
            self._node("MaxPool", inputs, name, kernel_shape=list(operation.size), **options)
        elif isinstance(operation, pictures.MeanPool):
            size = list(operation.size)
            self._node("AveragePool", inputs, name, kernel_shape=size, strides=size)
        elif isinstance(operation, pictures.GlobalMean):
            self._node("Flatten", [self._node("GlobalAveragePool", inputs, f"{name}_mean")], name)
        elif isinstance(operation, pictures.GlobalMax):
            self._node("Flatten", [self._node("GlobalMaxPool", inputs, f"{name}_max")], name)
        else:
            raise TypeError(f"{type(operation).__name__} has no counterpart in ONNX")

    def _constant(self, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, kind: str, inputs: list[str], output: str, **options: _Foreign) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **options))
        return output
