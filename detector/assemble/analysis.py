"""Everything that `sound-detector analyze` needs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from detector import __version__, modelstore
from detector.analysis.analyzer import Analyzer
from detector.analysis.formats import SCORES
from detector.analysis.recordings import find_recordings
from detector.analysis.session import Session
from detector.analysis.task import Wanted
from detector.assemble.given import given_settings
from detector.assemble.model import load_model, pinned
from detector.assemble.pipeline import check_labels, make_label_map, make_pipeline
from detector.assemble.variants import gated_and_ungated
from detector.audition.side_by_side import GATED, UNGATED, SideBySide
from detector.config.settings import Settings
from detector.errors import ConfigError, DetectorError
from detector.interfaces import Stage
from detector.records import Block, Event, Label, ModelSpec, Scores
from detector.workers.tasks import cores

INSTALL_PLOT = "pictures need the package matplotlib: pip install 'sound-detector[plot]'"

SECTIONS = ("model", "gate", "windows", "level", "events")
"""Of the settings: those that decide which events a recording has."""


def analyze_command(
    options: argparse.Namespace, overrides: Mapping[str, object], environ: Mapping[str, str]
) -> int:
    """Analyze recordings and return the exit status; raises DetectorError where none of them can be.

    `options` as `detector.cli.analyze` defines them, `overrides` the settings among them.
    """
    loaded = given_settings(options, overrides, environ)
    settings = pinned(loaded.settings)
    with loaded.placing():
        check_labels(settings)
    wanted = _wanted(options)
    session = Session(
        find_recordings(options.places),
        wanted,
        partial(make_analyzer, settings),
        options.jobs or cores(),
        _fingerprint(settings, options.start_time),
        start=options.start_time,
        quiet=options.quiet,
        traces=options.verbose > 1,
    )
    if options.out is not None:
        return session.into_folder(Path(options.out), overwrite=options.overwrite)
    return session.to_stdout()


def _wanted(options: argparse.Namespace) -> Wanted:
    """What to write; raises ConfigError where that needs a folder."""
    formats = tuple(dict.fromkeys(options.formats or ()))
    if not formats:
        formats = ("text",) if options.out is None and sys.stdout.isatty() else ("jsonl",)
    wanted = Wanted(formats, plot=options.plot, report=options.report)
    flags = {"--plot": wanted.plot, "--report": wanted.report, "--format scores": SCORES in formats}
    if options.out is None:
        if needing := [flag for flag, given in flags.items() if given]:
            raise ConfigError(f"{needing[0]} writes files: say where with --out DIR")
        if len(formats) > 1:
            raise ConfigError("standard output takes one --format; for several add --out DIR")
        if options.overwrite:
            raise ConfigError("--overwrite is about the folder of --out DIR, which was not given")
    if wanted.pictures and find_spec("matplotlib") is None:
        raise DetectorError(INSTALL_PLOT)
    return wanted


def make_analyzer(settings: Settings) -> Analyzer:
    """Build what analyzes one recording after the other, in the process that calls this."""
    return Analyzer(_Pipelines(settings, load_model(settings)))


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
        return make_label_map(self._settings.events, self.spec).reported

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
    """All that decides a recording's events; the number of threads does not."""
    model = replace(settings.model, threads=1)
    decisive = replace(Settings(), model=model, gate=settings.gate, windows=settings.windows)
    decisive = replace(decisive, level=settings.level, events=settings.events)
    tree = asdict(decisive)
    kept = {f"{section}.{key}": value for section in SECTIONS for key, value in tree[section].items()}
    return {"program": "sound-detector", "version": __version__, "--start-time": start, **kept}
