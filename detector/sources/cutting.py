"""Converted samples to numbered blocks of one length.

A gap is a jump in `Block.start`: `skip` makes one; numbers never run backwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.records import Block, Original


class Cutter:
    """Cut a stream into blocks of `block_length` samples, numbered from `start`."""

    def __init__(self, *, block_length: int, sample_rate: int, start: int = 0) -> None:
        self._block_length = block_length
        self._sample_rate = sample_rate
        self._start = start
        self._held: NDArray[np.int16] = np.zeros(0, np.int16)
        self._time: float | None = None
        self._originals: list[Original] | None = None

    @property
    def next(self) -> int:
        """Index that the next sample pushed will get."""
        return self._start + len(self._held)

    @property
    def missing(self) -> int:
        """Samples that complete the next block."""
        return self._block_length - len(self._held)

    def push(
        self, samples: NDArray[np.int16], time: float | None = None, original: Original | None = None
    ) -> list[Block]:
        """Take samples, the last of them captured at `time` [UTC seconds]; return full blocks.

        `original` is what was recorded meanwhile, if that was resampled; the next block carries it.
        """
        if original is not None:
            self._originals = [*(self._originals or ()), original]
        held = np.concatenate((self._held, samples)) if len(self._held) else samples
        self._time = time
        whole = len(held) - len(held) % self._block_length
        blocks = [
            self._block(held[at : at + self._block_length], after=len(held) - at - self._block_length)
            for at in range(0, whole, self._block_length)
        ]
        self._held = held[whole:]
        return blocks

    def flush(self) -> list[Block]:
        """Return the last, shorter block, if any."""
        held, self._held = self._held, np.zeros(0, np.int16)
        return [self._block(held, after=0)] if len(held) else []

    def skip(self, count: int) -> list[Block]:
        """Leave out `count` samples that were lost; return what was held before them."""
        blocks = self.flush()
        self._start += max(0, count)
        return blocks

    def _block(self, samples: NDArray[np.int16], *, after: int) -> Block:
        time = None if self._time is None else self._time - after / self._sample_rate
        originals = None if self._originals is None else tuple(self._originals)
        if originals:
            self._originals = []
        block = Block(self._start, samples, time, originals)
        self._start = block.stop
        return block
