"""Summaries as aligned text for people and as CSV for spreadsheets."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from detector.analysis.summary import Summary, Tally
from detector.files.spreadsheet import write_rows
from detector.files.terminal import escape

MOST_TABLES = 20
"""Recordings whose own tables are printed; of more only the total is, and the rest is in the files."""

MOST_BY_HOUR = 8
"""Labels in the printed table by hour: what fits beside 24 columns is little."""

TOTAL = "total"

COLUMNS = ("recording", "hour", "label", "seconds", "share", "count", "heard_seconds")
"""Of summary.csv; `hour` is empty in the rows of the whole recording."""


def summary_text(recordings: Mapping[str, Summary], total: Summary) -> str:
    """The tables of all recordings and of all together."""
    parts = []
    if len(recordings) <= MOST_TABLES:
        parts = ["\n".join(_one(name, summary)) for name, summary in recordings.items()]
    if len(recordings) != 1:
        parts.append("\n".join(_one(f"{TOTAL} of {total.recordings} recordings", total)))
    return "\n\n".join(parts) + "\n"


def summary_csv(recordings: Mapping[str, Summary], total: Summary) -> str:
    """One row for each label of each recording, then for each hour where it is long; the total last."""
    text = io.StringIO()
    write_rows(text, [COLUMNS])
    for name, summary in [*recordings.items(), (TOTAL, total)]:
        write_rows(text, _rows(name, "", summary.labels, summary.heard_seconds))
        for number, hour in sorted(summary.hours.items()) if summary.is_long else ():
            write_rows(text, _rows(name, str(number), hour.labels, hour.heard_seconds))
    return text.getvalue()


def length_text(seconds: float) -> str:
    """`1 h 52 min 10 s`, `4 min 03 s`, `5.0 s`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours} h {minutes:02d} min {rest:02d} s" if hours else f"{minutes} min {rest:02d} s"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _one(name: str, summary: Summary) -> Iterator[str]:
    yield f"{escape(name)}  {length_text(summary.heard_seconds)}"
    if not summary.labels:
        yield "  no events"
        return
    rows = [["label", "seconds", "share", "count"]]
    for label, tally in summary.ranked():
        share = f"{100 * summary.share(label):.1f} %"
        rows.append([escape(label), f"{tally.seconds:.1f}", share, str(tally.count)])
    yield from (f"  {line}" for line in aligned(rows))
    if summary.is_long:
        yield ""
        yield from (f"  {line}" for line in _by_hour(summary))


def _by_hour(summary: Summary) -> list[str]:
    """Seconds of the most heard labels in each hour that was listened to."""
    hours = sorted(summary.hours)
    labels = [label for label, _ in summary.ranked()[:MOST_BY_HOUR]]
    head = "seconds by hour of day" if summary.clock else "seconds by hour since the start"
    rows = [[head, *(f"{hour:02d}" for hour in hours)]]
    for label in labels:
        tallies = [summary.hours[hour].labels.get(label, Tally()) for hour in hours]
        rows.append([escape(label), *(f"{t.seconds:.0f}" if t.count or t.seconds else "." for t in tallies)])
    return aligned(rows)


def _rows(name: str, hour: str, labels: Mapping[str, Tally], heard: float) -> Iterable[Sequence[object]]:
    ranked = sorted(labels.items(), key=lambda item: (-item[1].seconds, item[0]))
    for label, tally in ranked:
        share = tally.seconds / heard if heard else 0.0
        yield name, hour, label, f"{tally.seconds:.3f}", f"{share:.6f}", tally.count, f"{heard:.3f}"
