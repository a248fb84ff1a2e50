"""Pipelines for recordings: as the settings say, and without the gate; and the recordings as sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from detector.assemble.endpoints import make_source
from detector.assemble.source_channels import block_length
from detector.assemble.stages import hop_length, make_pipeline
from detector.audition.side_by_side import GATED, UNGATED, MakeSource
from detector.config.settings import Settings
from detector.events.heads import HeadSet
from detector.interfaces import Classifier, Source
from detector.pipeline import Pipeline
from detector.records import ModelSpec, Scores


@dataclass(frozen=True)
class PipelineMaker:
    """Fills `MakePipeline` with settings."""

    settings: Settings
    heads: HeadSet | None = None

    def __call__(self, classifier: Classifier, /, keep: Callable[[Scores], None] | None = None) -> Pipeline:
        """Build a pipeline with these settings around the classifier."""
        return make_pipeline(self.settings, classifier, self.heads, keep=keep)


def classifying_everything(settings: Settings) -> Settings:
    """The same settings, with the gate always open and no longer hop anywhere."""
    return replace(with_one_hop(settings), gate=replace(settings.gate, mode="off"))


def with_one_hop(settings: Settings) -> Settings:
    """The same settings, with all windows `hop_seconds` apart, also where nothing new sounds."""
    windows = replace(settings.windows, steady_hop_seconds=settings.windows.hop_seconds)
    return replace(settings, windows=windows)


def gated_and_ungated(settings: Settings, heads: HeadSet | None = None) -> Mapping[str, PipelineMaker]:
    """Both pipelines by their names."""
    return {
        GATED: PipelineMaker(settings, heads),
        UNGATED: PipelineMaker(classifying_everything(settings), heads),
    }


def recording_opener(settings: Settings, spec: ModelSpec) -> MakeSource:
    """What makes a source of a recording, at full speed and in blocks as the daemon's."""
    block = block_length(hop_length(settings, spec), spec.sample_rate)

    def open_recording(path: Path, /) -> Source:
        wanted = replace(settings.source, input=str(path), realtime=False, name=None)
        return make_source(wanted, sample_rate=spec.sample_rate, block_length=block)

    return open_recording
