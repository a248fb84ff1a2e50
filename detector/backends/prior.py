"""A classifier without its bias towards frequent classes, and scores as log-odds and back.

A label's prior is its mean log-odds over recordings in which it does not sound; it is subtracted from each
score's log-odds. Labels that networks trained on AudioSet score too high in all recordings (speech, music,
vehicles) lose; labels that they score too low gain.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.interfaces import Classifier
from detector.records import ModelSpec, Scores, Window

LOWEST = 1e-9
"""Lower scores count as this, log-odds of -20.7: networks do not tell smaller scores apart."""
HIGHEST = 1 - 2**-23
"""The score next to 1 in single precision: log-odds of 15.9."""


def logits(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of scores 0..1, which are first brought into `LOWEST`..`HIGHEST`."""
    kept = np.clip(scores, np.float32(LOWEST), np.float32(HIGHEST))
    odds: NDArray[np.float32] = np.log(kept / (1 - kept))
    return odds


def logistic(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores 0..1 from log-odds."""
    scores: NDArray[np.float32] = np.float32(1) / (np.float32(1) + np.exp(-values))
    return scores


class PriorClassifier:
    """Fills `Classifier` around another; `prior` [log-odds] has one value for each label."""

    def __init__(self, classifier: Classifier, prior: NDArray[np.float32]) -> None:
        self._classifier = classifier
        self._prior = prior

    @property
    def spec(self) -> ModelSpec:
        """The other classifier's."""
        return self._classifier.spec

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        scores = self._classifier.scores(window)
        return replace(scores, values=logistic(logits(scores.values) - self._prior))

    def close(self) -> None:
        """Release the other's runtime."""
        self._classifier.close()
