"""An ear for `sound-detector evaluate`: the daemon's pipeline over recordings, with and without the gate."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detector.assemble.daemon import block_length
from detector.assemble.edges import make_source
from detector.assemble.given import given_settings
from detector.assemble.model import load_model, pinned, select
from detector.assemble.pipeline import check_labels, hop_length, make_pipeline
from detector.cli.evaluate import evaluate_request
from detector.config.settings import Settings
from detector.evaluation.command import evaluate
from detector.evaluation.hearing import Ear, MakeEar
from detector.events.heads import HeadSet
from detector.interfaces import Classifier, Source
from detector.pipeline import Pipeline
from detector.records import ModelSpec, Scores

GATED, UNGATED = "as set", "gate off"


def evaluate_command(
    options: argparse.Namespace, overrides: Mapping[str, object], environ: Mapping[str, str]
) -> int:
    """Do what `sound-detector evaluate` was asked; `overrides`: the settings among `options`."""
    loaded = given_settings(options, overrides, environ)
    settings = pinned(loaded.settings)
    with loaded.placing():
        check_labels(settings)
    ungated = options.annotations is not None

    def make_ear(columns: Sequence[Sequence[int]]) -> MakeEar:
        return EarMaker.of(settings, columns, ungated=ungated)

    spec = model_spec(settings)
    hop_seconds = hop_length(settings, spec) / spec.sample_rate
    return evaluate(evaluate_request(options, hop_seconds=hop_seconds), spec, make_ear)


def model_spec(settings: Settings) -> ModelSpec:
    """The model's description; needs no model file."""
    return select(settings).spec


@dataclass(frozen=True)
class EarMaker:
    """Builds the same ear in every process; picklable."""

    variants: Mapping[str, Settings]
    """Name -> the settings to hear with; all of one model."""
    columns: Sequence[Sequence[int]]
    """For each class, the model's outputs that speak for it."""

    @classmethod
    def of(cls, settings: Settings, columns: Sequence[Sequence[int]], *, ungated: bool) -> EarMaker:
        """With the settings as they are, and with `ungated` also with the gate off."""
        variants = {GATED: settings}
        if ungated and settings.gate.mode != "off":
            variants[UNGATED] = replace(settings, gate=replace(settings.gate, mode="off"))
        return cls(variants, columns)

    def __call__(self) -> Ear:
        """Load the model and build the ear; raises ModelError, ConfigError."""
        first = next(iter(self.variants.values()))
        model = load_model(first)
        spec = model.spec
        block = block_length(hop_length(first, spec), spec.sample_rate)

        def source(path: Path, /) -> Source:
            settings = replace(first.source, input=str(path), realtime=False, name=None)
            return make_source(settings, sample_rate=spec.sample_rate, block_length=block)

        pipelines = {name: _Factory(settings, model.heads) for name, settings in self.variants.items()}
        return Ear(model.classifier, pipelines, source, self.columns)


@dataclass(frozen=True)
class _Factory:
    settings: Settings
    heads: HeadSet | None

    def __call__(self, classifier: Classifier, /, keep: Callable[[Scores], None] | None = None) -> Pipeline:
        return make_pipeline(self.settings, classifier, self.heads, keep=keep)
