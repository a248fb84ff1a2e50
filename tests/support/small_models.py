"""Networks of a few weights and bundles around them, so that tests of models need no real one."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

LABELS = ("Dog", "Rain", "Silence", "Clock tick")
WINDOW = 4
"""Samples the small network takes: each one's logistic is the score of the label at its place."""

LABELS_CSV = """index,mid,display_name,background
0,/m/dog,Dog,0
1,/m/rain,Rain,0
2,/m/silence,Silence,1
3,/m/tick,Clock tick,0
"""

MODEL_YAML = """name: {name}
description: a network of four logistics
licence: MIT
attribution: nobody
sample_rate: 16000
window: 4
labels: labels.csv
files:
  tflite:
    name: small.tflite
    input: waveform
    size: {size}
    sha256: {sha256}
    sources: [{sources}]
"""


def write_bundle(folder: Path, content: bytes, sources: str = "", name: str = "small") -> Path:
    """Make a bundle whose TFLite file is `content`; the file itself is not put there."""
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256(content).hexdigest()
    text = MODEL_YAML.format(name=name, size=len(content), sha256=sha256, sources=sources)
    (folder / "model.yaml").write_text(text)
    (folder / "labels.csv").write_text(LABELS_CSV)
    return folder


def logistic_tflite(shape: tuple[int, ...] = (WINDOW,)) -> bytes:
    """A TFLite file: the logistic of each input value."""
    network = Network()
    given = network.tensor("values", shape)
    result = network.tensor("scores", shape)
    network.operator("LOGISTIC", [given], [result])
    return network.packed([given], [result])


def convolutional_tflite(frames: int, bands: int, labels: int, seed: int = 0) -> bytes:
    """A TFLite file in the manner of YAMNet, with every feature that conversion must get right.

    An even and an odd side under SAME padding with stride 2, a depthwise convolution, RELU6 that clips.
    """
    rng = np.random.default_rng(seed)
    network = Network()
    schema = network.schema
    same, relu6 = schema.Padding.SAME, schema.ActivationFunctionType.RELU6

    def weights(*shape: int, scale: float = 1.0) -> int:
        return network.tensor("w", shape, (scale * rng.standard_normal(shape)).astype(np.float32))

    patch = network.tensor("patch", (1, frames, bands, 1))
    height, width = -(-frames // 2), -(-bands // 2)
    first = network.tensor("first", (1, height, width, 3))
    options = network.options(
        "Conv2D", padding=same, strideH=2, strideW=2, fusedActivationFunction=relu6, dilationHFactor=1
    )
    options.dilationWFactor = 1
    network.operator("CONV_2D", [patch, weights(3, 3, 3, 1, scale=3.0), weights(3)], [first], options)
    second = network.tensor("second", (1, height, width, 3))
    options = network.options(
        "DepthwiseConv2D", padding=same, strideH=1, strideW=1, depthMultiplier=1, dilationHFactor=1
    )
    options.dilationWFactor, options.fusedActivationFunction = 1, relu6
    network.operator("DEPTHWISE_CONV_2D", [first, weights(1, 3, 3, 3), weights(3)], [second], options)
    mean = network.tensor("mean", (1, 3))
    axes = network.tensor("axes", (2,), np.array([1, 2], np.int32))
    network.operator("MEAN", [second, axes], [mean], network.options("Reducer", keepDims=False))
    logits = network.tensor("logits", (1, labels))
    dense = network.options("FullyConnected")
    network.operator("FULLY_CONNECTED", [mean, weights(labels, 3), weights(labels)], [logits], dense)
    scores = network.tensor("scores", (1, labels))
    network.operator("LOGISTIC", [logits], [scores])
    return network.packed([patch], [scores])


class Network:
    """A TFLite graph put together tensor by tensor."""

    def __init__(self) -> None:
        self.schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
        self.graph = self.schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model = self.schema.ModelT()
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.operatorCodes, self.model.buffers = [], [self.schema.BufferT()]

    def tensor(self, name: str, shape: tuple[int, ...], values: np.ndarray | None = None) -> int:
        """Add a tensor, constant where it has values; return its index."""
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), 0
        tensor.type = self.schema.TensorType.FLOAT32
        if values is not None:
            tensor.type = getattr(self.schema.TensorType, values.dtype.name.upper())
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def options(self, kind: str, **fields: object) -> Any:
        """Make the options of an operator; `kind` is the table's name without `Options`."""
        options = getattr(self.schema, f"{kind}OptionsT")()
        for key, value in fields.items():
            setattr(options, key, value)
        return options

    def operator(self, name: str, inputs: list[int], outputs: list[int], options: object = None) -> None:
        """Add an operator."""
        code = self.schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(self.schema.BuiltinOperator, name)
        code.version = 1
        self.model.operatorCodes.append(code)
        operator = self.schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, outputs
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.graph.operators.append(operator)

    def packed(self, inputs: list[int], outputs: list[int]) -> bytes:
        """Return the file."""
        import flatbuffers

        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


class Checkpoint:
    """A PyTorch checkpoint of plain tensors, written without PyTorch."""

    def __init__(
        self, tensors: Mapping[str, np.ndarray], *, strides: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        self.tensors = tensors
        self.strides = strides or {}

    def packed(self) -> bytes:
        """Return the file: protocol 2, in which every part of a tensor's record is spelled out."""
        pickled = bytearray(b"\x80\x02(")
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for number, (name, tensor) in enumerate(self.tensors.items()):
                archive.writestr(f"small/data/{number}", tensor.tobytes())
                plain = tuple(stride // tensor.itemsize for stride in tensor.strides)
                storage = "LongStorage" if tensor.dtype == np.int64 else "FloatStorage"
                pickled += _text(name)
                pickled += b"ctorch._utils\n_rebuild_tensor_v2\n("
                pickled += b"(" + _text("storage") + f"ctorch\n{storage}\n".encode() + _text(str(number))
                pickled += _text("cpu") + _number(tensor.size) + b"tQ" + _number(0)
                pickled += _numbers(tensor.shape) + _numbers(self.strides.get(name, plain))
                pickled += b"\x89ccollections\nOrderedDict\n)RtR"
            archive.writestr("small/data.pkl", bytes(pickled) + b"d.")
        return file.getvalue()


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _number(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def _numbers(numbers: Iterable[int]) -> bytes:
    return b"(" + b"".join(map(_number, numbers)) + b"t"


def mobilenet_weights(labels: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights in the manner of EfficientAT: a plain block, then one that expands, halves and squeezes."""
    rng = np.random.default_rng(seed)
    tensors: dict[str, np.ndarray] = {}

    def dense(name: str, *shape: int) -> None:
        tensors[f"{name}.weight"] = rng.standard_normal(shape).astype(np.float32)
        tensors[f"{name}.bias"] = rng.standard_normal(shape[0]).astype(np.float32)

    def convolution(name: str, *shape: int) -> None:
        tensors[f"{name}.0.weight"] = rng.standard_normal(shape).astype(np.float32)
        for part in ("weight", "bias", "running_mean"):
            tensors[f"{name}.1.{part}"] = rng.standard_normal(shape[0]).astype(np.float32)
        tensors[f"{name}.1.running_var"] = rng.uniform(0.5, 2.0, shape[0]).astype(np.float32)

    convolution("features.0", 2, 1, 3, 3)
    convolution("features.1.block.0", 2, 1, 3, 3)
    convolution("features.1.block.1", 2, 2, 1, 1)
    convolution("features.2.block.0", 4, 2, 1, 1)
    convolution("features.2.block.1", 4, 1, 5, 5)
    dense("features.2.block.2.conc_se_layers.0.fc1", 3, 4)
    dense("features.2.block.2.conc_se_layers.0.fc2", 4, 3)
    convolution("features.2.block.3", 2, 4, 1, 1)
    convolution("features.3", 5, 2, 1, 1)
    dense("classifier.2", 4, 5)
    dense("classifier.5", labels, 4)
    return tensors
