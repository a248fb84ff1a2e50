"""A graph as a TFLite file.

Input `embedding` (1, features) or `patch` (1, frames, bands, 1), output `scores` (1, classes) and, where the
graph has one, `embedding` (1, features); all float32. Pictures lie as (1, frames, bands, channels) there.
TFLite's own padding is not symmetric where a stride leaves an odd cell: there, padding is an operator of its
own. Only operators that the last tflite-runtime, 2.14, has. The flatbuffer is written with the classes that
ship in ai-edge-litert.
Source: the TFLite schema (tensorflow/lite/schema/schema.fbs).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.graphs import operations, pictures
from detector.graphs.flatbuffer import Flatbuffer
from detector.graphs.graph import Graph, Node
from detector.graphs.operations import Operation, Shape
from detector.graphs.pictures import Pair

SIMPLE: dict[type[Operation], tuple[str, str | None]] = {
    operations.Relu: ("RELU", None),
    operations.HardSwish: ("HARD_SWISH", None),
    operations.Sigmoid: ("LOGISTIC", None),
    operations.Add: ("ADD", "Add"),
}
"""Operations that are one of TFLite's: its name, and that of its table of options."""

LOWEST = float(np.finfo(np.float32).min)
"""Stands outside a picture where the greatest value is looked for."""


def to_tflite(graph: Graph, *, halves: bool = False) -> bytes:
    """Return the file, with `halves` large weights in 16 bits; ModelError where ai-edge-litert is missing."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise ModelError("ai-edge-litert is not here; install it (pip install ai-edge-litert)") from error
    file = Flatbuffer(schema, halves=halves)
    given = file.tensor(_laid_out(graph.input.shape), "embedding" if len(graph.shape) == 1 else "patch")
    numbers = {0: given}
    outputs = {graph.output.number: "scores"}
    if graph.embedding is not None:
        outputs[graph.embedding.number] = "embedding"
    for node in graph.nodes:
        number = node.output.number
        inputs = [numbers[value.number] for value in node.inputs]
        shape = _laid_out(node.output.shape)
        if number in outputs:
            output = file.output(shape, outputs[number])
        else:
            output = file.tensor(shape, f"v{number}")
        numbers[number] = output
        if _is_of_pictures(node.operation):
            _write_picture(file, node, inputs, output)
        else:
            _write(file, node.operation, inputs, output)
    return file.pack(given, [numbers[number] for number in outputs])


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
    operation, given = node.operation, inputs[0]
    valid = file.schema.Padding.VALID
    if isinstance(operation, pictures.Conv | pictures.DepthwiseConv):
        _write_convolution(file, operation, given, output)
    elif isinstance(operation, pictures.Scale):
        file.operator("MUL", inputs, output, "Mul")  # (1, channels) fits the last axis of a picture
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


def _write_convolution(
    file: Flatbuffer, operation: pictures.Conv | pictures.DepthwiseConv, given: int, output: int
) -> None:
    padding = file.schema.Padding.SAME
    if not _pads_alike(operation, file.shape(given)):
        given, padding = _padded(file, given, operation.padding, None), file.schema.Padding.VALID
    options = {"padding": padding, "strideH": operation.stride[0], "strideW": operation.stride[1]}
    if isinstance(operation, pictures.Conv):
        kind, table = "CONV_2D", "Conv2D"
        weights: NDArray[Any] = operation.weights.transpose(0, 2, 3, 1)  # (out, frames, bands, in)
        options |= {"dilationHFactor": operation.dilation[0], "dilationWFactor": operation.dilation[1]}
    else:
        kind, table = "DEPTHWISE_CONV_2D", "DepthwiseConv2D"
        weights = operation.weights.transpose(1, 2, 0)[np.newaxis]  # (1, frames, bands, channels)
        options |= {"depthMultiplier": 1}
    file.operator(
        kind, [given, file.constant(weights), file.constant(operation.bias)], output, table, **options
    )


def _pads_alike(operation: pictures.Conv | pictures.DepthwiseConv, shape: Shape) -> bool:
    """Whether TFLite's own padding, ceil(cells / stride) outputs, puts as many zeros on either side."""
    total = [
        max(0, (-(-cells // stride) - 1) * stride + reach - cells)
        for cells, stride, reach in zip(shape[1:3], operation.stride, operation.reach, strict=True)
    ]
    return total == [2 * zeros for zeros in operation.padding]


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
