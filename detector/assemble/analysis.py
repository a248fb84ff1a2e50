"""Everything that `sound-detector analyze` needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from detector.config.settings import Settings
from detector.errors import ConfigError, DetectorError
from detector.interfaces import Classifier, Stage
from detector.records import Block, Event, Label, ModelSpec, Scores, Span, Window

INSTALL_PLOT = "pictures need the package matplotlib: pip install 'sound-detector[plot]'"

SECTIONS = ("model", "gate", "windows", "level", "events")
"""Of the settings: those that decide which events a recording has."""

KEPT_SCORES = 1024
"""Windows whose scores wait for the gated pipeline: more than a second and a pre-roll of 10 s hold."""


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
        options.jobs or _cores(),
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
    """The daemon's pipeline behind one without a gate, which classifies every window for both.

    A window's place and its gain do not depend on the gate, so the networks score it but once; heads listen
    in each for themselves, for they hear what came before.
    """

    def __init__(self, settings: Settings, model: modelstore.Model, keep: Callable[[Scores], None]) -> None:
        self._classifier = _KeepingClassifier(model.classifier)
        ungated = replace(settings, gate=replace(settings.gate, mode="off"))
        self._ungated = make_pipeline(ungated, self._classifier, model.heads, keep=keep)
        self._gated = make_pipeline(settings, self._classifier, model.heads)

    def push(self, block: Block) -> list[Event]:
        self._ungated.push(block)
        with self._classifier.recalling():
            return self._gated.push(block)

    def flush(self) -> list[Event]:
        self._ungated.flush()
        with self._classifier.recalling():
            return self._gated.flush()


class _KeepingClassifier:
    """Keeps the newest windows' scores, and while `recalling` gives them again."""

    def __init__(self, classifier: Classifier) -> None:
        self.spec = classifier.spec
        self._classifier = classifier
        self._newest: OrderedDict[Span, Scores] = OrderedDict()
        self._recalls = False

    def scores(self, window: Window) -> Scores:
        if self._recalls:
            return self._newest[window.span]
        scores = self._classifier.scores(window)
        self._newest[window.span] = scores
        if len(self._newest) > KEPT_SCORES:
            self._newest.popitem(last=False)
        return scores

    def close(self) -> None:
        self._classifier.close()

    @contextmanager
    def recalling(self) -> Iterator[None]:
        self._recalls = True
        try:
            yield
        finally:
            self._recalls = False


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fingerprint(settings: Settings, start: float | None) -> dict[str, object]:
    """All that decides a recording's events; the number of threads does not."""
    model = replace(settings.model, threads=1)
    decisive = replace(Settings(), model=model, gate=settings.gate, windows=settings.windows)
    decisive = replace(decisive, level=settings.level, events=settings.events)
    tree = asdict(decisive)
    kept = {f"{section}.{key}": value for section in SECTIONS for key, value in tree[section].items()}
    return {"program": "sound-detector", "version": __version__, "--start-time": start, **kept}
