"""What a network made of the last seconds: the mean of its embeddings over windows that follow each other.

A sound that lasts is known better from several windows than from one. Only windows of one stretch count:
where more than a hop lies between two, sound was lost or the gate was closed, and the context begins anew.
That is derived from the windows' places alone, so how the stream was cut makes no difference.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from detector.records import Span


class EmbeddingContext:
    """Keeps the embeddings of the windows that ended less than `length` [samples] ago.

    `hop` [samples] is the distance at which windows follow on each other.
    """

    def __init__(self, *, length: int, hop: int) -> None:
        self._length = length
        self._hop = hop
        self._stops: deque[int] = deque()
        self._rows = np.empty((0, 0), np.float32)  # those that count are the last before `_end`, in order
        self._end = 0

    def push(self, span: Span, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the newest window's embedding (features,), return the mean with those that still count."""
        if self._stops and span.stop - self._stops[-1] > self._hop:
            self._stops.clear()
        while self._stops and self._stops[0] <= span.stop - self._length:
            self._stops.popleft()
        if self._end == len(self._rows):
            self._make_room(len(embedding))
        self._rows[self._end] = embedding
        self._end += 1
        self._stops.append(span.stop)
        count = len(self._stops)
        total = np.add.reduce(self._rows[self._end - count : self._end], axis=0)
        mean: NDArray[np.float32] = total / np.float32(count)
        return mean

    def _make_room(self, features: int) -> None:
        """Move what counts to the front of rows of twice its number and more: seldom, so it costs little."""
        count = len(self._stops)
        kept = self._rows[self._end - count : self._end]
        self._rows = np.empty((2 * count + 8, features), np.float32)
        if count:
            self._rows[:count] = kept
        self._end = count
