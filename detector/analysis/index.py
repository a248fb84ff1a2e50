"""The page that leads to all recordings' pages, with their summary in total."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from urllib.parse import quote

from detector.analysis.html_parts import (
    TABLES,
    document,
    facts_html,
    heads_html,
    hours_section,
    labels_table,
    name_html,
    shown_text,
)
from detector.analysis.outputs import PAGE_ENDING
from detector.analysis.summary import Summary
from detector.analysis.tables import length_text

MOST_CHIPS = 4
"""Labels beside each recording."""


def index_html(
    summaries: Mapping[str, Summary],
    total: Summary,
    *,
    faults: Mapping[str, str] | None = None,
    zone: tzinfo | None = None,
) -> str:
    """Render the index of these recordings, by name.

    `faults`: why others could not be read, or not to their end, by path; `zone` None is the machine's own.
    """
    count = sum(tally.count for tally in total.labels.values())
    facts = [
        (str(total.recordings), "recordings" if total.recordings != 1 else "recording"),
        (length_text(total.heard_seconds), "length in total"),
        (str(count), "sounds" if count != 1 else "sound"),
        (str(len(total.labels)), "labels" if len(total.labels) != 1 else "label"),
    ]
    if faults:
        facts.append((str(len(faults)), "with faults"))
    heads = [("recording", "t"), ("began", "n"), ("length", "n"), ("sounds", "n"), ("longest", "t")]
    rows = "".join(_row(name, summary, zone) for name, summary in summaries.items())
    body = (
        f"<h1>Events in recordings</h1>{facts_html(facts)}{_faults(faults or {})}"
        '<section><h2>Recordings</h2><div class="scroll"><table class="sortable recordings">'
        f"<thead><tr>{heads_html(heads)}</tr></thead>"
        f'<tbody class="files">{rows}</tbody></table></div></section>'
        f"<section><h2>Summary of all</h2>{labels_table(total)}</section>{hours_section(total)}"
    )
    return document("What was heard", body, scripts=(TABLES,))


def _faults(faults: Mapping[str, str]) -> str:
    if not faults:
        return ""
    rows = "".join(f"<tr>{name_html(path)}{name_html(reason)}</tr>" for path, reason in faults.items())
    return (
        '<section class="faults"><h2>Not read, or not to the end</h2><div class="scroll">'
        f'<table class="sortable"><thead><tr>{heads_html([("recording", "t"), ("why", "t")])}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _row(name: str, summary: Summary, zone: tzinfo | None) -> str:
    start = summary.start
    began = "" if start is None else f"{datetime.fromtimestamp(start, zone):%Y-%m-%d %H:%M}"
    chips = "".join(
        f'<span class="chip">{shown_text(label)}</span>' for label, _ in summary.ranked()[:MOST_CHIPS]
    )
    count = sum(tally.count for tally in summary.labels.values())
    link = quote((name + PAGE_ENDING).encode("utf-8", "surrogateescape"))
    return (
        f'<tr><td class="label"><div><a href="{link}">{shown_text(name)}</a></div></td>'
        f'<td class="n" data-v="{"" if start is None else start}">{began}</td>'
        f'<td class="n" data-v="{summary.heard_seconds:.3f}">{length_text(summary.heard_seconds)}</td>'
        f'<td class="n" data-v="{count}">{count}'
        f'<span class="narrow"> sound{"" if count == 1 else "s"}</span></td>'
        f'<td class="chips">{chips}</td></tr>'
    )
