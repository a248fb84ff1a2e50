"""Several models that answer together: their log-odds, weighted, add up for each class that all of them have.

The combination hears windows of the longest member's length at the highest rate; each member is given the
newest part of it that it wants, at its own rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.audio.decimate import DELAY, halved
from detector.backends.logits import logistic, logits
from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.records import ModelSpec, Scores, Span, Window


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    classifier: Classifier
    weight: np.float32
    columns: NDArray[np.intp]
    """Where the combination's labels stand among the member's."""
    is_halved: bool
    """Whether it hears at half the combination's rate."""

    @property
    def reach(self) -> int:
        """Samples of the combination's window that it takes."""
        window = self.classifier.spec.window
        return 2 * (window + DELAY) if self.is_halved else window

    def hear(self, window: Window) -> NDArray[np.float32]:
        """Its log-odds for the combination's labels."""
        newest = window.samples[len(window.samples) - self.reach :]
        samples = halved(newest) if self.is_halved else newest
        stop = window.span.stop // 2 if self.is_halved else window.span.stop
        span = Span(stop - len(samples), stop)  # at the member's own rate
        return logits(self.classifier.scores(Window(span, samples)).values[self.columns])


class CombinedClassifier:
    """Fills `Classifier`; `members` are classifiers and the weights of their log-odds.

    `bias` is added to every sum: two models that must agree are more careful than one.
    """

    def __init__(
        self, spec: ModelSpec, members: Sequence[tuple[Classifier, float]], *, bias: float = 0.0
    ) -> None:
        self.spec = spec
        self._bias = np.float32(bias)
        self._parts = [_part(spec, classifier, weight) for classifier, weight in members]

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        total = np.full(len(self.spec.labels), self._bias)
        for part in self._parts:
            total += part.weight * part.hear(window)
        return Scores(window.span, logistic(total))

    def close(self) -> None:
        """Release the runtimes."""
        for part in self._parts:
            part.classifier.close()


def _part(spec: ModelSpec, classifier: Classifier, weight: float) -> _Part:
    member = classifier.spec
    places = {label.class_id: column for column, label in enumerate(member.labels)}
    lacking = next((label.name for label in spec.labels if label.class_id not in places), None)
    if lacking is not None:
        raise ModelError(f"model {spec.name}: its member {member.name} has no label {lacking!r}")
    if spec.sample_rate not in (member.sample_rate, 2 * member.sample_rate):
        raise ModelError(
            f"model {spec.name}: its member {member.name} hears at {member.sample_rate} Hz, "
            f"expected {spec.sample_rate} or half of it"
        )
    part = _Part(
        classifier,
        np.float32(weight),
        np.array([places[label.class_id] for label in spec.labels]),
        is_halved=spec.sample_rate != member.sample_rate,
    )
    if part.reach > spec.window:
        raise ModelError(
            f"model {spec.name}: its member {member.name} takes {part.reach} samples at once, "
            f"the model's own window has {spec.window}"
        )
    return part
