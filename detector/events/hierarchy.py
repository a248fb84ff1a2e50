"""Which one of nested labels to report, where several are confirmed at once.

AudioSet is a tree: one bark scores as Animal, Domestic animals, Dog, Bark and Bow-wow. Among
the labels that are confirmed, the most specific one that is sure enough speaks for its line:

1. A descendant that is not confirmed itself but has >= 0.8 x a confirmed label's score and
   >= 0.5 x its own threshold takes that label's place.
2. An ancestor of a chosen label is not reported.
3. Siblings under a confirmed label that has few descendants (a family: Bark and Bow-wow under
   Dog) are one source: the one with the highest score is reported. Under a large branch
   (Animal, Vehicle, Music) siblings are different sources and all stay.

The factors of rule 1 were measured on soundscapes; docs/decisions/0001 has rule 3's figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.records import Label

SURE_SHARE = 0.8
"""Share of an ancestor's score that makes a descendant sure enough."""
SURE_THRESHOLD_SHARE = 0.5
"""Share of its own threshold that a descendant must have reached as well."""
FAMILY_SIZE = 8
"""Most descendants that a label may have for its children to count as one source."""


class Hierarchy:
    """The relations among the reported labels, and the choice among those that are confirmed.

    `member_ids` gives the `class_id`s each reported label stands for (several for a group).
    """

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
        """For each label, the indices of the reported labels above it; two above each other are neither."""
        self.descendants: tuple[frozenset[int], ...] = tuple(
            frozenset(label_index for label_index, above in enumerate(self.ancestors) if own in above)
            for own in range(len(labels))
        )
        """For each label, the indices of the reported labels below it."""
        self._family_heads = frozenset(
            label_index for label_index, below in enumerate(self.descendants) if 0 < len(below) <= FAMILY_SIZE
        )

    def choose(
        self,
        confirmed: Iterable[int],
        scores: NDArray[np.float32],
        thresholds: NDArray[np.float32],
    ) -> list[int]:
        """The labels to report of those confirmed; `scores` and `thresholds` have shape (labels,)."""
        sounding = set(confirmed)
        if len(sounding) == 0:
            return []
        speaking = {self._most_specific(label_index, scores, thresholds) for label_index in sounding}
        leaves = [p for p in speaking if not (self.descendants[p] & speaking)]
        leaves.sort(key=lambda p: (-scores[p], p))
        chosen: list[int] = []
        for label_index in leaves:
            heads = self.ancestors[label_index] & self._family_heads & sounding
            if not any(self.ancestors[other] & heads for other in chosen):
                chosen.append(label_index)
        return chosen

    def relatives(self, label_index: int) -> frozenset[int]:
        """Labels that the same sound also scores for: those above, and its family."""
        heads = self.ancestors[label_index] & self._family_heads
        family = frozenset().union(*(self.descendants[head] for head in heads))
        return (self.ancestors[label_index] | family) - {label_index} - self.descendants[label_index]

    def _most_specific(
        self, label_index: int, scores: NDArray[np.float32], thresholds: NDArray[np.float32]
    ) -> int:
        sure = [
            below
            for below in self.descendants[label_index]
            if scores[below] >= SURE_SHARE * scores[label_index]
            and scores[below] >= SURE_THRESHOLD_SHARE * thresholds[below]
        ]
        if not sure:
            return label_index
        return max(sure, key=lambda p: (len(self.ancestors[p]), float(scores[p]), -p))
