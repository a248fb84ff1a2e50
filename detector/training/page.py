"""The report of a training: one HTML page that needs nothing else but the clips it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from detector.analysis.page import document, facts_html
from detector.training.agreement import Agreement
from detector.training.care import Finding
from detector.training.curves import curves_svg
from detector.training.figures import Doubtful, Figures
from detector.training.study import Study

MOST_DOUBTFUL = 30
MOST_PATHS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """All that is known of a model when it is written."""

    name: str
    recipe: str
    """How it was made, in one line."""
    study: Study
    findings: tuple[Finding, ...]
    fold_count: int
    tried_folds: int
    """How many of them were held out."""
    figures: Figures
    histories: Sequence[Sequence[Mapping[str, float]]]
    """Of each fold's fit."""
    agreement: Agreement
    bytes_of: Mapping[str, int]
    """Kind of file -> its size."""
    seed: int
    licence: str


def page_html(made: Made) -> str:
    """Render it."""
    task = made.study.material.task
    numbers = [(f"{value:.1f} %", name) for name, value in made.figures.numbers().items()]
    facts = [
        (str(len(made.study.material.examples)), "stretches" if task.multilabel else "clips"),
        (str(len(task.classes)), "classes"),
        (f"{made.study.seconds / 60:.0f} min", "sound"),
        *numbers,
    ]
    body = [
        f"<h1>{escape(made.name)}</h1><p class='about'>{escape(made.recipe)}</p>",
        facts_html(facts),
        f'<p class="note">{_how(made)}</p>',
        _findings(made.findings),
        _classes(made),
        _confusion(made),
        _curves(made),
        _doubtful(made),
        _files(made),
    ]
    return document(made.name, "".join(body), made_by="train")


def _how(made: Made) -> str:
    return (
        f"Figures are of clips that were held out: {made.tried_folds} of {made.fold_count} folds, no "
        "recording on both sides. Thresholds were chosen on the same clips, so the figures as events are a "
        f"little too good. Seed {made.seed}."
    )


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<section><h2>The data</h2><p>Nothing to complain about.</p></section>"
    items = []
    for finding in findings:
        paths = "".join(f"<li>{escape(str(path))}</li>" for path in finding.paths[:MOST_PATHS])
        rest = len(finding.paths) - MOST_PATHS
        more = f"<li>and {rest} more</li>" if rest > 0 else ""
        listed = f"<details><summary>which</summary><ul>{paths}{more}</ul></details>" if paths else ""
        items.append(f"<li>{escape(finding.text)}{listed}</li>")
    return f"<section><h2>The data</h2><ul>{''.join(items)}</ul></section>"


def _classes(made: Made) -> str:
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
        for name, one in made.figures.classes.items()
    )
    head = "".join(f'<th class="n">{word}</th>' for word in ("F1", "precision", "recall", "threshold", "of"))
    return (
        '<section><h2>Classes, as events</h2><div class="scroll"><table><thead><tr><th>class</th><th></th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _confusion(made: Made) -> str:
    counts, classes = made.figures.confusion, made.study.material.task.classes
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


def _curves(made: Made) -> str:
    drawn = [
        curves_svg(made.histories, "loss", "loss on what is learned from, a line for each fold"),
        curves_svg(made.histories, "validation_loss", "loss on what is held out"),
        curves_svg(made.histories, "validation_accuracy", "accuracy on what is held out"),
    ]
    if not any(drawn):
        return ""
    return f"<section><h2>Training</h2>{''.join(drawn)}</section>"


def _doubtful(made: Made) -> str:
    worst = made.figures.doubtful[:MOST_DOUBTFUL]
    if not worst:
        return ""
    rows = "".join(_doubtful_row(made, one) for one in worst)
    head = '<th>clip</th><th>true</th><th>heard</th><th class="n">score</th><th class="n">own</th><th></th>'
    rest = len(made.figures.doubtful) - len(worst)
    note = f'<p class="note">and {rest} more</p>' if rest > 0 else ""
    return (
        "<section><h2>Clips to listen to</h2>"
        '<p class="note">Held out, and heard as something else: mislabelled, or hard.</p>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}'
        "</section>"
    )


def _doubtful_row(made: Made, one: Doubtful) -> str:
    material = made.study.material
    example = material.examples[one.index]
    own = [name for name, there in zip(material.task.classes, example.targets, strict=True) if there]
    part = f"#t={example.start:g},{example.stop:g}" if example.stop is not None else ""
    address = escape(example.path.resolve().as_uri() + part, quote=True)
    return (
        f"<tr><td>{escape(example.path.name)}{escape(part and f' at {example.start:g} s')}</td>"
        f"<td>{escape(', '.join(own) or 'nothing')}</td><td>{escape(one.said)}</td>"
        f'<td class="n">{one.score:.2f}</td><td class="n">{one.own_score:.2f}</td>'
        f'<td><audio controls preload="none" src="{address}"></audio></td></tr>'
    )


def _files(made: Made) -> str:
    sizes = ", ".join(f"model.{kind} {size / 1000:.0f} kB" for kind, size in made.bytes_of.items())
    return (
        f"<section><h2>Files</h2><p>{escape(sizes)}: {escape(str(made.agreement))}.</p>"
        f"<p>Licence of the data: {escape(made.licence)}.</p></section>"
    )


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f} %"


def _percent(value: float) -> float:
    return 0.0 if np.isnan(value) else 100 * value
