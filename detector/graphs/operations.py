"""What every trained network is made of: each operation, its shape rule and its arithmetic in plain numpy.

Shapes here are of one example: a vector (features,) or a picture (channels, frames, bands); `run` takes and
returns a batch of them, (n, *shape), float64. Every operation has a counterpart in ONNX (opset 13) and in the
TFLite runtimes since 2.14, written by `onnx_file` and `tflite_file`; these are the numbers they must give.
`pictures` has the operations of convolutional networks.
Sources: the ONNX operators (onnx.ai/onnx/operators), the TFLite schema (tensorflow/lite/schema/schema.fbs).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = NDArray[np.float32]
Shape: TypeAlias = tuple[int, ...]


class Operation(ABC):
    """One step of a graph."""

    def shape(self, *given: Shape) -> Shape:
        """Tell the shape of what comes out; ValueError where such inputs cannot be taken."""
        (only,) = given
        return only

    @abstractmethod
    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Dense(Operation):
    """Weights times vector, plus bias."""

    weights: Weights
    """Shape (out, in)."""
    bias: Weights
    """Shape (out,)."""

    def shape(self, *given: Shape) -> Shape:
        """One value for each row of the weights."""
        out, features = self.weights.shape
        want(given[0] == (features,) and self.bias.shape == (out,), self, *given)
        return (out,)

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        return given[0] @ self.weights.T.astype(np.float64) + self.bias


@dataclass(frozen=True, slots=True, eq=False)
class Affine(Operation):
    """Each feature of a vector, or channel of a picture, times its scale, plus its shift."""

    scale: Weights
    """Shape (features,) or (channels,)."""
    shift: Weights
    """The same shape."""

    def shape(self, *given: Shape) -> Shape:
        """As given."""
        want(self.scale.shape == self.shift.shape == given[0][:1], self, *given)
        return given[0]

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        along = (1, -1) + (1,) * (given[0].ndim - 2)
        return given[0] * self.scale.reshape(along) + self.shift.reshape(along)


@dataclass(frozen=True, slots=True)
class Relu(Operation):
    """Nothing below zero."""

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        return np.maximum(given[0], 0.0)


@dataclass(frozen=True, slots=True)
class HardSwish(Operation):
    """Each value times itself / 6 + 0.5, which is held to 0..1 (MobileNetV3, arXiv:1905.02244)."""

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        swished: Numbers = given[0] * np.clip(given[0] / 6 + 0.5, 0, 1)
        return swished


@dataclass(frozen=True, slots=True)
class SignedSqrt(Operation):
    """The square root of each value's size, with the value's sign."""

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        root: Numbers = np.sign(given[0]) * np.sqrt(np.abs(given[0]))
        return root


@dataclass(frozen=True, slots=True)
class Sigmoid(Operation):
    """Log-odds to scores, each for itself."""

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        scores: Numbers = 0.5 + 0.5 * np.tanh(0.5 * given[0])  # without overflow at either end
        return scores


@dataclass(frozen=True, slots=True)
class Softmax(Operation):
    """Scores that add up to one, over a vector."""

    def shape(self, *given: Shape) -> Shape:
        """As given."""
        want(len(given[0]) == 1, self, *given)
        return given[0]

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        raised = np.exp(given[0] - given[0].max(axis=1, keepdims=True))
        scores: Numbers = raised / raised.sum(axis=1, keepdims=True)
        return scores


@dataclass(frozen=True, slots=True)
class Add(Operation):
    """Two of one shape, added up."""

    def shape(self, *given: Shape) -> Shape:
        """As given."""
        want(len(given) == 2 and given[0] == given[1], self, *given)
        return given[0]

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        return given[0] + given[1]


@dataclass(frozen=True, slots=True)
class Concat(Operation):
    """Features or channels of several, one after another."""

    def shape(self, *given: Shape) -> Shape:
        """All features or channels."""
        want(len(given) > 0 and len({shape[1:] for shape in given}) == 1, self, *given)
        return (sum(shape[0] for shape in given), *given[0][1:])

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        return np.concatenate(given, axis=1)


def want(fits: bool, operation: Operation, *given: Shape) -> None:
    """Raise ValueError where an operation cannot take such shapes."""
    if not fits:
        shapes = ", ".join(map(str, given))
        raise ValueError(f"{type(operation).__name__} cannot take {shapes or 'nothing'}")
