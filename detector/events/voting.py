"""m of n: a label is confirmed when it scored in at least m of the last n windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Voting:
    """Remembers the last n windows' scores of every label."""

    def __init__(self, thresholds: NDArray[np.float32], *, needed: int, of: int) -> None:
        """`thresholds` float32 (labels,); `needed` is m, `of` is n, 1 <= m <= n."""
        if not 1 <= needed <= of:
            raise ValueError(f"needed must be between 1 and {of}, got {needed}")
        self._thresholds = thresholds
        self._needed = needed
        self._recent = np.zeros((of, len(thresholds)), dtype=np.float32)  # oldest first
        self._count = 0

    def push(self, values: NDArray[np.float32]) -> None:
        """Add one window's scores, shape (labels,)."""
        self._recent[:-1] = self._recent[1:]
        self._recent[-1] = values
        self._count = min(self._count + 1, len(self._recent))

    def confirmed(self) -> list[int]:
        """Indices of the labels with at least m votes."""
        votes = (self._recent >= self._thresholds).sum(axis=0)
        return [int(label_index) for label_index in np.flatnonzero(votes >= self._needed)]

    def voted(self) -> set[int]:
        """Indices of the labels that the newest window votes for."""
        return {int(label_index) for label_index in np.flatnonzero(self._recent[-1] >= self._thresholds)}

    def is_confirmed(self, label_index: int) -> bool:
        """Whether this label has at least m votes."""
        votes = self._recent[:, label_index] >= self._thresholds[label_index]
        return int(votes.sum()) >= self._needed

    def mean(self) -> NDArray[np.float32]:
        """Mean score over the last n windows that there are, float32 (labels,): probabilities, not logits."""
        mean: NDArray[np.float32] = self._recent[len(self._recent) - max(1, self._count) :].mean(axis=0)
        return mean

    def newest(self, label_index: int) -> float:
        """The label's score in the newest window."""
        return float(self._recent[-1, label_index])

    def highest(self, label_index: int) -> float:
        """The label's highest score in the last n windows."""
        return float(self._recent[:, label_index].max())

    def first_vote(self, label_index: int) -> int:
        """How many windows ago the oldest vote for this label was cast; 0 is the newest window."""
        voted = np.flatnonzero(self._recent[:, label_index] >= self._thresholds[label_index])
        return len(self._recent) - 1 - int(voted[0]) if len(voted) else 0

    def forget(self) -> None:
        """The next window does not follow on the last: earlier votes count no more."""
        self._recent[:] = 0
        self._count = 0
