"""Which labels may stand for the same sound, because one is above the other or both are of one family.

AudioSet is a tree: one bark scores as Animal, Domestic animals, Dog, Bark and Bow-wow. Where several of them
may be reported, the most specific one that is sure enough speaks for its line, and none of its relatives
becomes an event of its own. Siblings are relatives where their parent has few descendants (a family: Bark and
Bow-wow under Dog); under a large branch (Animal, Vehicle, Music) they are different sources.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.records import Label

SURE_LOG_ODDS = 0.5
"""A descendant below its threshold still speaks for a label that is ahead of it by no more than this."""
FAMILY_SIZE = 8
"""Most descendants that a label may have for its children to count as one source."""


class Hierarchy:
    """The relations among labels; `member_ids` are the `class_id`s each stands for (several for a group)."""

    def __init__(self, labels: Sequence[Label], member_ids: Sequence[frozenset[str]]) -> None:
        indices: dict[str, set[int]] = {}
        for label_index, ids in enumerate(member_ids):
            for class_id in ids:
                indices.setdefault(class_id, set()).add(label_index)
        above = [
            {
                label_index
                for class_id in label.ancestors
                for label_index in indices.get(class_id, ())
                if label_index != own
            }
            for own, label in enumerate(labels)
        ]
        self.ancestors: tuple[frozenset[int], ...] = tuple(
            frozenset(label_index for label_index in over if own not in above[label_index])
            for own, over in enumerate(above)
        )
        """For each label, the indices of the labels above it; two above each other are neither."""
        self.descendants: tuple[frozenset[int], ...] = tuple(
            frozenset(label_index for label_index, above in enumerate(self.ancestors) if own in above)
            for own in range(len(labels))
        )
        """For each label, the indices of the labels below it."""
        self._family_heads = frozenset(
            label_index for label_index, below in enumerate(self.descendants) if 0 < len(below) <= FAMILY_SIZE
        )
        self.relatives: tuple[NDArray[np.intp], ...] = tuple(
            np.array(sorted(self._related(label_index)), dtype=np.intp) for label_index in range(len(labels))
        )
        """For each label, itself, the labels above and below it, and its family."""

    def most_specific(self, label_index: int, excess: NDArray[np.float64]) -> int:
        """The label that speaks for this one; `excess` (labels,) is what each scores over its threshold."""
        below = self.descendants[label_index]
        enough = min(0.0, excess[label_index] - SURE_LOG_ODDS)
        sure = [place for place in below if excess[place] >= enough]
        if not sure:
            return label_index
        return max(sure, key=lambda place: (len(self.ancestors[place]), float(excess[place]), -place))

    def _related(self, label_index: int) -> frozenset[int]:
        heads = self.ancestors[label_index] & self._family_heads
        family = frozenset().union(*(self.descendants[head] for head in heads))
        return self.ancestors[label_index] | self.descendants[label_index] | family | {label_index}
