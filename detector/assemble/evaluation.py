"""Everything that `sound-detector evaluate` needs: the daemon's pipeline over recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from detector.assemble.stages import (
    check_labels,
    hop_length,
    load_model,
    select,
    steady_hop_length,
    with_resolved_model,
)
from detector.assemble.variants import gated_and_ungated, recording_opener
from detector.audition.side_by_side import UNGATED
from detector.config.loading import Loaded
from detector.config.settings import AlarmSettings, Settings
from detector.evaluation.command import EvaluateRequest, evaluate
from detector.evaluation.recording_scorer import MakeScorer, RecordingScorer
from detector.modelstore import ModelCatalogue


def evaluate_command(request: EvaluateRequest, loaded: Loaded) -> int:
    """Do what `sound-detector evaluate` was asked."""
    catalogue = ModelCatalogue()
    settings = with_resolved_model(loaded.settings, catalogue)
    # What is judged is the model: a rhythm's label is no class of any truth.
    settings = replace(settings, alarms=AlarmSettings(patterns=False))
    with loaded.locating_errors():
        check_labels(settings, catalogue)
    ungated = request.annotations is not None and not request.verdicts

    def make_scorer(columns: Sequence[Sequence[int]]) -> MakeScorer:
        return ScorerMaker(settings, columns, ungated)

    spec = select(settings, catalogue).spec
    return evaluate(
        request,
        spec,
        make_scorer,
        hop_seconds=hop_length(settings, spec) / spec.sample_rate,
        steady_hop_seconds=steady_hop_length(settings, spec) / spec.sample_rate,
    )


@dataclass(frozen=True)
class ScorerMaker:
    """Builds the same scorer in every process; picklable."""

    settings: Settings
    columns: Sequence[Sequence[int]]
    """For each class, the model's outputs that belong to it."""
    ungated: bool
    """Whether recordings are also scored without the gate."""

    def __call__(self) -> RecordingScorer:
        """Load the model and build the scorer; raises ModelError, ConfigError."""
        model = load_model(self.settings, ModelCatalogue())
        pipelines = dict(gated_and_ungated(self.settings, model.heads))
        if not self.ungated or self.settings.gate.mode == "off":
            del pipelines[UNGATED]
        opener = recording_opener(self.settings, model.spec)
        return RecordingScorer(model.classifier, pipelines, opener, self.columns)
