"""TFLite to ONNX for networks of YAMNet's kind, without TensorFlow: read the flatbuffer, build the graph.

Taken over: the operators from the first convolution on (CONV_2D, DEPTHWISE_CONV_2D, MEAN over the picture,
FULLY_CONNECTED, LOGISTIC), their weights dequantised to float32. What stands before is the front end, which
`audio.logmel` does here. The graph: `patch` (N, frames, bands) -> `scores` (N, labels) and `embedding`.
Sources: the TFLite schema (tensorflow/lite/schema/schema.fbs), the ONNX operators at opset 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.backends.bundle import Bundle, FileKind
from detector.errors import ModelError
from detector.graphs.onnx_builder import OnnxBuilder
from detector.graphs.onnx_file import to_onnx
from detector.graphs.tflite_file import to_tflite
from detector.modelstore.convert_mn import weights_to_graph

_Foreign: TypeAlias = Any
"""Objects of the flatbuffer's and ONNX's own packages, which have no type information."""

OPSET = 13
"""Old enough for every onnxruntime that runs on Python 3.11."""


_NEEDED: dict[tuple[FileKind, FileKind], tuple[str, ...]] = {
    ("tflite", "onnx"): ("onnx", "ai_edge_litert"),
    ("torch", "onnx"): ("onnx",),
    ("torch", "tflite"): ("ai_edge_litert",),
}
"""What a file is built from, and which -> the modules that this takes."""


def missing_package(origin: FileKind, kind: FileKind) -> str | None:
    """Name the module that building such a file from such another lacks here, or None."""
    return next((name for name in _NEEDED[origin, kind] if find_spec(name) is None), None)


def build(bundle: Bundle, kind: FileKind, content: bytes) -> bytes:
    """Return a derived file of a bundle from the bytes of its origin; ModelError where that cannot be."""
    if bundle.files[kind].derived_from == "tflite":
        return tflite_to_onnx(content)
    front_end = bundle.front_end
    if front_end is None:
        raise ModelError(f"model {bundle.spec.name}: weights need a `front_end` to be built into a network")
    graph = weights_to_graph(content, frames=front_end.frames(bundle.spec.window), bands=front_end.bands)
    return to_tflite(graph, halves=True) if kind == "tflite" else to_onnx(graph)


def tflite_to_onnx(content: bytes) -> bytes:
    """Return the network as an ONNX file; ModelError where it holds something else than named above."""
    from ai_edge_litert import schema_py_generated as schema

    converted = _Conversion(schema, schema.ModelT.InitFromPackedBuf(content, 0))
    patch = converted.convert()
    outputs = [("scores", [converted.labels]), ("embedding", [converted.features])]
    return converted.builder.packed(("patch", patch), outputs, opset=OPSET)


class _Conversion:
    """Walks the operators in order, each one's ONNX node added to `graph`."""

    def __init__(self, schema: _Foreign, model: _Foreign) -> None:
        self.builder = OnnxBuilder()
        self.labels = 0
        """Length of `scores`, once converted."""
        self.features = 0
        """Length of `embedding`, once converted."""
        self._schema = schema
        self._model = model
        self._tensors = model.subgraphs[0].tensors
        self._codes = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}

    def convert(self) -> tuple[int, int]:
        """Convert everything; return the patch's frames and bands."""
        operators = self._model.subgraphs[0].operators
        names = [self._name(operator) for operator in operators]
        if "CONV_2D" not in names:
            raise ModelError("the TFLite file holds no convolution: it is no network of the kind expected")
        first = names.index("CONV_2D")
        _, frames, bands, _ = self._tensors[operators[first].inputs[0]].shape
        now = self.builder.constant(np.array([1], np.int64), "unsqueeze_axes")
        now = self.builder.node("Unsqueeze", ["patch", now], "picture")  # (N, 1, frames, bands)
        for number, (operator, name) in enumerate(zip(operators[first:], names[first:], strict=True)):
            now = self._operator(number, operator, name, now)
        return int(frames), int(bands)

    def _operator(self, number: int, operator: _Foreign, name: str, now: str) -> str:
        if name in {"CONV_2D", "DEPTHWISE_CONV_2D"}:
            return self._convolution(number, operator, now, depthwise=name == "DEPTHWISE_CONV_2D")
        if name == "MEAN":
            self.features = int(self._tensors[operator.outputs[0]].shape[-1])
            return self.builder.node(
                "Flatten", [self.builder.node("GlobalAveragePool", [now], "mean")], "embedding"
            )
        if name == "FULLY_CONNECTED":
            weights, bias = (self._values(index) for index in operator.inputs[1:3])
            self.labels = len(weights)
            inputs = [now, self.builder.constant(weights, "dense_w"), self.builder.constant(bias, "dense_b")]
            return self.builder.node("Gemm", inputs, "logits", transB=1)
        if name == "LOGISTIC":
            return self.builder.node("Sigmoid", [now], "scores")
        if name == "DEQUANTIZE":
            return now
        raise ModelError(f"the TFLite file holds {name}, which cannot be converted to ONNX")

    def _convolution(self, number: int, operator: _Foreign, now: str, *, depthwise: bool) -> str:
        weights, bias = (self._values(index) for index in operator.inputs[1:3])
        # (1, height, width, C) -> (C, 1, height, width); (out, height, width, in) -> (out, in, height, width)
        weights = weights.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
        options = operator.builtinOptions
        strides = [options.strideH, options.strideW]
        sizes = [int(size) for size in self._tensors[operator.inputs[0]].shape[1:3]]
        inputs = [
            now,
            self.builder.constant(weights, f"w{number}"),
            self.builder.constant(bias, f"b{number}"),
        ]
        now = self.builder.node(
            "Conv",
            inputs,
            f"conv{number}",
            strides=strides,
            pads=self._pads(options.padding, sizes, weights.shape[2:], strides),
            group=len(weights) if depthwise else 1,
        )
        activation = options.fusedActivationFunction
        if activation == self._schema.ActivationFunctionType.NONE:
            return now
        now = self.builder.node("Relu", [now], f"relu{number}")
        if activation == self._schema.ActivationFunctionType.RELU6:
            six = self.builder.constant(np.float32(6.0), f"six{number}")
            return self.builder.node("Min", [now, six], f"relu6_{number}")
        if activation != self._schema.ActivationFunctionType.RELU:
            raise ModelError(
                f"the TFLite file holds activation {activation}, which cannot be converted to ONNX"
            )
        return now

    def _pads(self, padding: int, sizes: list[int], kernel: Sequence[int], strides: list[int]) -> list[int]:
        """TensorFlow's SAME: as many outputs as ceil(size / stride), the odd cell of padding at the end."""
        if padding == self._schema.Padding.VALID:
            return [0, 0, 0, 0]
        total = [
            max(0, (-(-size // stride) - 1) * stride + cells - size)
            for size, cells, stride in zip(sizes, kernel, strides, strict=True)
        ]
        return [cells // 2 for cells in total] + [cells - cells // 2 for cells in total]

    def _values(self, index: int) -> NDArray[np.float32]:
        """Return a constant tensor, dequantised: scale * (stored - zero point), by channel or for all."""
        tensor = self._tensors[index]
        types = {
            self._schema.TensorType.FLOAT32: np.float32,
            self._schema.TensorType.INT8: np.int8,
            self._schema.TensorType.INT32: np.int32,
        }
        raw = self._model.buffers[tensor.buffer].data
        if tensor.type not in types or raw is None:
            raise ModelError("the TFLite file holds weights of a kind that cannot be converted to ONNX")
        stored = np.frombuffer(bytes(raw), dtype=types[tensor.type]).reshape(tensor.shape)
        quantization = tensor.quantization
        if quantization is None or quantization.scale is None or stored.dtype == np.float32:
            return stored.astype(np.float32)
        shape = [1] * stored.ndim
        if len(quantization.scale) > 1:
            shape[quantization.quantizedDimension] = len(quantization.scale)
        scale = np.asarray(quantization.scale, np.float64).reshape(shape)
        zero = np.asarray(quantization.zeroPoint, np.int64).reshape(shape)
        return ((stored.astype(np.int64) - zero) * scale).astype(np.float32)

    def _name(self, operator: _Foreign) -> str:
        code = self._model.operatorCodes[operator.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        return str(self._codes.get(builtin, f"operator {builtin}"))
