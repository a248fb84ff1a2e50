"""Several classifiers over the same sound: combined into one answer, or in parallel, each with its labels.

The ensemble takes windows of the longest member's length at the highest rate. Each member is given the newest
part of the window that it needs, at its own sample rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.audio.decimate import DELAY
from detector.audio.growing import GrowingHalver
from detector.backends.prior import logistic, logits
from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.records import Label, ModelSpec, Scores, Span, Window


@dataclass(frozen=True, slots=True, eq=False)
class ResampledMember:
    """A classifier within an ensemble of the same sample rate, or of twice its own."""

    classifier: Classifier
    halver: GrowingHalver | None
    """What halves the sample rate; None where it is the ensemble's."""

    @property
    def needed(self) -> int:
        """Samples of the ensemble's window that it needs."""
        return self.classifier.spec.window if self.halver is None else self.halver.needed

    def scores(self, window: Window) -> Scores:
        """Score the newest part of the ensemble's window; the span is that part's, at the member's rate."""
        if self.halver is None:
            samples, stop = window.samples[len(window.samples) - self.needed :], window.span.stop
        else:
            samples, stop = self.halver(window), window.span.stop // 2
        part = Window(Span(stop - len(samples), stop), samples, window.gain, window.stream)
        return self.classifier.scores(part)


class CombinedClassifier:
    """Fills `Classifier`: for each class, which all members have, the weighted sum of their log-odds.

    `members` are classifiers and the weights of their log-odds. `bias` [log-odds] is added to every sum: two
    models that must agree let fewer sounds pass than one.
    """

    def __init__(
        self, spec: ModelSpec, members: Sequence[tuple[Classifier, float]], *, bias: float = 0.0
    ) -> None:
        self.spec = spec
        self._bias = np.float32(bias)
        self._members = [
            (_resampled(spec, classifier), np.float32(weight), _columns(spec, classifier.spec))
            for classifier, weight in members
        ]

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        total = np.full(len(self.spec.labels), self._bias)
        embeddings: dict[str, NDArray[np.float32]] = {}
        for member, weight, columns in self._members:
            scores = member.scores(window)
            total += weight * logits(scores.values[columns])
            embeddings |= scores.embeddings
        return Scores(window.span, logistic(total), embeddings)

    def close(self) -> None:
        """Release the runtimes."""
        for member, _, _ in self._members:
            member.classifier.close()


class ParallelClassifier:
    """Fills `Classifier`: the scores of `members`, concatenated in the order of the labels of `spec`."""

    def __init__(self, spec: ModelSpec, members: Sequence[Classifier]) -> None:
        self.spec = spec
        self._members = [_resampled(spec, classifier) for classifier in members]

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""
        values: list[NDArray[np.float32]] = []
        embeddings: dict[str, NDArray[np.float32]] = {}
        for member in self._members:
            scores = member.scores(window)
            values.append(scores.values)
            embeddings |= scores.embeddings
        return Scores(window.span, np.concatenate(values), embeddings)

    def close(self) -> None:
        """Release the runtimes."""
        for member in self._members:
            member.classifier.close()


def parallel_spec(specs: Sequence[ModelSpec]) -> ModelSpec:
    """Describe models that run in parallel: the highest rate, the longest window, the labels of all.

    ModelError where a rate is neither the highest nor half of it.
    """
    fastest = max(specs, key=lambda spec: spec.sample_rate)
    rate = fastest.sample_rate
    for spec in specs:
        if rate not in (spec.sample_rate, 2 * spec.sample_rate):
            raise ModelError(
                f"{spec.name} works at {spec.sample_rate} Hz and {fastest.name} at {rate} Hz: models that "
                f"run together need the same rate, or half of it; "
                f"run --model {fastest.name} or --model {spec.name} alone"
            )
    windows = [spec.window if spec.sample_rate == rate else 2 * (spec.window + DELAY) for spec in specs]
    return joined_spec(specs, sample_rate=rate, window=max(windows))


def joined_spec(specs: Sequence[ModelSpec], *, sample_rate: int, window: int) -> ModelSpec:
    """Describe a model with the labels of several; ModelError where two have the same class."""
    owners: dict[str, Label] = {}
    for label in (label for spec in specs for label in spec.labels):
        other = owners.setdefault(label.class_id, label)
        if other is not label:
            raise ModelError(
                f"{other.model} and {label.model} both have the class {label.class_id} ({label.name}): "
                f"they cannot run together"
            )
    return ModelSpec(
        name="+".join(spec.name for spec in specs),
        labels=tuple(label for spec in specs for label in spec.labels),
        sample_rate=sample_rate,
        window=window,
        threshold_on=specs[0].threshold_on,
        thresholds={label.class_id: spec.threshold(label) for spec in specs for label in spec.labels},
    )


def _resampled(spec: ModelSpec, classifier: Classifier) -> ResampledMember:
    """Fit a classifier into an ensemble; ModelError where its rate or its window does not fit."""
    member = classifier.spec
    if spec.sample_rate not in (member.sample_rate, 2 * member.sample_rate):
        raise ModelError(
            f"model {spec.name}: its member {member.name} works at {member.sample_rate} Hz, "
            f"expected {spec.sample_rate} or half of it"
        )
    halver = None if spec.sample_rate == member.sample_rate else GrowingHalver(member.window)
    resampled = ResampledMember(classifier, halver)
    if resampled.needed > spec.window:
        raise ModelError(
            f"model {spec.name}: its member {member.name} takes {resampled.needed} samples at once, "
            f"the model's own window has {spec.window}"
        )
    return resampled


def _columns(spec: ModelSpec, member: ModelSpec) -> NDArray[np.intp]:
    """For each label of the ensemble, its index among the member's labels."""
    indices = {label.class_id: index for index, label in enumerate(member.labels)}
    lacking = next((label.name for label in spec.labels if label.class_id not in indices), None)
    if lacking is not None:
        raise ModelError(f"model {spec.name}: its member {member.name} has no label {lacking!r}")
    return np.array([indices[label.class_id] for label in spec.labels])
