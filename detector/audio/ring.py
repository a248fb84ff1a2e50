"""The last seconds of the stream, addressed by absolute sample index.

Operations wanted: append a frame (often), read the newest `n` samples (per window).
Plan: what is appended waits until it is read, for most of it never is; then each sample is converted once.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from detector.records import Block, Span

FULL_SCALE = 32768.0


class Ring:
    """Keeps `capacity` samples; what was never received (before the start, in a gap) reads as zero."""

    def __init__(self, *, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1 sample, got {capacity}")
        self._capacity = capacity
        self._store = np.zeros(capacity, dtype=np.float32)
        self._stored = 0  # one past the newest sample in the store
        self._waiting: deque[Block] = deque()
        self._stop = 0

    @property
    def stop(self) -> int:
        """One past the index of the newest sample."""
        return self._stop

    def append(self, block: Block) -> None:
        """Add samples at `block.start`, which is at or after `stop`; a gap becomes silence."""
        if block.start < self._stop:
            raise ValueError(f"block starts at {block.start}, before sample {self._stop} already held")
        self._waiting.append(block)
        self._stop = block.stop
        while self._waiting[0].stop <= self._stop - self._capacity:
            self._waiting.popleft()

    def read(self, span: Span) -> NDArray[np.float32]:
        """Samples of `span` as float32 in [-1, 1), shape (span.length,); a fresh array.

        Raises ValueError where the span is not, or no longer, held.
        """
        if span.stop > self._stop or span.start < self._stop - self._capacity:
            held = f"{self._stop - self._capacity}..{self._stop}"
            raise ValueError(f"span {span.start}..{span.stop} is outside of what is held, {held}")
        self._store_waiting()
        first = span.start % self._capacity
        head = self._store[first : first + span.length]
        return np.concatenate((head, self._store[: span.length - len(head)]))

    def _store_waiting(self) -> None:
        while self._waiting:
            first = self._waiting[0].start
            together = [self._waiting.popleft()]
            while self._waiting and self._waiting[0].start == together[-1].stop:
                together.append(self._waiting.popleft())
            gap = min(first - self._stored, self._capacity)
            if gap:
                self._write(first - gap, np.zeros(gap, dtype=np.float32))
            joined = np.concatenate([block.samples for block in together])
            self._write(first, joined.astype(np.float32) / np.float32(FULL_SCALE))
            self._stored = together[-1].stop

    def _write(self, start: int, samples: NDArray[np.float32]) -> None:
        if len(samples) > self._capacity:
            start += len(samples) - self._capacity
            samples = samples[-self._capacity :]
        first = start % self._capacity
        head = min(len(samples), self._capacity - first)
        self._store[first : first + head] = samples[:head]
        self._store[: len(samples) - head] = samples[head:]
