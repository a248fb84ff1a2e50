"""A graph as a TFLite file.

Input `embedding` (1, features) or `patch` (1, frames, bands, 1), output `scores` (1, classes), all float32.
Pictures lie as (1, frames, bands, channels) there. Padding is an operator of its own, since TFLite's own
padding is not symmetric where a stride leaves an odd cell. Only operators that the last tflite-runtime, 2.14,
has. The flatbuffer is written with the classes that ship in ai-edge-litert.
Source: the TFLite schema (tensorflow/lite/schema/schema.fbs).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.training import operations, pictures
from detector.training.flatbuffer import Flatbuffer
from detector.training.graph import Graph, Node
from detector.training.operations import Operation, Shape
from detector.training.pictures import Pair

SIMPLE: dict[type[Operation], tuple[str, str | None]] = {
    operations.Relu: ("RELU", None),
    operations.Sigmoid: ("LOGISTIC", None),
    operations.Add: ("ADD", "Add"),
}
"""Operations that are one of TFLite's: its name, and that of its table of options."""

LOWEST = float(np.finfo(np.float32).min)
"""Stands outside a picture where the greatest value is looked for."""


def to_tflite(graph: Graph) -> bytes:
    """Return the file; ModelError where ai-edge-litert is missing."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise ModelError("ai-edge-litert is not here; install it (pip install ai-edge-litert)") from error
    file = Flatbuffer(schema)
    given = file.tensor(_laid_out(graph.input.shape), "embedding" if len(graph.shape) == 1 else "patch")
    numbers = {0: given}
    for node in graph.nodes:
        name = "scores" if node.output == graph.output else f"v{node.output.number}"
        inputs = [numbers[value.number] for value in node.inputs]
        output = file.tensor(_laid_out(node.output.shape), name)
        numbers[node.output.number] = output
        if any(len(value.shape) == 3 for value in node.inputs) and _is_of_pictures(node.operation):
            _write_picture(file, node, inputs, output)
        else:
            _write(file, node.operation, inputs, output)
    return file.pack(given, numbers[graph.output.number])


def _laid_out(shape: Shape) -> Shape:
    """TFLite's shape of one example: a batch of one, channels last."""
    return (1, *shape) if len(shape) == 1 else (1, shape[1], shape[2], shape[0])


def _is_of_pictures(operation: Operation) -> bool:
    return type(operation).__module__ == pictures.__name__


def _write(file: Flatbuffer, operation: Operation, inputs: list[int], output: int) -> None:
    if simple := SIMPLE.get(type(operation)):
        kind, options = simple
        file.operator(kind, inputs, output, options)
    elif isinstance(operation, operations.Dense):
        weights = [file.constant(operation.weights), file.constant(operation.bias)]
        file.operator("FULLY_CONNECTED", inputs + weights, output, "FullyConnected")
    elif isinstance(operation, operations.Affine):
        scaled = file.tensor(file.shape(output), "scaled")
        file.operator("MUL", [*inputs, file.constant(operation.scale)], scaled, "Mul")
        file.operator("ADD", [scaled, file.constant(operation.shift)], output, "Add")
    elif isinstance(operation, operations.SignedSqrt):
        _write_signed_sqrt(file, inputs[0], output)
    elif isinstance(operation, operations.Softmax):
        file.operator("SOFTMAX", inputs, output, "Softmax", beta=1.0)
    elif isinstance(operation, operations.Concat):
        file.operator("CONCATENATION", inputs, output, "Concatenation", axis=-1)
    else:
        raise TypeError(f"{type(operation).__name__} has no counterpart in TFLite")


def _write_signed_sqrt(file: Flatbuffer, given: int, output: int) -> None:
    """Write sqrt(relu(x)) - sqrt(relu(-x)): older runtimes have no operator for the sign."""

    def step(kind: str, before: int, options: str | None = None) -> int:
        after = file.tensor(file.shape(output), kind.lower())
        file.operator(kind, [before], after, options)
        return after

    above = step("SQRT", step("RELU", given))
    below = step("SQRT", step("RELU", step("NEG", given, "Neg")))
    file.operator("SUB", [above, below], output, "Sub")


def _write_picture(file: Flatbuffer, node: Node, inputs: list[int], output: int) -> None:
    operation, (given,) = node.operation, inputs
    valid = file.schema.Padding.VALID
    if isinstance(operation, pictures.Conv):
        given = _padded(file, given, operation.padding, None)
        weights: NDArray[Any] = operation.weights.transpose(0, 2, 3, 1)  # (out, frames, bands, in)
        constants = [file.constant(weights), file.constant(operation.bias)]
        options = {
            "padding": valid,
            "strideH": operation.stride[0],
            "strideW": operation.stride[1],
            "dilationHFactor": operation.dilation[0],
            "dilationWFactor": operation.dilation[1],
        }
        file.operator("CONV_2D", [given, *constants], output, "Conv2D", **options)
    elif isinstance(operation, pictures.MaxPool):
        given = _padded(file, given, operation.padding, LOWEST)
        options = _pool_options(operation.size, operation.stride, valid)
        file.operator("MAX_POOL_2D", [given], output, "Pool2D", **options)
    elif isinstance(operation, pictures.MeanPool):
        options = _pool_options(operation.size, operation.size, valid)
        file.operator("AVERAGE_POOL_2D", [given], output, "Pool2D", **options)
    elif isinstance(operation, pictures.GlobalMean | pictures.GlobalMax):
        kind = "MEAN" if isinstance(operation, pictures.GlobalMean) else "REDUCE_MAX"
        axes = file.constant(np.array([1, 2], np.int32))
        file.operator(kind, [given, axes], output, "Reducer", keepDims=False)


def _pool_options(size: Pair, stride: Pair, padding: int) -> dict[str, int]:
    return {
        "padding": padding,
        "filterHeight": size[0],
        "filterWidth": size[1],
        "strideH": stride[0],
        "strideW": stride[1],
    }


def _padded(file: Flatbuffer, given: int, padding: Pair, outside: float | None) -> int:
    """Put cells round a picture: zeros, or another value."""
    if not any(padding):
        return given
    _, frames, bands, channels = file.shape(given)
    shape = (1, frames + 2 * padding[0], bands + 2 * padding[1], channels)
    padded = file.tensor(shape, "padded")
    sides = file.constant(np.array([[0, 0], [padding[0]] * 2, [padding[1]] * 2, [0, 0]], np.int32))
    if outside is None:
        file.operator("PAD", [given, sides], padded, "Pad")
    else:
        value = file.constant(np.array([outside], np.float32))
        file.operator("PADV2", [given, sides, value], padded, "PadV2")
    return padded
