"""Labels compete for a sound: by what each scores over its threshold, a taught label before all others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.events.hierarchy import Hierarchy
from detector.events.labels import LabelMap
from detector.events.onset import log_odds
from detector.events.rules import Rules

TAUGHT_LOG_ODDS = 20.0
"""By so much a taught label that reaches its threshold goes before others."""


class Competition:
    """Compares the labels of a LabelMap; `excess` (labels,) is the log-odds of each over its threshold's."""

    def __init__(self, labels: LabelMap, rules: Rules) -> None:
        self._hierarchy = Hierarchy(labels.competing, labels.member_ids)
        self._taught = np.array([label.taught for label in labels.competing])
        self.thresholds = log_odds(rules.threshold_on)
        """Shape (labels,): log-odds of each threshold_on."""

    def excess(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log-odds of scores (labels,) over the thresholds'."""
        excess: NDArray[np.float64] = log_odds(scores) - self.thresholds
        return excess

    def leader(self, excess: NDArray[np.float64]) -> int:
        """The label that goes before all others."""
        return int(self._rank(excess).argmax())

    def speaker(self, label_index: int, excess: NDArray[np.float64]) -> int:
        """The label that names the sound for this one: itself, or a more specific one that is sure enough."""
        return self._hierarchy.most_specific(label_index, excess)

    def relatives(self, label_index: int) -> NDArray[np.intp]:
        """Labels that may stand for the same sound, this one included."""
        return self._hierarchy.relatives[label_index]

    def lead(self, label_index: int, other: int, excess: NDArray[np.float64]) -> float:
        """By how much a label is ahead of another one [log-odds]."""
        rank = self._rank(excess)
        return float(rank[label_index] - rank[other])

    def is_more_specific(self, label_index: int, other: int) -> bool:
        """Whether a label is below another one."""
        return label_index in self._hierarchy.descendants[other]

    def _rank(self, excess: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(self._taught & (excess >= 0), excess + TAUGHT_LOG_ODDS, excess)
