"""What pages are made of: the document around them, text that others wrote, figures, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from detector.analysis.summary import Summary, Tally
from detector.files.terminal import escape as printable

MOST_BY_HOUR = 12
USUAL_LENGTH = 60
"""Letters of a name that need no care."""

TABLES = "report_tables.js"
"""Makes tables sortable and filters events."""


def document(title: str, body: str, made_by: str = "analyze", scripts: Sequence[str] = ()) -> str:
    """A whole page around a body; styles and scripts are inside it. `made_by`: the command that writes it.

    `scripts` are files of this package; together they are one module, in which no name is used twice.
    """
    style = _own_file("style.css")
    script = "".join(map(_own_file, scripts))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{shown_text(title)} · sound-detector</title>\n<style>\n{style}</style></head>\n"
        f"<body><main>\n{body}\n<footer>made by sound-detector {made_by}</footer></main>"
        + (f'\n<script type="module">\n{script}</script>' if script else "")
        + "</body></html>\n"
    )


def shown_text(text: str) -> str:
    """Text that others wrote, for a page: markup is text there, and control codes are spelled out."""
    return escape(printable(text))


def name_html(name: str) -> str:
    """The cell of a table that holds a name; of a very long one three lines are seen."""
    text = shown_text(name)
    return f'<td class="label">{text if len(text) <= USUAL_LENGTH else f"<div>{text}</div>"}</td>'


def facts_html(facts: Sequence[tuple[str, str]]) -> str:
    """Figures in a row, each with a word below it."""
    cells = (
        f"<div><b>{shown_text(figure)}</b><span>{shown_text(word)}</span></div>" for figure, word in facts
    )
    return f'<div class="facts">{"".join(cells)}</div>'


def heads_html(heads: Sequence[tuple[str, str]], ordered: str = "") -> str:
    """Headings of a table: each a word and how its column sorts.

    `t` is text from A, `n` numbers from the largest, `u` numbers from the smallest. The rows are in the order
    of the heading `ordered`.
    """
    return "".join(
        f'<th scope="col" data-sort="{kind}"{_NUMBERS[kind]}'
        f"{_ORDER[kind] if word == ordered else ''}>{word}</th>"
        for word, kind in heads
    )


_NUMBERS = {"t": "", "n": ' class="n"', "u": ' class="n"'}
_ORDER = {"t": ' aria-sort="ascending"', "n": ' aria-sort="descending"', "u": ' aria-sort="ascending"'}


def labels_table(summary: Summary) -> str:
    """Seconds, share and count of each label, most seconds first."""
    if not summary.labels:
        return '<p class="note">Nothing was heard.</p>'
    ranked = summary.ranked()
    most = max(tally.seconds for _, tally in ranked) or 1.0
    rows = "".join(
        f"<tr>{name_html(label)}"
        f'<td class="bar"><i style="width:{100 * tally.seconds / most:.1f}%"></i></td>'
        f'<td class="n">{tally.seconds:.1f}</td><td class="n">{100 * summary.share(label):.1f} %</td>'
        f'<td class="n">{tally.count}</td></tr>'
        for label, tally in ranked
    )
    figures = heads_html([("seconds", "n"), ("share", "n"), ("count", "n")], "seconds")
    head = f'{heads_html([("label", "t")])}<td class="bar"></td>{figures}'
    return (
        '<div class="scroll"><table class="sortable labels">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def hours_section(summary: Summary) -> str:
    """Seconds of the labels heard longest in each hour; empty for what is not over an hour long."""
    if not summary.is_long:
        return ""
    hours = sorted(summary.hours)
    labels = [label for label, _ in summary.ranked()[:MOST_BY_HOUR]]
    cells = {
        label: [summary.hours[hour].labels.get(label, Tally()).seconds for hour in hours] for label in labels
    }
    title = "By hour of day" if summary.clock else "By hour since the start"
    head = "".join(f'<th scope="col">{hour:02d}</th>' for hour in hours)
    body = "".join(_hours_row(label, cells) for label in labels)
    return (
        f"<section><h2>{title}, seconds</h2>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="{title}"><table class="hours">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _hours_row(label: str, cells: Mapping[str, Sequence[float]]) -> str:
    most = max(cells[label]) or 1.0
    shaded = "".join(
        f'<td style="background:rgba(var(--hot),{0.38 * seconds / most:.2f})">{seconds:.0f}</td>'
        if seconds >= 0.5
        else "<td>·</td>"
        for seconds in cells[label]
    )
    return f'<tr><th scope="row">{shown_text(label)}</th>{shaded}</tr>'


def _own_file(name: str) -> str:
    return files("detector.analysis").joinpath(name).read_text(encoding="utf-8")
