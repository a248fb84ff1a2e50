"""Several models that answer together: their log-odds, weighted, add up for each class that all of them have.

The combination hears windows of the longest member's length at the highest rate; each member is given the
newest part of it that it wants, at its own rate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.backends.logits import logistic, logits
from detector.backends.parts import make_part
from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.records import ModelSpec, Scores, Window


class CombinedClassifier:
    """Fills `Classifier`; `members` are classifiers and the weights of their log-odds.

    `bias` is added to every sum: two models that must agree are more careful than one.
    """

    def __init__(
        self, spec: ModelSpec, members: Sequence[tuple[Classifier, float]], *, bias: float = 0.0
    ) -> None:
        self.spec = spec
        self._bias = np.float32(bias)
        self._parts = [
            (make_part(spec, classifier), np.float32(weight), _columns(spec, classifier.spec))
            for classifier, weight in members
        ]

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        total = np.full(len(self.spec.labels), self._bias)
        embeddings: dict[str, NDArray[np.float32]] = {}
        for part, weight, columns in self._parts:
            said = part.scores(window)
            total += weight * logits(said.values[columns])
            embeddings |= said.embeddings
        return Scores(window.span, logistic(total), embeddings)

    def close(self) -> None:
        """Release the runtimes."""
        for part, _, _ in self._parts:
            part.classifier.close()


def _columns(spec: ModelSpec, member: ModelSpec) -> NDArray[np.intp]:
    """Where the combination's labels stand among the member's."""
    places = {label.class_id: column for column, label in enumerate(member.labels)}
    lacking = next((label.name for label in spec.labels if label.class_id not in places), None)
    if lacking is not None:
        raise ModelError(f"model {spec.name}: its member {member.name} has no label {lacking!r}")
    return np.array([places[label.class_id] for label in spec.labels])
