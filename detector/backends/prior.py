"""A classifier whose preferences are taken off: what it is inclined to hear anyway counts for less.

Subtracted from each label's log-odds is its prior, the label's mean log-odds over recordings in which it does
not sound. Speech, music and vehicles, which networks trained on AudioSet half hear in everything, lose; what
they hardly dare to say gains.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.backends.logits import logistic, logits
from detector.interfaces import Classifier
from detector.records import ModelSpec, Scores, Window


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
        heard = self._classifier.scores(window)
        return replace(heard, values=logistic(logits(heard.values) - self._prior))

    def close(self) -> None:
        """Release the other's runtime."""
        self._classifier.close()
