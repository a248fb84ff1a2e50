"""Everything that `sound-detector analyze` needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial

from detector import __version__, modelstore
from detector.analysis.analyzer import Analyzer
from detector.analysis.recording_files import find_recordings
from detector.analysis.session import Session
from detector.analysis.task import AnalyzeRequest
from detector.assemble.alarm_patterns import reported_labels
from detector.assemble.stages import (
    check_labels,
    load_model,
    make_label_map,
    make_pipeline,
    with_resolved_model,
)
from detector.assemble.variants import gated_and_ungated
from detector.audition.side_by_side import GATED, UNGATED, SideBySide
from detector.config.loading import Loaded
from detector.config.settings import Settings
from detector.interfaces import Stage
from detector.records import Block, Event, Label, ModelSpec, Scores
from detector.remote.remote_address import is_address
from detector.workers.tasks import cores

SECTIONS = ("model", "gate", "windows", "level", "events", "alarms")
"""The sections of the settings that a recording's events depend on."""


def analyze_command(request: AnalyzeRequest, loaded: Loaded) -> int:
    """Analyze recordings and return the exit status; raises DetectorError where none of them can be."""
    catalogue = modelstore.ModelCatalogue()
    settings = with_resolved_model(loaded.settings, catalogue)
    with loaded.locating_errors():
        check_labels(settings, catalogue)
    # Workers on other machines begin in another folder.
    paths = request.paths
    if request.dask is not None:
        paths = tuple(path if is_address(path) else os.path.abspath(path) for path in paths)  # noqa: PTH100
    recordings = find_recordings(paths)
    session = Session(
        recordings if request.shard is None else request.shard.of(recordings),
        request.wanted,
        partial(make_analyzer, settings),
        request.jobs or cores(),
        _fingerprint(settings, request.start),
        start=request.start,
        quiet=request.quiet,
        traces=request.traces,
        dask=request.dask,
        has_all=request.shard is None,
    )
    if request.out is not None:
        out = request.out if request.dask is None else request.out.absolute()
        return session.into_folder(out, overwrite=request.overwrite)
    return session.to_stdout()


def make_analyzer(settings: Settings) -> Analyzer:
    """Build what analyzes one recording after the other, in the process that calls this."""
    return Analyzer(_Pipelines(settings, load_model(settings, modelstore.ModelCatalogue())))


class _Pipelines:
    """Fills `analysis.analyzer.Pipelines` from settings."""

    def __init__(self, settings: Settings, model: modelstore.Model) -> None:
        self._settings = settings
        self._model = model

    @property
    def spec(self) -> ModelSpec:
        return self._model.spec

    @property
    def reported(self) -> Sequence[Label]:
        return reported_labels(self._settings, make_label_map(self._settings.events, self.spec))

    def gated(self) -> Stage[Block, Event]:
        return make_pipeline(self._settings, self._model.classifier, self._model.heads)

    def scored(self, keep: Callable[[Scores], None]) -> Stage[Block, Event]:
        return _ScoredPipeline(self._settings, self._model, keep)


class _ScoredPipeline:
    """The daemon's pipeline beside one without a gate, whose scores of every window are given to `keep`."""

    def __init__(self, settings: Settings, model: modelstore.Model, keep: Callable[[Scores], None]) -> None:
        def keep_ungated(name: str, scores: Scores) -> None:
            if name == UNGATED:
                keep(scores)

        self._both = SideBySide(model.classifier, gated_and_ungated(settings, model.heads), keep_ungated)

    def push(self, block: Block) -> list[Event]:
        return self._both.push(block)[GATED]

    def flush(self) -> list[Event]:
        return self._both.flush()[GATED]


def _fingerprint(settings: Settings, start: float | None) -> dict[str, object]:
    """Everything that a recording's events depend on; the number of threads is not part of it."""
    model = replace(settings.model, threads=1)
    decisive = replace(Settings(), model=model, gate=settings.gate, windows=settings.windows)
    decisive = replace(decisive, level=settings.level, events=settings.events, alarms=settings.alarms)
    tree = asdict(decisive)
    kept = {f"{section}.{key}": value for section in SECTIONS for key, value in tree[section].items()}
    return {"program": "sound-detector", "version": __version__, "--start-time": start, **kept}
