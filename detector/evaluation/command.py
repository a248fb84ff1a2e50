"""`sound-detector evaluate`: on the clips of a dataset, or on annotated recordings."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.backends.extra_packages import check_installed
from detector.datasets.labelled_clips import BACKGROUND, class_of, read_dataset
from detector.datasets.truths import Truth, find_sound_files, read_truths
from detector.errors import DatasetError
from detector.evaluation.class_map import SHIPPED, ClassMap, make_class_map, read_map
from detector.evaluation.clip_evaluation import evaluate_clips
from detector.evaluation.clip_report import clip_files, clip_json, clip_text
from detector.evaluation.recording_evaluation import evaluate_recordings
from detector.evaluation.recording_report import recording_files, recording_json, recording_text
from detector.evaluation.recording_scorer import MakeScorerFor
from detector.evaluation.report_tables import make_folder, write_files
from detector.evaluation.verdict_evaluation import evaluate_verdicts
from detector.evaluation.verdict_report import verdict_files, verdict_json, verdict_text
from detector.files.terminal import data_for, escape_lines
from detector.records import ModelSpec


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What the command line asked for."""

    paths: tuple[Path, ...]
    annotations: Path | None = None
    """A folder of annotations, or one table of several recordings."""
    layout: str | None = None
    map_file: Path | None = None
    ignore: tuple[str, ...] = ()
    """Labels, with their kinds, that are not counted in recordings."""
    verdicts: tuple[int, ...] = ()
    """How many verdicts in each recording are simulated; empty for the figures of the events themselves."""
    out: Path | None = None
    overwrite: bool = False
    as_json: bool = False
    jobs: int = 0
    quiet: bool = False


def evaluate(
    request: EvaluateRequest,
    spec: ModelSpec,
    make_scorer: MakeScorerFor,
    *,
    hop_seconds: float,
    steady_hop_seconds: float,
) -> int:
    """Evaluate and print the figures; the status is 1 where a file could not be read.

    `hop_seconds` is the time from one window to the next, `steady_hop_seconds` where nothing new sounds.
    """
    if request.out is not None:
        make_folder(request.out, overwrite=request.overwrite)
    table = read_map(request.map_file) if request.map_file else {}
    if request.annotations is None:
        return _clips(request, spec, make_scorer, table)
    return _recordings(
        request, request.annotations, spec, make_scorer, table, hop_seconds, steady_hop_seconds
    )


def _clips(
    request: EvaluateRequest, spec: ModelSpec, make_scorer: MakeScorerFor, table: Mapping[str, Sequence[str]]
) -> int:
    if len(request.paths) != 1:
        raise DatasetError(f"expected one dataset, got {len(request.paths)}; recordings need --annotations")
    dataset = read_dataset(request.paths[0], request.layout)
    classes = _map([n for n in dataset.classes if class_of(n) != BACKGROUND], spec, table, request)
    check_installed({"sklearn": "scikit-learn"} | ({"matplotlib": "matplotlib"} if request.out else {}))
    report = evaluate_clips(dataset, classes, make_scorer, jobs=request.jobs, quiet=request.quiet)
    if request.out is not None:
        write_files(request.out, clip_files(report))
    _say(clip_json(report) if request.as_json else clip_text(report), request)
    return 1 if report.unreadable else 0


def _recordings(
    request: EvaluateRequest,
    annotations: Path,
    spec: ModelSpec,
    make_scorer: MakeScorerFor,
    table: Mapping[str, Sequence[str]],
    hop_seconds: float,
    steady_hop_seconds: float,
) -> int:
    truths = read_truths(find_sound_files(request.paths), annotations)
    wanted = {annotation.label for truth in truths for annotation in truth.annotations}
    classes = _map(sorted(wanted), spec, table, request)
    ignored = _map(request.ignore, spec, table, request).of_label
    if request.verdicts:
        return _verdicts(request, truths, classes, make_scorer, spec, ignored)
    check_installed({name: name for name in ("sed_eval", "dcase_util", "sed_scores_eval")})
    report = evaluate_recordings(
        truths,
        classes,
        make_scorer,
        window_seconds=spec.window / spec.sample_rate,
        hop_seconds=hop_seconds,
        steady_hop_seconds=steady_hop_seconds,
        ignored=frozenset(ignored),
        jobs=request.jobs,
        quiet=request.quiet,
    )
    if request.out is not None:
        write_files(request.out, recording_files(report))
    _say(recording_json(report) if request.as_json else recording_text(report), request)
    return 1 if report.unreadable else 0


def _verdicts(
    request: EvaluateRequest,
    truths: Sequence[Truth],
    classes: ClassMap,
    make_scorer: MakeScorerFor,
    spec: ModelSpec,
    ignored: Collection[str],
) -> int:
    report = evaluate_verdicts(
        truths,
        classes,
        make_scorer,
        spec,
        asked=request.verdicts,
        ignored=ignored,
        jobs=request.jobs,
        quiet=request.quiet,
    )
    if request.out is not None:
        write_files(request.out, verdict_files(report))
    _say(verdict_json(report) if request.as_json else verdict_text(report), request)
    return 1 if report.unreadable else 0


def _map(
    classes: Sequence[str], spec: ModelSpec, table: Mapping[str, Sequence[str]], request: EvaluateRequest
) -> ClassMap:
    where = f"as {request.map_file} says" if request.map_file else "name its labels with --map FILE"
    return make_class_map(classes, spec.labels, table, shipped=read_map(SHIPPED), where=where)


def _say(text: str, request: EvaluateRequest) -> None:
    sys.stdout.write(data_for(sys.stdout, text) if request.as_json else escape_lines(text))
