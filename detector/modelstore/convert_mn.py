"""EfficientAT's MobileNets ("mn04") from PyTorch weights to a graph, without PyTorch.

Channels, kernels, expansions and squeeze-excitations are read off the weights' shapes; strides and
activations, which have no weights, are those of MobileNetV3-Large. Batch normalisation is folded into the
convolutions. The graph: patch (frames, bands), as `audio.logmel` makes it, -> scores (labels,), with
embedding (channels,).
Sources: MobileNetV3 (Howard et al., 2019, arXiv:1905.02244), Table 1; EfficientAT (Schmid, Koutini, Widmer,
2023, arXiv:2211.04772).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.graphs.graph import Graph, Value
from detector.modelstore.torchfile import read_state_dict

HALVING_BLOCKS = (2, 4, 7, 13)
"""Blocks of stride 2, counted from 1."""
FIRST_HARD_SWISH = 7
"""This block and those after it use hard swish, those before it ReLU."""
BATCH_NORM_EPSILON = 1e-3
PATCH_SHIFT, PATCH_SCALE = 4.5, 5.0
"""What the network sees is (patch + shift) / scale."""


def weights_to_graph(content: bytes, *, frames: int, bands: int) -> Graph:
    """Return the network for patches of that shape; ModelError where the weights are of another kind."""
    reading = _Reading(read_state_dict(content), Graph((frames, bands)))
    try:
        reading.read()
    except KeyError as error:
        raise ModelError(f"the weights file lacks {error}: it is no network of the kind expected") from error
    except (ValueError, IndexError, TypeError) as error:
        raise ModelError("the weights file's tensors do not fit together") from error
    return reading.graph


class _Reading:
    """Walks the blocks in order, each operation added to `graph`."""

    def __init__(self, tensors: Mapping[str, NDArray[Any]], graph: Graph) -> None:
        self.graph = graph
        self._tensors = tensors

    def read(self) -> None:
        """Read everything."""
        graph = self.graph
        scale = np.array([1 / PATCH_SCALE])
        now = graph.affine(graph.input, scale, PATCH_SHIFT * scale)
        now = graph.hard_swish(self._convolution("features.0", now, stride=2))
        number = 1
        while f"features.{number}.block.0.0.weight" in self._tensors:
            now = self._block(number, now)
            number += 1
        now = graph.hard_swish(self._convolution(f"features.{number}", now))
        graph.embedding = now = graph.global_mean(now)
        now = graph.hard_swish(self._dense("classifier.2", now))
        graph.output = graph.sigmoid(self._dense("classifier.5", now))

    def _block(self, number: int, given: Value) -> Value:
        """Add an inverted residual: expand, depthwise, perhaps squeeze-excitation, project."""
        name = f"features.{number}.block"
        activation = self.graph.hard_swish if number >= FIRST_HARD_SWISH else self.graph.relu
        stride = 2 if number in HALVING_BLOCKS else 1
        now, part = given, 0
        if self._tensors[f"{name}.0.0.weight"].shape[2:] == (1, 1):
            now = activation(self._convolution(f"{name}.0", now))
            part = 1
        now = activation(self._depthwise(f"{name}.{part}", now, stride=stride))
        if f"{name}.{part + 1}.conc_se_layers.0.fc1.weight" in self._tensors:
            part += 1
            now = self._squeeze_excitation(f"{name}.{part}.conc_se_layers.0", now)
        now = self._convolution(f"{name}.{part + 1}", now)
        return self.graph.add(now, given) if now.shape == given.shape and stride == 1 else now

    def _squeeze_excitation(self, name: str, given: Value) -> Value:
        """Scale each channel by what the means of all channels say."""
        now = self.graph.relu(self._dense(f"{name}.fc1", self.graph.global_mean(given)))
        return self.graph.scale(given, self.graph.sigmoid(self._dense(f"{name}.fc2", now)))

    def _convolution(self, name: str, given: Value, *, stride: int = 1) -> Value:
        """Add a convolution with its batch normalisation folded in; no activation."""
        weights, bias = self._folded(name)
        before = weights.shape[-1] // 2
        return self.graph.conv(given, weights, bias, stride=(stride, stride), padding=(before, before))

    def _depthwise(self, name: str, given: Value, *, stride: int) -> Value:
        """The same, each channel for itself."""
        weights, bias = self._folded(name)
        before = weights.shape[-1] // 2
        return self.graph.depthwise_conv(
            given, weights[:, 0], bias, stride=(stride, stride), padding=(before, before)
        )

    def _folded(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights (out, in, kernel frames, kernel bands) and bias (out,) of a convolution with its norm."""
        norm = {
            part: self._tensors[f"{name}.1.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        }
        factor = norm["weight"] / np.sqrt(norm["running_var"] + BATCH_NORM_EPSILON)
        weights = self._tensors[f"{name}.0.weight"] * factor[:, np.newaxis, np.newaxis, np.newaxis]
        # PyTorch's network looks at (bands, frames).
        return weights.transpose(0, 1, 3, 2), norm["bias"] - norm["running_mean"] * factor

    def _dense(self, name: str, given: Value) -> Value:
        return self.graph.dense(given, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])
