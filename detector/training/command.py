"""`sound-detector train`: from a dataset to a bundle that the daemon runs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import ConfigError
from detector.evaluation.report_tables import Cell, percent, table
from detector.files.data_folders import models_folder
from detector.files.terminal import escape, escape_lines, print_escaped
from detector.training.bundlefiles import BundleDescription, bundle_texts, check_output_folder, write_bundle
from detector.training.crossvalidation import HeldOutScores, cross_validate, score_unknown_sounds
from detector.training.dataset_checks import Finding, find_shared_names
from detector.training.discriminant_recipe import DiscriminantRecipe, HeadTrial
from detector.training.examples import class_weights, with_background
from detector.training.figures import TrainingFigures, make_figures
from detector.training.folds import fold_numbers
from detector.training.head_recipe import HeadOptions
from detector.training.parity import Parity, check_parity, spread_inputs
from detector.training.prepared_dataset import PreparedDataset, prepare_clips, prepare_recordings
from detector.training.recipe import FitJob, Fitted, NetworkOptions, Recipe
from detector.training.result_facts import json_line, result_facts
from detector.training.scene_trial import SceneFigures
from detector.training.training_page import TrainingReport, page_html
from detector.training.usage_text import use_lines
from detector.workers.progress import Progress, ProgressBars, ProgressLines


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What the command line asked for."""

    paths: tuple[Path, ...]
    out: Path
    model: HeadOptions | NetworkOptions
    """What is to be trained, and how."""
    annotations: Path | None = None
    """A folder of annotations: the paths are recordings, not a dataset of clips."""
    layout: str | None = None
    licence: str = "unknown"
    attribution: str = ""
    folds: int | None = None
    """None: the dataset's own, else five."""
    quick: bool = False
    """Try out on one fold only."""
    seed: int = 0
    overwrite: bool = False
    jobs: int = 0
    quiet: bool = False
    as_json: bool = False
    """JSON lines on standard output: the progress, then the result."""


@dataclass(frozen=True, slots=True)
class TrainingMethod:
    """How to train: a head or a network, chosen before the dataset is read."""

    prepare: Callable[[PreparedDataset, Progress], Recipe]
    """Dataset -> the recipe, which may compute the embeddings of all recordings first."""
    section_seconds: float
    """Annotated recordings are cut into sections of this length."""
    base: str = ""
    """The model whose embeddings a head reads; empty for a network."""
    base_labels: Mapping[str, str] = field(default_factory=dict)
    """The base's own labels: lower-case name -> name."""
    checkpoint: Path | None = None
    """Where an interrupted training keeps its state; None where nothing needs to be kept."""


def train(request: TrainRequest, method: TrainingMethod) -> int:
    """Train, print findings and figures; the exit status is 1 where a file had to be left out."""
    check_output_folder(request.out, overwrite=request.overwrite)
    try:
        with closing(ProgressLines() if request.as_json else ProgressBars(quiet=request.quiet)) as bars:
            dataset = _prepare(request, method, bars)
            if isinstance(request.model, HeadOptions) and request.model.kind == "discriminant":
                dataset = replace(dataset, example_set=with_background(dataset.example_set))
            shared_names = find_shared_names(
                dataset.example_set.task.classes, method.base_labels, request.out.name, method.base
            )
            findings = [*dataset.findings, *shared_names]
            _print_dataset(dataset, findings)
            recipe = method.prepare(dataset, bars)
            report = _make(request, method, dataset, findings, recipe, bars)
    except KeyboardInterrupt:
        kept = (
            "the epochs trained so far are kept"
            if method.checkpoint
            else "the embeddings computed so far are kept"
        )
        print(f"sound-detector: stopped; {kept}: run the same command again to continue", file=sys.stderr)
        raise
    if method.checkpoint is not None:
        shutil.rmtree(method.checkpoint, ignore_errors=True)
    if request.as_json:
        print(json_line(result_facts(report)), flush=True)
    else:
        sys.stdout.write(escape_lines(_text(report, request, method)))
    return 1 if any(finding.left_out for finding in findings) else 0


def _prepare(request: TrainRequest, method: TrainingMethod, progress: Progress) -> PreparedDataset:
    if request.annotations is not None:
        return prepare_recordings(
            request.paths,
            request.annotations,
            section_seconds=method.section_seconds,
            seed=request.seed,
            jobs=request.jobs,
            progress=progress,
        )
    if len(request.paths) != 1:
        raise ConfigError(f"expected one dataset, got {len(request.paths)}; recordings need --annotations")
    return prepare_clips(
        request.paths[0], request.layout, seed=request.seed, jobs=request.jobs, progress=progress
    )


def _make(
    request: TrainRequest,
    method: TrainingMethod,
    dataset: PreparedDataset,
    findings: Sequence[Finding],
    recipe: Recipe,
    progress: Progress,
) -> TrainingReport:
    """Cross-validate, train on everything, write the bundle."""
    example_set = dataset.example_set
    folds = fold_numbers(example_set, request.folds)
    trial = None
    if isinstance(recipe, DiscriminantRecipe):
        progress("trying it in scenes", 0, 1)
        trial = recipe.try_out(example_set, folds)
        progress("trying it in scenes", 1, 1)
        recipe = recipe.with_trial(trial)
        of_trial = recipe.findings(trial, example_set)
        print_findings(of_trial)
        findings = [*findings, *of_trial]
    held_out, figures = _cross_validate(
        recipe, dataset, folds, request.quick, method.checkpoint, progress, trial
    )
    fitted = recipe.fit(
        FitJob(
            example_set.task,
            example_set.examples,
            [],
            weights=class_weights(example_set.targets),
            progress=progress,
            checkpoint=None if method.checkpoint is None else method.checkpoint / "all",
            epochs=held_out.epochs,
        )
    )
    files, parity = _export(fitted, dataset)
    report = TrainingReport(
        name=request.out.name,
        recipe=recipe.description,
        dataset=dataset,
        findings=tuple(findings),
        fold_count=len(np.unique(folds)),
        held_out_folds=len(held_out.histories),
        figures=figures,
        histories=held_out.histories,
        parity=parity,
        bytes_of={kind: len(content) for kind, content in files.items()},
        seed=request.seed,
        licence=request.licence,
    )
    about = BundleDescription(
        name=request.out.name,
        description=_description(recipe, dataset),
        licence=request.licence,
        attribution=request.attribution,
        thresholds={name: one.threshold for name, one in figures.classes.items()},
        metrics=figures.numbers(),
    )
    contents = bundle_texts(about, example_set.task, recipe, files)
    write_bundle(request.out, contents | {"report.html": page_html(report).encode(errors="backslashreplace")})
    return report


def _cross_validate(
    recipe: Recipe,
    dataset: PreparedDataset,
    folds: NDArray[np.intp],
    quick: bool,
    checkpoint: Path | None,
    progress: Progress,
    trial: HeadTrial | None,
) -> tuple[HeldOutScores, TrainingFigures]:
    numbers = np.unique(folds).tolist()
    held_out = cross_validate(
        recipe,
        dataset.example_set,
        folds,
        numbers[:1] if quick else numbers,
        checkpoint=checkpoint,
        progress=progress,
    )
    if trial is not None:
        return held_out, make_figures(dataset.example_set, folds, held_out, [], trial)
    # Fitting anew without each class takes seconds for a head, hours for a network.
    unknown = score_unknown_sounds(recipe, dataset.example_set, progress) if recipe.head is not None else []
    return held_out, make_figures(dataset.example_set, folds, held_out, unknown)


def _export(fitted: Fitted, dataset: PreparedDataset) -> tuple[dict[str, bytes], Parity]:
    from detector.graphs.onnx_file import to_onnx
    from detector.graphs.tflite_file import to_tflite

    files = {"tflite": to_tflite(fitted.graph), "onnx": to_onnx(fitted.graph)}
    inputs = spread_inputs([fitted.inputs(example) for example in dataset.example_set.examples])
    return files, check_parity(fitted.graph, files, inputs)


def _description(recipe: Recipe, dataset: PreparedDataset) -> str:
    names = [name for name in dataset.example_set.task.classes if name != dataset.example_set.task.background]
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"{shown}: {recipe.description}"


def _print_dataset(dataset: PreparedDataset, findings: Sequence[Finding]) -> None:
    task = dataset.example_set.task
    kind = "sections" if task.multilabel else "clips"
    print(
        f"{len(dataset.example_set.examples)} {kind}, {dataset.seconds / 60:.1f} minutes, "
        f"{dataset.example_set.class_count} classes",
        file=sys.stderr,
    )
    print_findings(findings)


def print_findings(findings: Sequence[Finding]) -> None:
    """Write each on standard error, with the first of its files."""
    for finding in findings:
        print_escaped(f"note: {finding.text}", sys.stderr)
        for path in finding.paths[:5]:
            print_escaped(f"      {escape(str(path))}", sys.stderr)
        if len(finding.paths) > 5:
            print(f"      and {len(finding.paths) - 5} more, see report.html", file=sys.stderr)


def scene_lines(figures: SceneFigures) -> str:
    """What simulated scenes of held-out clips gave, in one line and its explanation."""
    return (
        f"in simulated scenes of held-out clips ({figures.sounds} sounds, levels and backgrounds drawn): "
        f"{100 * figures.found:.0f} % found, {figures.wrong_per_hour:.0f} wrong events an hour, "
        f"{figures.latency:.2f} s after the onset\n\n"
    )


def _text(report: TrainingReport, request: TrainRequest, method: TrainingMethod) -> str:
    rows: list[list[Cell]] = [["class", "clips", "threshold", "precision", "recall", "F1"]]
    rows += [
        [
            name,
            one.examples,
            f"{one.threshold:.2f}",
            *map(percent, (one.precision, one.recall, one.f1)),
        ]
        for name, one in report.figures.classes.items()
    ]
    numbers = "".join(f"{name:32} {value:5.1f} %\n" for name, value in report.figures.numbers().items())
    scenes = "" if report.figures.scenes is None else scene_lines(report.figures.scenes)
    use = use_lines(request.out, method.base, models_folder())
    written = f"{report.parity}\n\n{request.out}: written; report.html has the details\n{use}"
    return f"\n{scenes}{numbers}\n{table(rows)}\n{written}"
