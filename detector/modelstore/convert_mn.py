"""EfficientAT's MobileNets ("mn04") from PyTorch weights to ONNX, without PyTorch.

Channels, kernels, expansions and squeeze-excitations are read off the weights' shapes; strides and
activations, which have no weights, are those of MobileNetV3-Large. Batch normalisation is folded into the
convolutions. The graph: `patch` (N, frames, bands), as `audio.logmel` makes it, -> `scores` (N, labels)
and `embedding` (N, channels), any number of frames.
Sources: MobileNetV3 (Howard et al., 2019, arXiv:1905.02244), Table 1; EfficientAT (Schmid, Koutini, Widmer,
2023, arXiv:2211.04772); the ONNX operators at opset 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.modelstore.onnxgraph import OnnxGraph
from detector.modelstore.torchfile import read_state_dict

_Foreign: TypeAlias = Any
"""What ONNX's own package takes, which has no type information."""

OPSET = 14
"""The first with HardSwish."""

HALVING_BLOCKS = (2, 4, 7, 13)
"""Blocks of stride 2, counted from 1."""
FIRST_HARD_SWISH = 7
"""This block and those after it use hard swish, those before it ReLU."""
BATCH_NORM_EPSILON = 1e-3
PATCH_SHIFT, PATCH_SCALE = 4.5, 5.0
"""What the network sees is (patch + shift) / scale."""
BANDS = 128


def weights_to_onnx(content: bytes, bands: int = BANDS) -> bytes:
    """Return the network as an ONNX file; ModelError where the weights are not of this architecture."""
    converted = _Conversion(read_state_dict(content))
    try:
        converted.convert()
    except KeyError as error:
        raise ModelError(f"the weights file lacks {error}: it is no network of the kind expected") from error
    try:
        return converted.graph.packed(["frames", bands], opset=OPSET)
    except Exception as error:  # its exceptions share no other base
        raise ModelError("the weights file's tensors do not fit together") from error


class _Conversion:
    """Walks the blocks in order, each operator's ONNX node added to `graph`."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        self.graph = OnnxGraph()
        self._tensors = tensors

    def convert(self) -> None:
        """Convert everything."""
        shift = self.graph.constant("shift", np.float32(PATCH_SHIFT))
        scale = self.graph.constant("scale", np.float32(1 / PATCH_SCALE))
        now = self.graph.node("Add", ["patch", shift], "shifted")
        now = self.graph.node("Mul", [now, scale], "scaled")
        now = self.graph.node("Transpose", [now], "turned", perm=[0, 2, 1])  # (N, bands, frames)
        now = self.graph.node(
            "Unsqueeze", [now, self.graph.constant("axis", np.array([1], np.int64))], "picture"
        )
        now = self.graph.node("HardSwish", [self._convolution("features.0", now, stride=2)], "features.0")
        number = 1
        while f"features.{number}.block.0.0.weight" in self._tensors:
            now = self._block(number, now)
            number += 1
        now = self.graph.node(
            "HardSwish", [self._convolution(f"features.{number}", now)], f"features.{number}"
        )
        now = self.graph.node("Flatten", [self.graph.node("GlobalAveragePool", [now], "mean")], "embedding")
        self.graph.embedding = len(self._tensors[f"features.{number}.1.weight"])
        now = self.graph.node("HardSwish", [self._dense("classifier.2", now)], "hidden")
        now = self._dense("classifier.5", now)
        self.graph.labels = len(self._tensors["classifier.5.bias"])
        self.graph.node("Sigmoid", [now], "scores")

    def _block(self, number: int, given: str) -> str:
        """Add an inverted residual: expand, depthwise, perhaps squeeze-excitation, project."""
        name = f"features.{number}.block"
        activation = "HardSwish" if number >= FIRST_HARD_SWISH else "Relu"
        stride = 2 if number in HALVING_BLOCKS else 1
        expands = self._tensors[f"{name}.0.0.weight"].shape[2:] == (1, 1)
        now, part = given, 0
        if expands:
            now = self.graph.node(activation, [self._convolution(f"{name}.0", now)], f"{name}.0")
            part = 1
        now = self._convolution(f"{name}.{part}", now, stride=stride, depthwise=True)
        now = self.graph.node(activation, [now], f"{name}.{part}")
        if f"{name}.{part + 1}.conc_se_layers.0.fc1.weight" in self._tensors:
            part += 1
            now = self._squeeze_excitation(f"{name}.{part}.conc_se_layers.0", now)
        now = self._convolution(f"{name}.{part + 1}", now)
        takes = self._tensors[f"{name}.0.0.weight"].shape[1 if expands else 0]
        gives = len(self._tensors[f"{name}.{part + 1}.0.weight"])
        return self.graph.node("Add", [now, given], name) if stride == 1 and takes == gives else now

    def _squeeze_excitation(self, name: str, given: str) -> str:
        """Scale each channel by what the means of all channels say."""
        now = self.graph.node("GlobalAveragePool", [given], f"{name}.mean")
        for layer, activation in (("fc1", "Relu"), ("fc2", "Sigmoid")):
            weights = self._tensors[f"{name}.{layer}.weight"][:, :, np.newaxis, np.newaxis]
            inputs = [
                now,
                self.graph.constant(f"{name}.{layer}.w", weights),
                self.graph.constant(f"{name}.{layer}.b", self._tensors[f"{name}.{layer}.bias"]),
            ]
            now = self.graph.node(
                activation, [self.graph.node("Conv", inputs, f"{name}.{layer}.z")], f"{name}.{layer}"
            )
        return self.graph.node("Mul", [given, now], name)

    def _convolution(self, name: str, given: str, *, stride: int = 1, depthwise: bool = False) -> str:
        """Add a convolution with its batch normalisation folded in; no activation."""
        norm = {
            part: self._tensors[f"{name}.1.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        }
        weights = self._tensors[f"{name}.0.weight"]
        factor = norm["weight"] / np.sqrt(norm["running_var"] + BATCH_NORM_EPSILON)
        bias = norm["bias"] - norm["running_mean"] * factor
        folded = weights * factor[:, np.newaxis, np.newaxis, np.newaxis]
        inputs = [given, self.graph.constant(f"{name}.w", folded), self.graph.constant(f"{name}.b", bias)]
        before = weights.shape[-1] // 2
        return self.graph.node(
            "Conv",
            inputs,
            f"{name}.z",
            strides=[stride, stride],
            pads=[before] * 4,
            group=len(weights) if depthwise else 1,
        )

    def _dense(self, name: str, given: str) -> str:
        inputs = [
            given,
            self.graph.constant(f"{name}.w", self._tensors[f"{name}.weight"]),
            self.graph.constant(f"{name}.b", self._tensors[f"{name}.bias"]),
        ]
        return self.graph.node("Gemm", inputs, f"{name}.z", transB=1)
