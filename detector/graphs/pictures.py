"""The operations of convolutional networks: what slides over a picture (channels, frames, bands).

As in `operations`: `shape` of one example, `run` on a batch (n, channels, frames, bands), float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detector.graphs.operations import Numbers, Operation, Shape, Weights, want

Pair: TypeAlias = tuple[int, int]
"""Along frames, along bands."""


@dataclass(frozen=True, slots=True, eq=False)
class Conv(Operation):
    """Two-dimensional convolution as networks mean it (the kernel is not turned round)."""

    weights: Weights
    """Shape (out, in, kernel frames, kernel bands)."""
    bias: Weights
    """Shape (out,)."""
    stride: Pair
    padding: Pair
    """Zeros on either side."""
    dilation: Pair

    @property
    def reach(self) -> Pair:
        """Cells that the kernel spans."""
        frames, bands = self.weights.shape[2:]
        return (frames - 1) * self.dilation[0] + 1, (bands - 1) * self.dilation[1] + 1

    def shape(self, *given: Shape) -> Shape:
        """As many channels as the weights have rows."""
        out, channels = self.weights.shape[:2]
        want(len(given[0]) == 3 and given[0][0] == channels and self.bias.shape == (out,), self, *given)
        return (out, *_slid(given[0], self.reach, self.stride, self.padding))

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        seen = _views(given[0], self.reach, self.stride, self.padding, 0.0)
        seen = seen[..., :: self.dilation[0], :: self.dilation[1]]  # (n, in, frames, bands, kf, kb)
        summed = np.einsum("nchwij,ocij->nohw", seen, self.weights, optimize=True)
        raised: Numbers = summed + self.bias[:, np.newaxis, np.newaxis]
        return raised


@dataclass(frozen=True, slots=True, eq=False)
class DepthwiseConv(Operation):
    """Two-dimensional convolution of each channel by a kernel of its own."""

    weights: Weights
    """Shape (channels, kernel frames, kernel bands)."""
    bias: Weights
    """Shape (channels,)."""
    stride: Pair
    padding: Pair
    """Zeros on either side."""

    @property
    def reach(self) -> Pair:
        """Cells that the kernel spans."""
        frames, bands = self.weights.shape[1:]
        return frames, bands

    def shape(self, *given: Shape) -> Shape:
        """The same channels."""
        channels = len(self.weights)
        want(len(given[0]) == 3 and given[0][0] == channels and self.bias.shape == (channels,), self, *given)
        return (channels, *_slid(given[0], self.reach, self.stride, self.padding))

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        seen = _views(given[0], self.reach, self.stride, self.padding, 0.0)
        summed = np.einsum("nchwij,cij->nchw", seen, self.weights, optimize=True)
        raised: Numbers = summed + self.bias[:, np.newaxis, np.newaxis]
        return raised


@dataclass(frozen=True, slots=True)
class Scale(Operation):
    """Each channel of a picture times the feature of a vector that stands at its place."""

    def shape(self, *given: Shape) -> Shape:
        """The picture's."""
        want(len(given) == 2 and len(given[0]) == 3 and given[1] == given[0][:1], self, *given)
        return given[0]

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        picture, factors = given
        return picture * factors[:, :, np.newaxis, np.newaxis]


@dataclass(frozen=True, slots=True)
class MaxPool(Operation):
    """The greatest value in each rectangle."""

    size: Pair
    stride: Pair
    padding: Pair

    def shape(self, *given: Shape) -> Shape:
        """The same channels."""
        want(len(given[0]) == 3, self, *given)
        return (given[0][0], *_slid(given[0], self.size, self.stride, self.padding))

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        most: Numbers = _views(given[0], self.size, self.stride, self.padding, -np.inf).max(axis=(-2, -1))
        return most


@dataclass(frozen=True, slots=True)
class MeanPool(Operation):
    """The mean of each rectangle; rectangles stand side by side."""

    size: Pair

    def shape(self, *given: Shape) -> Shape:
        """The same channels; cells that fill no rectangle are left out."""
        want(len(given[0]) == 3, self, *given)
        return (given[0][0], *_slid(given[0], self.size, self.size, (0, 0)))

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        mean: Numbers = _views(given[0], self.size, self.size, (0, 0), 0.0).mean(axis=(-2, -1))
        return mean


@dataclass(frozen=True, slots=True)
class GlobalMean(Operation):
    """Each channel's mean over the picture."""

    def shape(self, *given: Shape) -> Shape:
        """One value for each channel."""
        want(len(given[0]) == 3, self, *given)
        return given[0][:1]

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        mean: Numbers = given[0].mean(axis=(2, 3))
        return mean


@dataclass(frozen=True, slots=True)
class GlobalMax(Operation):
    """Each channel's greatest value over the picture."""

    def shape(self, *given: Shape) -> Shape:
        """One value for each channel."""
        want(len(given[0]) == 3, self, *given)
        return given[0][:1]

    def run(self, *given: Numbers) -> Numbers:
        """Compute a batch."""
        most: Numbers = given[0].max(axis=(2, 3))
        return most


def _slid(shape: Shape, reach: Pair, stride: Pair, padding: Pair) -> Shape:
    """How often a rectangle fits along frames and bands."""
    rooms = [cells + 2 * zeros - size for cells, size, zeros in zip(shape[1:], reach, padding, strict=True)]
    if min(rooms) < 0:
        raise ValueError(f"a rectangle of {reach} cells does not fit into {shape[1:]}")
    return tuple(room // step + 1 for room, step in zip(rooms, stride, strict=True))


def _views(given: Numbers, reach: Pair, stride: Pair, padding: Pair, outside: float) -> Numbers:
    """Every rectangle of every channel, shape (n, channels, frames, bands, *reach), as views."""
    sides = ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2)
    padded = np.pad(given, sides, constant_values=outside)
    return sliding_window_view(padded, reach, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
