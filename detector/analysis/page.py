"""One recording as one HTML page that needs nothing else: picture, summary, hours, events."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from importlib.resources import files

from detector.analysis.sounds import Sound
from detector.analysis.summary import Summary, Tally
from detector.analysis.tables import length_text

MOST_BY_HOUR = 12

FILTER = """\
<script>
const box = document.getElementById("filter"), rows = [...document.querySelectorAll("tbody.events tr")];
const shown = document.getElementById("shown");
box.addEventListener("input", () => {
  const wanted = box.value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    row.hidden = !row.cells[2].textContent.toLowerCase().includes(wanted);
    count += !row.hidden;
  }
  shown.textContent = count;
});
</script>
"""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What is on it."""

    name: str
    source: str
    model: str
    summary: Summary
    sounds: Sequence[Sound]
    """By onset."""
    count: int
    """Sounds there were, also those that are not in `sounds`."""
    picture: bytes
    """PNG."""


def page_html(page: Page, *, zone: tzinfo | None = None) -> str:
    """Render a page; `zone` None is the machine's own."""
    summary = page.summary
    facts = [
        (length_text(summary.heard_seconds), "length"),
        (str(page.count), "sounds" if page.count != 1 else "sound"),
        (str(len(summary.labels)), "labels" if len(summary.labels) != 1 else "label"),
    ]
    if summary.start is not None:
        facts.insert(0, (f"{datetime.fromtimestamp(summary.start, zone):%Y-%m-%d %H:%M:%S}", "began"))
    picture = base64.b64encode(page.picture).decode()
    alternative = f"Spectrogram of {escape(page.name)} over the timeline of its labels"
    parts = [
        f"<h1>{escape(page.name)}</h1>"
        f'<p class="about">{escape(page.source)} · analyzed with {escape(page.model)}</p>',
        facts_html(facts),
        f'<section class="picture"><img alt="{alternative}" src="data:image/png;base64,{picture}"></section>',
        f"<section><h2>Summary</h2>{labels_table(summary)}</section>",
        hours_section(summary),
        _events(page, zone),
        FILTER if page.sounds else "",
    ]
    return document(page.name, "".join(parts))


def document(title: str, body: str, made_by: str = "analyze") -> str:
    """A whole page around a body; styles are inside it. `made_by`: the command that writes it."""
    style = files("detector.analysis").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · sound-detector</title>\n<style>\n{style}</style></head>\n"
        f"<body><main>\n{body}\n<footer>made by sound-detector {made_by}</footer></main></body></html>\n"
    )


def facts_html(facts: Sequence[tuple[str, str]]) -> str:
    """Figures in a row, each with a word below it."""
    cells = (f"<div><b>{escape(figure)}</b><span>{escape(word)}</span></div>" for figure, word in facts)
    return f'<div class="facts">{"".join(cells)}</div>'


def labels_table(summary: Summary) -> str:
    """Seconds, share and count of each label, most seconds first."""
    if not summary.labels:
        return '<p class="note">Nothing was heard.</p>'
    ranked = summary.ranked()
    most = max(tally.seconds for _, tally in ranked) or 1.0
    rows = "".join(
        f"<tr><td>{escape(label)}</td>"
        f'<td class="bar"><i style="width:{100 * tally.seconds / most:.1f}%"></i></td>'
        f'<td class="n">{tally.seconds:.1f}</td><td class="n">{100 * summary.share(label):.1f} %</td>'
        f'<td class="n">{tally.count}</td></tr>'
        for label, tally in ranked
    )
    head = '<th>label</th><th></th><th class="n">seconds</th><th class="n">share</th><th class="n">count</th>'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


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
    head = "".join(f"<th>{hour:02d}</th>" for hour in hours)
    body = "".join(_hours_row(label, cells) for label in labels)
    return (
        f'<section><h2>{title}, seconds</h2><div class="scroll"><table class="hours">'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _hours_row(label: str, cells: Mapping[str, Sequence[float]]) -> str:
    most = max(cells[label]) or 1.0
    shaded = "".join(
        f'<td style="background:rgba(var(--hot),{0.75 * seconds / most:.2f})">{seconds:.0f}</td>'
        if seconds >= 0.5
        else "<td>·</td>"
        for seconds in cells[label]
    )
    return f"<tr><th>{escape(label)}</th>{shaded}</tr>"


def _events(page: Page, zone: tzinfo | None) -> str:
    if not page.sounds:
        return ""
    timed = page.summary.start
    clock = "<th>time</th>" if timed is not None else "<th></th>"
    head = (
        f'<th class="n">at</th>{clock}<th>label</th><th class="n">seconds</th>'
        '<th class="n">top score</th><th class="n">level</th>'
    )
    rows = "".join(_event_rows(page.sounds, timed, zone))
    left = page.count - len(page.sounds)
    note = f'<p class="note">{left} shorter sounds are left out here.</p>' if left else ""
    return (
        f'<section><div class="head"><h2>Events (<span id="shown">{len(page.sounds)}</span>)</h2>'
        '<input id="filter" type="search" placeholder="Filter by label" aria-label="Filter by label"></div>'
        f'<div class="scroll"><table class="events"><thead><tr>{head}</tr></thead>'
        f'<tbody class="events">{rows}</tbody></table></div>{note}</section>'
    )


def _event_rows(sounds: Sequence[Sound], start: float | None, zone: tzinfo | None) -> Iterator[str]:
    for sound in sounds:
        clock = "" if start is None else f"{datetime.fromtimestamp(start + sound.onset, zone):%a %H:%M:%S}"
        yield (
            f'<tr><td class="n">{position_text(sound.onset)}</td><td>{clock}</td>'
            f"<td>{escape(sound.label)}</td>"
            f'<td class="n">{sound.seconds:.1f}</td><td class="n">{sound.top_score:.2f}</td>'
            f'<td class="n">{sound.level_dbfs:.1f} dBFS</td></tr>'
        )


def position_text(seconds: float) -> str:
    """`0:07.3`, `1:04:09.0` since the recording's start."""
    tenths = round(max(0.0, seconds) * 10)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600 / 10
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
