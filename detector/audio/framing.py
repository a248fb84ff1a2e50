"""Blocks of any length in, frames of one length out; a gap discards what was held."""

from __future__ import annotations

import numpy as np

from detector.records import Block


class Framer:
    """Cuts a stream into frames of `frame_length` samples.

    A frame never spans a gap: where `start` jumps, the held remainder is dropped and
    the next frame begins at the jump. `start` must never run backwards (ValueError).
    """

    def __init__(self, *, frame_length: int) -> None:
        if frame_length < 1:
            raise ValueError(f"frame_length must be at least 1 sample, got {frame_length}")
        self._length = frame_length
        self._held: Block | None = None

    def push(self, block: Block, /) -> list[Block]:
        """Take one block, return the frames it completes."""
        held = self._held
        if held is not None:
            if block.start < held.stop:
                raise ValueError(f"block starts at {block.start}, before sample {held.stop} already seen")
            if block.start == held.stop:
                block = Block(held.start, np.concatenate((held.samples, block.samples)))
        length, samples = self._length, block.samples
        whole = len(samples) - len(samples) % length
        self._held = Block(block.start + whole, samples[whole:])
        return [Block(block.start + i, samples[i : i + length]) for i in range(0, whole, length)]

    def flush(self) -> list[Block]:
        """Drop the remainder, which is shorter than a frame."""
        self._held = None
        return []
