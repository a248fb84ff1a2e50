"""`sound-detector train`: from a dataset to a bundle that the daemon runs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import ConfigError
from detector.evaluation.report import Cell, percent, table
from detector.modelstore.folders import models_folder
from detector.training.agreement import Agreement, check_agreement, spread_inputs
from detector.training.bars import Bars
from detector.training.bundlefiles import About, bundle_texts, check_out, write_bundle
from detector.training.care import Finding, clashes
from detector.training.crossvalidation import HeldOut, cross_validate, strangers
from detector.training.figures import Figures, make_figures
from detector.training.folds import fold_numbers
from detector.training.material import class_weights
from detector.training.page import Made, page_html
from detector.training.recipe import Fitted, Progress, Recipe
from detector.training.study import Study, study_clips, study_recordings
from detector.training.usage import use_lines


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    paths: tuple[Path, ...]
    out: Path
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


@dataclass(frozen=True, slots=True)
class Way:
    """How to train, once it is known what there is to hear."""

    prepare: Callable[[Sequence[Path], Progress], Recipe]
    """Recordings -> the recipe, which may listen to all of them first."""
    stretch_seconds: float
    """Into stretches of this length annotated recordings are cut."""
    base: str = ""
    """The model that a head stands beside; empty for a network."""
    base_labels: Mapping[str, str] = field(default_factory=dict)
    """What the base names itself: lower case -> name."""
    checkpoint: Path | None = None
    """Where a break leaves what is trained so far; None where nothing is worth keeping."""


def train(request: Request, way: Way) -> int:
    """Do it, say what was found and how good it is; the status is 1 where a file had to be left out."""
    check_out(request.out, overwrite=request.overwrite)
    try:
        with Bars(quiet=request.quiet) as bars:
            study = _study(request, way, bars)
            known = clashes(study.material.task.classes, way.base_labels, request.out.name, way.base)
            findings = [*study.findings, *known]
            _say_study(study, findings)
            recipe = way.prepare(study.paths, bars)
            made = _make(request, way, study, findings, recipe, bars)
    except KeyboardInterrupt:
        kept = "what was trained is kept" if way.checkpoint else "what was listened to is kept"
        print(f"sound-detector: stopped; {kept}: the same command goes on from there", file=sys.stderr)
        raise
    if way.checkpoint is not None:
        shutil.rmtree(way.checkpoint, ignore_errors=True)
    sys.stdout.write(_text(made, request, way))
    return 1 if any("left out" in finding.text for finding in findings) else 0


def _study(request: Request, way: Way, progress: Progress) -> Study:
    if request.annotations is not None:
        return study_recordings(
            request.paths,
            request.annotations,
            stretch_seconds=way.stretch_seconds,
            seed=request.seed,
            jobs=request.jobs,
            progress=progress,
        )
    if len(request.paths) != 1:
        raise ConfigError(f"expected one dataset, got {len(request.paths)}; recordings need --annotations")
    return study_clips(
        request.paths[0], request.layout, seed=request.seed, jobs=request.jobs, progress=progress
    )


def _make(
    request: Request,
    way: Way,
    study: Study,
    findings: Sequence[Finding],
    recipe: Recipe,
    progress: Progress,
) -> Made:
    """Try it out on folds, learn from everything, write the bundle."""
    material = study.material
    folds = fold_numbers(material, request.folds)
    held_out, figures = _try_out(recipe, study, folds, request.quick, way.checkpoint, progress)
    fitted = recipe.fit(
        material.task,
        material.examples,
        [],
        weights=class_weights(material.targets),
        checkpoint=None if way.checkpoint is None else way.checkpoint / "all",
        progress=progress,
        epochs=held_out.epochs,
    )
    files, agreement = _written(fitted, study)
    made = Made(
        name=request.out.name,
        recipe=recipe.description,
        study=study,
        findings=tuple(findings),
        fold_count=len(np.unique(folds)),
        tried_folds=len(held_out.histories),
        figures=figures,
        histories=held_out.histories,
        agreement=agreement,
        bytes_of={kind: len(content) for kind, content in files.items()},
        seed=request.seed,
        licence=request.licence,
    )
    about = About(
        name=request.out.name,
        description=_description(recipe, study),
        licence=request.licence,
        attribution=request.attribution,
        thresholds={name: one.threshold for name, one in figures.classes.items()},
        metrics=figures.numbers(),
    )
    contents = bundle_texts(about, material.task, recipe, files)
    write_bundle(request.out, contents | {"report.html": page_html(made).encode()})
    return made


def _try_out(
    recipe: Recipe,
    study: Study,
    folds: NDArray[np.intp],
    quick: bool,
    checkpoint: Path | None,
    progress: Progress,
) -> tuple[HeldOut, Figures]:
    numbers = np.unique(folds).tolist()
    held_out = cross_validate(
        recipe,
        study.material,
        folds,
        numbers[:1] if quick else numbers,
        checkpoint=checkpoint,
        progress=progress,
    )
    # Fitting anew without each class takes seconds for a head, hours for a network.
    strange = strangers(recipe, study.material, progress=progress) if recipe.head is not None else []
    return held_out, make_figures(study.material, folds, held_out, strange)


def _written(fitted: Fitted, study: Study) -> tuple[dict[str, bytes], Agreement]:
    from detector.graphs.onnx_file import to_onnx
    from detector.graphs.tflite_file import to_tflite

    files = {"tflite": to_tflite(fitted.graph), "onnx": to_onnx(fitted.graph)}
    inputs = spread_inputs([fitted.inputs(example) for example in study.material.examples])
    return files, check_agreement(fitted.graph, files, inputs)


def _description(recipe: Recipe, study: Study) -> str:
    names = [name for name in study.material.task.classes if name != study.material.task.background]
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"{shown}: {recipe.description}"


def _say_study(study: Study, findings: Sequence[Finding]) -> None:
    task = study.material.task
    kind = "stretches" if task.multilabel else "clips"
    print(
        f"{len(study.material.examples)} {kind}, {study.seconds / 60:.1f} minutes, "
        f"{len(task.classes)} classes",
        file=sys.stderr,
    )
    for finding in findings:
        print(f"note: {finding.text}", file=sys.stderr)
        for path in finding.paths[:5]:
            print(f"      {path}", file=sys.stderr)
        if len(finding.paths) > 5:
            print(f"      and {len(finding.paths) - 5} more, see report.html", file=sys.stderr)


def _text(made: Made, request: Request, way: Way) -> str:
    rows: list[list[Cell]] = [["class", "clips", "threshold", "precision", "recall", "F1"]]
    rows += [
        [
            name,
            one.examples,
            f"{one.threshold:.2f}",
            *map(percent, (one.precision, one.recall, one.f1)),
        ]
        for name, one in made.figures.classes.items()
    ]
    numbers = "".join(f"{name:32} {value:5.1f} %\n" for name, value in made.figures.numbers().items())
    use = use_lines(request.out, way.base, models_folder())
    written = f"{made.agreement}\n\n{request.out}: written; report.html says more\n{use}"
    return f"\n{numbers}\n{table(rows)}\n{written}"
