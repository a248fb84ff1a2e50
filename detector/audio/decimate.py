"""Half the sample rate, for a 16 kHz model beside one that works at 32 kHz.

A half-band filter: every second tap but the middle one is zero, so only the even samples are filtered and the
odd ones add their middle tap. What lies above 17/32 of the old rate's half is down by 60 dB or more; what the
slope folds lands above 15/32, where 16 kHz models have no band (YAMNet's end at 7500 Hz).
Source: a windowed ideal filter, Kaiser's formulas (Oppenheim and Schafer, Discrete-Time Signal Processing).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from detector.records import Block

HALF = 59
"""Taps on either side of the middle one, odd: an even tap is zero. Kaiser: 60 dB over 1/32 of the rate."""
BETA = 5.65
"""Kaiser's shape for 60 dB."""

BLOCK = 64
"""Values that one row of the product of matrices gives."""

DELAY = HALF
"""Samples at the old rate on either side that `halved` uses up."""


def halved(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return every second sample, low-passed: from the `DELAY`-th on, (len - 2 * DELAY + 1) // 2 of them."""
    count = (len(samples) - 2 * DELAY + 1) // 2
    middle = samples[DELAY::2][:count]
    result: NDArray[np.float32] = np.float32(0.5) * middle + _filtered(samples[0::2], count)
    return result


class HalvedStream:
    """Blocks of any length in, blocks at half their rate out; a gap discards what was held."""

    def __init__(self) -> None:
        self._held: Block | None = None

    def push(self, block: Block, /) -> Block | None:
        """Take one block; return what it completes, or None.

        Its `start` counts samples of the lower rate: half of those of the stream.
        """
        held = self._held
        if held is not None and held.stop == block.start:
            block = Block(held.start, np.concatenate((held.samples, block.samples)))
        if len(block.samples) <= 2 * DELAY:
            self._held = block
            return None
        low = halved(block.samples.astype(np.float32))
        used = 2 * len(low)
        self._held = Block(block.start + used, block.samples[used:].copy())
        return Block((block.start + DELAY) // 2, np.clip(np.rint(low), -32768, 32767).astype(np.int16))


def _filtered(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """The first `count` values of the convolution with the taps at odd distances.

    As a product of matrices, `BLOCK` values in a row, which takes a fifth of the time of np.convolve.
    """
    rows = -(-count // BLOCK)
    padded = np.zeros(rows * BLOCK + len(_SIDES) - 1, np.float32)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    cut = sliding_window_view(padded, BLOCK + len(_SIDES) - 1)[::BLOCK]  # (rows, BLOCK + taps - 1)
    filtered: NDArray[np.float32] = (np.ascontiguousarray(cut) @ _BANDED).reshape(-1)[:count]
    return filtered


def _sides() -> NDArray[np.float32]:
    """The taps at odd distances -HALF..HALF from the middle, summing to one half."""
    distance = np.arange(-HALF, HALF + 1, 2)
    taps = np.sin(np.pi * distance / 2) / (np.pi * distance)
    taps *= np.i0(BETA * np.sqrt(1 - (distance / (HALF + 1)) ** 2)) / np.i0(BETA)
    scaled: NDArray[np.float32] = (taps * (0.5 / taps.sum())).astype(np.float32)
    return scaled


def _banded() -> NDArray[np.float32]:
    """The taps once for each of `BLOCK` values, each a place further down: (BLOCK + taps - 1, BLOCK)."""
    matrix = np.zeros((BLOCK + len(_SIDES) - 1, BLOCK), np.float32)
    for column in range(BLOCK):
        matrix[column : column + len(_SIDES), column] = _SIDES  # symmetric: not turned round
    return matrix


_SIDES = _sides()
_BANDED = _banded()
