"""The page that leads to all recordings' pages, with their summary in total."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from html import escape
from urllib.parse import quote

from detector.analysis.outputs import PAGE_ENDING
from detector.analysis.page import document, facts_html, hours_section, labels_table
from detector.analysis.summary import Summary
from detector.analysis.tables import length_text

MOST_CHIPS = 4
"""Labels beside each recording."""


def index_html(summaries: Mapping[str, Summary], total: Summary, *, zone: tzinfo | None = None) -> str:
    """Render the index of these recordings, by name; `zone` None is the machine's own."""
    count = sum(tally.count for tally in total.labels.values())
    facts = [
        (str(total.recordings), "recordings" if total.recordings != 1 else "recording"),
        (length_text(total.heard_seconds), "length in total"),
        (str(count), "sounds"),
        (str(len(total.labels)), "labels"),
    ]
    rows = "".join(_row(name, summary, zone) for name, summary in summaries.items())
    head = '<th>recording</th><th class="n">began</th><th class="n">length</th><th class="n">sounds</th>'
    body = (
        f"<h1>Events in recordings</h1>{facts_html(facts)}"
        '<section><h2>Recordings</h2><div class="scroll"><table>'
        f"<thead><tr>{head}<th>longest</th></tr></thead>"
        f'<tbody class="files">{rows}</tbody></table></div></section>'
        f"<section><h2>Summary of all</h2>{labels_table(total)}</section>{hours_section(total)}"
    )
    return document("What was heard", body)


def _row(name: str, summary: Summary, zone: tzinfo | None) -> str:
    start = summary.start
    began = "" if start is None else f"{datetime.fromtimestamp(start, zone):%Y-%m-%d %H:%M}"
    chips = "".join(
        f'<span class="chip">{escape(label)}</span>' for label, _ in summary.ranked()[:MOST_CHIPS]
    )
    count = sum(tally.count for tally in summary.labels.values())
    link = quote((name + PAGE_ENDING).encode("utf-8", "surrogateescape"))
    return (
        f'<tr><td><a href="{link}">{escape(name)}</a></td><td class="n">{began}</td>'
        f'<td class="n">{length_text(summary.heard_seconds)}</td><td class="n">{count}</td>'
        f"<td>{chips}</td></tr>"
    )
