"""One of several models that hear the same window: it is given the newest part of it, at its own rate."""

from __future__ import annotations

from dataclasses import dataclass

from detector.audio.decimate import DELAY, halved
from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.records import ModelSpec, Scores, Span, Window


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A classifier within a model of this rate, or of twice its own."""

    classifier: Classifier
    is_halved: bool
    """Whether it hears at half the model's rate."""

    @property
    def reach(self) -> int:
        """Samples of the model's window that it takes."""
        window = self.classifier.spec.window
        return 2 * (window + DELAY) if self.is_halved else window

    def scores(self, window: Window) -> Scores:
        """What it says of the newest part of the model's window; the span is that part's, at its own rate."""
        newest = window.samples[len(window.samples) - self.reach :]
        samples = halved(newest) if self.is_halved else newest
        stop = window.span.stop // 2 if self.is_halved else window.span.stop
        return self.classifier.scores(Window(Span(stop - len(samples), stop), samples))


def make_part(spec: ModelSpec, classifier: Classifier) -> Part:
    """Fit a classifier into a model; ModelError where its rate or its window does not fit."""
    member = classifier.spec
    if spec.sample_rate not in (member.sample_rate, 2 * member.sample_rate):
        raise ModelError(
            f"model {spec.name}: its member {member.name} hears at {member.sample_rate} Hz, "
            f"expected {spec.sample_rate} or half of it"
        )
    part = Part(classifier, is_halved=spec.sample_rate != member.sample_rate)
    if part.reach > spec.window:
        raise ModelError(
            f"model {spec.name}: its member {member.name} takes {part.reach} samples at once, "
            f"the model's own window has {spec.window}"
        )
    return part
