"""`history`: past sounds as a table for people, as CSV for spreadsheets, as JSON lines for programs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import TextIO

from detector.events.naming import shared_names
from detector.files.spreadsheet import csv_row
from detector.files.terminal import data_for, escape
from detector.history.archive import Query, sounds
from detector.history.history_paths import existing_history
from detector.history.vetoed_events import vetoed_sounds
from detector.wire.message import EventBody, event_of
from detector.wire.plain_text import label_text

COLUMNS = (
    "start_time",
    "end_time",
    "duration",
    "label",
    "class_id",
    "top_score",
    "level_dbfs",
    "source",
    "model",
    "id",
)
"""Of the CSV form, named as on the wire; `type` and `seq` follow."""

FORMATS = ("table", "json", "csv")


def history_command(
    paths: Sequence[Path],
    query: Query,
    *,
    format: str = "table",
    ids: bool = False,
    vetoed: bool = False,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    zone: tzinfo | None = None,
) -> int:
    """Print the sounds in the first of `paths` that exists; the exit code is 0. Raises HistoryError.

    `vetoed` prints those that verdicts vetoed instead; `ids` adds their ids to the table. `zone` None is the
    machine's own; only the table is in local time.
    """
    out = sys.stdout if stdout is None else stdout
    path = existing_history(paths)
    limit = query.limit
    messages = vetoed_sounds(path, query) if vetoed else sounds(path, query)
    if format == "json":
        for message in messages:
            out.write(data_for(out, message.line.decode()))
    elif format == "csv":
        out.write(data_for(out, csv_row((*COLUMNS, "type", "seq"))))
        for message in messages:
            event = event_of(message)
            row = csv_row((*(getattr(event, name) for name in COLUMNS), event.kind, message.seq))
            out.write(data_for(out, row))
    else:
        count = 0
        for line in _table(map(event_of, messages), zone, ids=ids or vetoed):
            print(line, file=out)
            count += 1
        say = sys.stderr if stderr is None else stderr
        if not count:
            print("no events found", file=say)
        elif limit and count == limit:
            print(f"the newest {limit}; there may be more: --limit 0 shows all", file=say)
    return 0


def _table(events: Iterable[EventBody], zone: tzinfo | None, *, ids: bool) -> Iterator[str]:
    """Aligned lines; widths fit a thousand sounds at a time, so that a long history is not held in memory."""
    events = iter(events)
    while chunk := list(islice(events, 1000)):
        labels = {(event.label, event.model) for event in chunk}
        shared = shared_names(label for label, _ in labels)
        rows = [(*_cells(event, zone, shared), *[escape(event.id)] * ids) for event in chunk]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  ".join(
                cell.rjust(width) if 2 <= index < 5 else cell if index == len(row) - 1 else cell.ljust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            )


def _cells(event: EventBody, zone: tzinfo | None, shared: Collection[str]) -> tuple[str, ...]:
    return (
        _local(event.start_time, zone),
        label_text(event, shared),
        # A sound without an end still continues, or was cut off when the daemon was killed.
        f"{'' if event.kind == 'end' else '>'}{_number(event.duration, 1)} s",
        _number(event.top_score, 2),
        f"{_number(event.level_dbfs, 1)} dBFS",
        escape(event.source),
    )


def _local(moment: str | None, zone: tzinfo | None) -> str:
    try:
        return f"{datetime.fromisoformat(str(moment)).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return "-"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
