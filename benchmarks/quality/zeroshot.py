"""Zero-shot top-1: how often the class of a clip is the one whose label scores best.

By scores: the mean over the clip's windows, the class by its best label (`classes`). By events:
the class of the event with the highest score, from the daemon's own pipeline with its defaults; a clip in
which no class has an event counts as wrong, and their share stands beside it.

Models are compared on the same windows: both networks hear each clip once, and the rest is arithmetic.
UrbanSound8K is CC BY-NC: it judges, nothing that ships is fitted on it. The weights of the priors and of the
two networks were chosen on these clips (ESC-10, and 50 clips of each class of UrbanSound8K).

    python -m benchmarks.quality.zeroshot [--limit CLIPS-PER-CLASS] [--cache FOLDER]
        [--conditions "clean,SNR 6"]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.quality.classes import ALSO_CALLED, ClassMap
from benchmarks.quality.clips import CONDITIONS, CORPORA, RATE, Clip
from benchmarks.quality.hearing import HOP, Heard, hear_all
from benchmarks.support.report import table
from detector.assemble.stages import make_pipeline
from detector.backends.bundle import Bundle, load_bundle
from detector.backends.prior import logistic
from detector.config.settings import Settings
from detector.records import Block, ModelSpec, Scores, Window

YAMNET, MN04, BOTH = (load_bundle(ROOT / "models" / name) for name in ("yamnet", "mn04", "yamnet+mn04"))

Odds = NDArray[np.float32]


def main() -> None:
    """Print one table by scores and one by events."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.zeroshot", description=__doc__)
    parser.add_argument("--limit", type=int, help="clips of each class (default: all)")
    parser.add_argument("--cache", type=Path, help="folder for the networks' scores, to go on from")
    parser.add_argument("--conditions", default=",".join(CONDITIONS))
    arguments = parser.parse_args()
    conditions = arguments.conditions.split(",")
    for name, corpus in CORPORA.items():
        clips = corpus(arguments.limit)
        if not clips:
            continue
        by_scores: dict[str, list[str]] = {model: [model] for model in MODELS}
        by_events: dict[str, list[str]] = {model: [model] for model in MODELS}
        for condition in conditions:
            heard = hear_all(clips, condition, arguments.cache, name)
            for model, (spec, odds) in MODELS.items():
                scores = [logistic(odds(one)) for one in heard]
                by_scores[model].append(f"{_top1(clips, scores, spec):.1f}")
                right, nothing = _by_events(clips, scores, spec, condition)
                by_events[model].append(f"{right:.1f} ({nothing:.1f})")
        print(f"\n{name}, {len(clips)} clips, top-1 of the mean score [%]\n")
        print(table([["", *conditions], *by_scores.values()]))
        print(f"\n{name}, top-1 by events, in brackets clips without an event of any class [%]\n")
        print(table([["", *conditions], *by_events.values()]))


def _prior(bundle: Bundle) -> Odds:
    return np.array(bundle.prior, np.float32)


def _of_both() -> Callable[[Heard], Odds]:
    places = {label.class_id: column for column, label in enumerate(MN04.spec.labels)}
    columns = np.array([places[label.class_id] for label in BOTH.spec.labels])
    weight = {member.model: np.float32(member.weight) for member in BOTH.members}

    def odds(one: Heard) -> Odds:
        mn04 = (one.mn04 - _prior(MN04))[:, columns]
        total = weight["yamnet"] * (one.yamnet - _prior(YAMNET)) + weight["mn04"] * mn04
        biased: Odds = total + np.float32(BOTH.bias)
        return biased

    return odds


MODELS: dict[str, tuple[ModelSpec, Callable[[Heard], Odds]]] = {
    "yamnet without prior": (YAMNET.spec, lambda one: one.yamnet),
    "yamnet": (YAMNET.spec, lambda one: one.yamnet - _prior(YAMNET)),
    "mn04 without prior": (MN04.spec, lambda one: one.mn04),
    "mn04": (MN04.spec, lambda one: one.mn04 - _prior(MN04)),
    "yamnet+mn04": (BOTH.spec, _of_both()),
}
"""Name -> what it can say, and how to get there from both networks' log-odds."""


def _top1(clips: Sequence[Clip], scores: Sequence[Odds], spec: ModelSpec) -> float:
    classes = ClassMap([label.name for label in spec.labels])
    right = [
        classes.best(values.mean(axis=0)) == ALSO_CALLED[clip.kind]
        for clip, values in zip(clips, scores, strict=True)
    ]
    return 100 * float(np.mean(right))


def _by_events(
    clips: Sequence[Clip], scores: Sequence[Odds], spec: ModelSpec, condition: str
) -> tuple[float, float]:
    """Share of clips whose best event is right, and of those that have none [%]."""
    classes = ClassMap([label.name for label in spec.labels])
    window = spec.window * RATE // spec.sample_rate
    at_rate = replace(spec, sample_rate=RATE, window=window)
    right = nothing = 0
    for clip, values in zip(clips, scores, strict=True):
        pipeline = make_pipeline(Settings(), _Said(at_rate, values))
        told = pipeline.push(Block(0, clip.samples(condition))) + pipeline.flush()
        best = {
            kind: event.top_score
            for event in sorted(told, key=lambda event: event.top_score)
            if (kind := classes.of(event.label.name)) is not None
        }
        nothing += not best
        right += bool(best) and max(best, key=lambda kind: best[kind]) == ALSO_CALLED[clip.kind]
    return 100 * right / len(clips), 100 * nothing / len(clips)


class _Said:
    """A classifier that has heard the clip before."""

    def __init__(self, spec: ModelSpec, values: Odds) -> None:
        self.spec = spec
        self._values = values

    def scores(self, window: Window) -> Scores:
        """What was said of the window that ends there; of the clip's tail, what was said last."""
        number = min(window.span.stop // HOP, len(self._values)) - 1
        return Scores(window.span, self._values[max(0, number)])

    def close(self) -> None:
        """Nothing to release."""


if __name__ == "__main__":
    main()
