"""The report of a training: one HTML page that needs nothing else but the clips it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from detector.analysis.html_parts import document, facts_html
from detector.training.curves import curves_svg
from detector.training.dataset_checks import Finding
from detector.training.figures import DoubtfulExample, TrainingFigures
from detector.training.parity import Parity
from detector.training.prepared_dataset import PreparedDataset
from detector.training.scene_trial import SceneFigures

MOST_DOUBTFUL = 30
MOST_PATHS = 200


@dataclass(frozen=True, slots=True, eq=False)
class TrainingReport:
    """All that is known of a model when it is written."""

    name: str
    recipe: str
    """How it was made, in one line."""
    dataset: PreparedDataset
    findings: tuple[Finding, ...]
    fold_count: int
    held_out_folds: int
    """How many of them were held out, one after the other."""
    figures: TrainingFigures
    histories: Sequence[Sequence[Mapping[str, float]]]
    """Of each fold's fit."""
    parity: Parity
    bytes_of: Mapping[str, int]
    """Kind of file -> its size."""
    seed: int
    licence: str


def page_html(report: TrainingReport) -> str:
    """Render it."""
    task = report.dataset.example_set.task
    numbers = [(f"{value:.1f} %", name) for name, value in report.figures.numbers().items()]
    facts = [
        (str(len(report.dataset.example_set.examples)), "sections" if task.multilabel else "clips"),
        (str(report.dataset.example_set.class_count), "classes"),
        (f"{report.dataset.seconds / 60:.0f} min", "sound"),
        *numbers,
    ]
    body = [
        f"<h1>{escape(report.name)}</h1><p class='about'>{escape(report.recipe)}</p>",
        facts_html(facts),
        f'<p class="note">{_how(report)}</p>',
        _findings(report.findings),
        _classes(report),
        _confusion(report),
        _curves(report),
        _doubtful(report),
        _files(report),
    ]
    return document(report.name, "".join(body), made_by="train")


def _how(report: TrainingReport) -> str:
    scenes = report.figures.scenes
    of_scenes = "" if scenes is None else _scenes(scenes)
    return (
        f"The figures were measured on clips that were held out: {report.held_out_folds} of "
        f"{report.fold_count} folds, and no recording lies in two folds. {of_scenes}The thresholds were "
        f"chosen on the same clips, so the figures for events are a little too good. Seed {report.seed}."
    )


def _scenes(scenes: SceneFigures) -> str:
    return (
        "Each clip was also laid over backgrounds at drawn levels, and these scenes ran through the daemon's "
        f"pipeline: of {scenes.sounds} sounds {_share(scenes.found)} were found, "
        f"{scenes.wrong_per_hour:.0f} events an hour were wrong, and the median event was reported "
        f"{scenes.latency:.2f} s after its onset. Unknown sounds are those that come with the program, each "
        "scored by a model that had not learned its kind. "
    )


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<section><h2>The data</h2><p>No problems were found.</p></section>"
    items = []
    for finding in findings:
        paths = "".join(f"<li>{escape(str(path))}</li>" for path in finding.paths[:MOST_PATHS])
        rest = len(finding.paths) - MOST_PATHS
        more = f"<li>and {rest} more</li>" if rest > 0 else ""
        listed = f"<details><summary>which</summary><ul>{paths}{more}</ul></details>" if paths else ""
        items.append(f"<li>{escape(finding.text)}{listed}</li>")
    return f"<section><h2>The data</h2><ul>{''.join(items)}</ul></section>"


def _classes(report: TrainingReport) -> str:
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="bar"><i style="width:{_percent(one.f1):.1f}%"></i></td>'
        + "".join(
            f'<td class="n">{cell}</td>'
            for cell in (
                *(_share(value) for value in (one.f1, one.precision, one.recall)),
                f"{one.threshold:.2f}",
                one.examples,
            )
        )
        + "</tr>"
        for name, one in report.figures.classes.items()
    )
    head = "".join(f'<th class="n">{word}</th>' for word in ("F1", "precision", "recall", "threshold", "of"))
    return (
        '<section><h2>Classes, as events</h2><div class="scroll"><table><thead><tr><th>class</th><th></th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _confusion(report: TrainingReport) -> str:
    counts, classes = report.figures.confusion, report.dataset.example_set.task.classes
    if not counts.size:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in classes)
    rows = []
    for name, row in zip(classes, counts, strict=True):
        most = max(1, int(row.sum()))
        cells = "".join(
            f'<td style="background:rgba(var(--hot),{0.8 * count / most:.2f})">{count or "·"}</td>'
            for count in row.tolist()
        )
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        '<section><h2>Confusion: true by highest mean score</h2><div class="scroll"><table class="hours">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _curves(report: TrainingReport) -> str:
    drawn = [
        curves_svg(report.histories, "loss", "training loss, one line for each fold"),
        curves_svg(report.histories, "validation_loss", "loss on held-out clips"),
        curves_svg(report.histories, "validation_accuracy", "accuracy on held-out clips"),
    ]
    if not any(drawn):
        return ""
    return f"<section><h2>Training</h2>{''.join(drawn)}</section>"


def _doubtful(report: TrainingReport) -> str:
    worst = report.figures.doubtful[:MOST_DOUBTFUL]
    if not worst:
        return ""
    rows = "".join(_doubtful_row(report, one) for one in worst)
    head = '<th>clip</th><th>true</th><th>heard</th><th class="n">score</th><th class="n">own</th><th></th>'
    rest = len(report.figures.doubtful) - len(worst)
    note = f'<p class="note">and {rest} more</p>' if rest > 0 else ""
    return (
        "<section><h2>Clips to listen to</h2>"
        '<p class="note">The model took these held-out clips for another class: mislabelled, or hard.</p>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}'
        "</section>"
    )


def _doubtful_row(report: TrainingReport, one: DoubtfulExample) -> str:
    example_set = report.dataset.example_set
    example = example_set.examples[one.index]
    own = [name for name, there in zip(example_set.task.classes, example.targets, strict=True) if there]
    part = f"#t={example.start:g},{example.stop:g}" if example.stop is not None else ""
    address = escape(example.path.resolve().as_uri() + part, quote=True)
    return (
        f"<tr><td>{escape(example.path.name)}{escape(part and f' at {example.start:g} s')}</td>"
        f"<td>{escape(', '.join(own) or 'nothing')}</td><td>{escape(one.heard_as)}</td>"
        f'<td class="n">{one.score:.2f}</td><td class="n">{one.own_score:.2f}</td>'
        f'<td><audio controls preload="none" src="{address}"></audio></td></tr>'
    )


def _files(report: TrainingReport) -> str:
    sizes = ", ".join(f"model.{kind} {size / 1000:.0f} kB" for kind, size in report.bytes_of.items())
    return (
        f"<section><h2>Files</h2><p>{escape(sizes)}: {escape(str(report.parity))}.</p>"
        f"<p>Licence of the data: {escape(report.licence)}.</p></section>"
    )


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f} %"


def _percent(value: float) -> float:
    return 0.0 if np.isnan(value) else 100 * value
