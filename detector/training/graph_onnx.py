"""A graph as an ONNX file.

Input `embedding` (N, features) or `patch` (N, frames, bands), output `scores` (N, classes), all float32; the
batch may have any length. Needs the `onnx` package.
Source: the ONNX operators at opset 13 (onnx.ai/onnx/operators).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector import __version__
from detector.errors import ModelError
from detector.training import operations, pictures
from detector.training.graph import Graph, Node
from detector.training.operations import Operation

_Foreign: TypeAlias = Any
"""What ONNX's own package takes, which has no type information."""

OPSET, IR_VERSION = 13, 8
"""Old enough for every onnxruntime that runs on Python 3.11."""

SIMPLE: dict[type[Operation], str] = {
    operations.Relu: "Relu",
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
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", *graph.output.shape])
    built = helper.make_model(
        helper.make_graph(writer.nodes, "network", [given], [scores], writer.weights),
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
        for node in graph.nodes:
            name = "scores" if node.output == graph.output else f"v{node.output.number}"
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
