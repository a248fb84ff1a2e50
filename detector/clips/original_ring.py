"""The last seconds of a source at the rate at which it was recorded, addressed by samples of the stream.

The model's own ring holds the stream at the model's rate; this one holds what it was made of.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.records import Block, Span

FULL_SCALE = 32768.0

ROUNDING = 2
"""Samples by which the start of a stretch may differ from the end of the one before it without a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class OriginalSound:
    """Sound as it was recorded."""

    start: int
    """Its first sample in the stream, at the model's rate."""
    samples: NDArray[np.int16]
    """Shape (n,), at `rate`."""
    rate: int
    """Hertz."""


class OriginalRing:
    """Keeps the newest `capacity` samples of the stream as they were recorded; a gap reads as zero.

    A source that is opened again at another rate begins anew.
    """

    def __init__(self, *, stream_rate: int, capacity: int) -> None:
        self._stream_rate = stream_rate
        self.capacity = capacity
        """Samples of the stream."""
        self._held: deque[OriginalSound] = deque()

    def append(self, block: Block) -> None:
        """Take a block: what it was made of, or where nothing is told of that, its own samples."""
        if block.originals is None:
            self._keep(OriginalSound(block.start, block.samples, self._stream_rate))
            return
        for original in block.originals:
            scaled = np.clip(np.rint(original.samples * np.float32(FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1)
            self._keep(OriginalSound(original.start, scaled.astype(np.int16), original.rate))

    def read(self, span: Span) -> OriginalSound | None:
        """What is held of a span of the stream; None where nothing is."""
        pieces: list[NDArray[np.int16]] = []
        first, position = (
            0,
            0,
        )  # of what is read: its start in the stream; one past it, at the original's rate
        for sound in self._held:
            begin = max(0, self._at_rate(span.start - sound.start, sound.rate))
            end = min(len(sound.samples), self._at_rate(span.stop - sound.start, sound.rate))
            if begin >= end:
                continue
            if not pieces:
                first = sound.start + self._in_stream(begin, sound.rate)
            else:
                gap = self._at_rate(sound.start - first, sound.rate) + begin - position
                if gap > ROUNDING:
                    pieces.append(np.zeros(gap, np.int16))
                    position += gap
            pieces.append(sound.samples[begin:end])
            position += end - begin
        if not pieces:
            return None
        return OriginalSound(first, np.concatenate(pieces), self._held[-1].rate)

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()

    def _keep(self, sound: OriginalSound) -> None:
        if self._held and self._held[-1].rate != sound.rate:
            self._held.clear()
        self._held.append(sound)
        oldest = sound.start + self._in_stream(len(sound.samples), sound.rate) - self.capacity
        while self._held[0].start < oldest:
            first = self._held[0]
            if first.start + self._in_stream(len(first.samples), first.rate) > oldest:
                break
            self._held.popleft()

    def _at_rate(self, samples: int, rate: int) -> int:
        return round(samples * rate / self._stream_rate)

    def _in_stream(self, samples: int, rate: int) -> int:
        return round(samples * self._stream_rate / rate)
