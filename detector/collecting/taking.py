"""Cuts clips out of a stream: after a countdown, or one right after the other.

Conventions: a taker is pushed the stream's frames of 30 ms and their levels, all lengths are in samples,
and time is counted in samples too. No take spans a gap: `reset` drops an unfinished one. Takes never
overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.audio.level import Level
from detector.records import Block

Phase = Literal["count", "record", "wait", "hear"]


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One clip as it was cut."""

    start: int
    """Index of its first sample in the stream."""
    samples: NDArray[np.int16]
    """Shape (n,)."""
    stretch: int
    """Takes with the same number are parts of one stretch of sound; counts from 1."""
    part: int | None = None
    """Its number within the stretch, from 1; None where the stretch is this one clip."""

    @property
    def stop(self) -> int:
        """One past the index of its last sample."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class Cue:
    """What the user should see now."""

    phase: Phase
    left: int = 0
    """Samples until it is over; 0 where that is not known."""


class Taker(Protocol):
    """Cuts takes out of a stream."""

    @property
    def cue(self) -> Cue:
        """What happens with the next frame."""

    def push(self, frame: Block, level: Level) -> list[Take]:
        """Take one frame, return the takes it completes."""

    def flush(self) -> list[Take]:
        """The stream has ended: return the take that ends with it, if any."""

    def reset(self) -> None:
        """Begin again, after a gap or to repeat the last take."""


class Countdown:
    """Counts down for `count` samples, takes `length`, and again."""

    def __init__(self, *, count: int, length: int) -> None:
        self._count = count
        self._length = length
        self._counted = 0
        self._held: list[Block] = []
        self._stretch = 0

    @property
    def cue(self) -> Cue:
        """Counting or recording, and how long still."""
        if self._counted < self._count:
            return Cue("count", self._count - self._counted)
        return Cue("record", self._length - _length(self._held))

    def push(self, frame: Block, level: Level) -> list[Take]:
        """Take one frame, return the take it completes."""
        if self._counted < self._count:
            self._counted += len(frame.samples)
            return []
        self._held.append(frame)
        if _length(self._held) < self._length:
            return []
        self._stretch += 1
        take = Take(self._held[0].start, joined(self._held)[: self._length], self._stretch)
        self.reset()
        return [take]

    def flush(self) -> list[Take]:
        """Drop what is shorter than was asked for."""
        self.reset()
        return []

    def reset(self) -> None:
        """Count down anew."""
        self._counted, self._held = 0, []


class Continuous:
    """Takes of `length` samples one right after the other; `parts` in a row are one stretch."""

    def __init__(self, *, length: int, parts: int) -> None:
        self._length = length
        self._parts = parts
        self._held: list[Block] = []
        self._stretch = 1
        self._part = 0

    @property
    def cue(self) -> Cue:
        """Recording, and how long still."""
        return Cue("record", self._length - _length(self._held))

    def push(self, frame: Block, level: Level) -> list[Take]:
        """Take one frame, return the takes it completes."""
        self._held.append(frame)
        takes = []
        while _length(self._held) >= self._length:
            start, samples = self._held[0].start, joined(self._held)
            if self._part == self._parts:
                self._stretch, self._part = self._stretch + 1, 0
            self._part += 1
            takes.append(Take(start, samples[: self._length], self._stretch, self._part))
            self._held = [Block(start + self._length, samples[self._length :])]
        return takes

    def flush(self) -> list[Take]:
        """Drop the remainder."""
        self._held = []
        return []

    def reset(self) -> None:
        """What follows is another stretch."""
        self._held = []
        if self._part:
            self._stretch, self._part = self._stretch + 1, 0


def joined(blocks: Sequence[Block]) -> NDArray[np.int16]:
    """The samples of consecutive blocks, shape (n,)."""
    return np.concatenate([block.samples for block in blocks])


def _length(blocks: Sequence[Block]) -> int:
    return blocks[-1].stop - blocks[0].start if blocks else 0
