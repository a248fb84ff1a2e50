"""Several models side by side: each hears the newest part of the window it wants and names its own labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.audio.decimate import DELAY
from detector.backends.parts import make_part
from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.records import Label, ModelSpec, Scores, Window


class BesideClassifier:
    """Fills `Classifier`; the scores of `members` one behind the other, as `spec` has their labels."""

    def __init__(self, spec: ModelSpec, members: Sequence[Classifier]) -> None:
        self.spec = spec
        self._parts = [make_part(spec, classifier) for classifier in members]

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        values: list[NDArray[np.float32]] = []
        embeddings: dict[str, NDArray[np.float32]] = {}
        for part in self._parts:
            said = part.scores(window)
            values.append(said.values)
            embeddings |= said.embeddings
        return Scores(window.span, np.concatenate(values), embeddings)

    def close(self) -> None:
        """Release the runtimes."""
        for part in self._parts:
            part.classifier.close()


def beside(specs: Sequence[ModelSpec]) -> ModelSpec:
    """Describe models that hear side by side: the highest rate, the longest window, everybody's labels.

    ModelError where a rate is neither the highest nor half of it.
    """
    quickest = max(specs, key=lambda spec: spec.sample_rate)
    rate = quickest.sample_rate
    for spec in specs:
        if rate not in (spec.sample_rate, 2 * spec.sample_rate):
            raise ModelError(
                f"{spec.name} hears at {spec.sample_rate} Hz and {quickest.name} at {rate} Hz: side by side "
                f"takes the same rate or half of it; run --model {quickest.name} or --model {spec.name} alone"
            )
    reaches = [spec.window if spec.sample_rate == rate else 2 * (spec.window + DELAY) for spec in specs]
    return joined(specs, sample_rate=rate, window=max(reaches))


def joined(specs: Sequence[ModelSpec], *, sample_rate: int, window: int) -> ModelSpec:
    """Describe what several models name together; ModelError where two have the same class."""
    owners: dict[str, Label] = {}
    for label in (label for spec in specs for label in spec.labels):
        other = owners.setdefault(label.class_id, label)
        if other is not label:
            raise ModelError(
                f"{other.model} and {label.model} both name the class {label.class_id} ({label.name}): "
                f"they cannot stand side by side"
            )
    return ModelSpec(
        name="+".join(spec.name for spec in specs),
        labels=tuple(label for spec in specs for label in spec.labels),
        sample_rate=sample_rate,
        window=window,
        threshold_on=specs[0].threshold_on,
        thresholds={label.class_id: spec.threshold(label) for spec in specs for label in spec.labels},
    )
