"""`history --levels`: the sound level of each minute as a table, as CSV, as JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TextIO

from detector.audio.level_minute import MINUTE_SECONDS, LevelMinute
from detector.files.spreadsheet import csv_row
from detector.files.terminal import data_for, escape
from detector.history.history_paths import existing_history
from detector.history.level_table import level_minutes
from detector.wire.message import finite, utc_text

LEVEL_COLUMNS = (
    *("time", "source", "laeq_dbfs", "max_dbfs", "l10_dbfs", "l90_dbfs"),
    *("heard_seconds", "lost_seconds"),
)
"""Of the CSV form and of the JSON objects."""

_HEAD = ("minute", "LAeq", "max", "L10", "L90", "heard", "lost", "source")
_ROW = "{:16}  {:>6}  {:>6}  {:>6}  {:>6}  {:>5}  {:>5}  {}"


def levels_command(
    paths: Sequence[Path],
    *,
    since: float | None = None,
    until: float | None = None,
    limit: int = 0,
    format: str = "table",
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    zone: tzinfo | None = None,
) -> int:
    """Print the levels in the first of `paths` that exists; the exit code is 0. Raises HistoryError.

    `limit` prints the newest minutes alone, 0 all. `zone` None is the machine's own; only the table is in it.
    """
    out = sys.stdout if stdout is None else stdout
    minutes = level_minutes(existing_history(paths), since=since, until=until, newest=limit)
    if format == "json":
        for minute in minutes:
            out.write(data_for(out, json.dumps(level_fields(minute), ensure_ascii=False) + "\n"))
    elif format == "csv":
        out.write(data_for(out, csv_row(LEVEL_COLUMNS)))
        for minute in minutes:
            out.write(data_for(out, csv_row(level_fields(minute).values())))
    else:
        count = 0
        for line in _table(minutes, zone):
            print(line, file=out)
            count += 1
        if not count:
            print("no sound levels found", file=sys.stderr if stderr is None else stderr)
    return 0


def level_fields(minute: LevelMinute) -> dict[str, object]:
    """A minute as on the wire: levels with one digit, null where nothing was heard."""
    return {
        "time": utc_text(float(minute.minute * MINUTE_SECONDS)),
        "source": minute.source,
        "laeq_dbfs": _rounded(minute.leq_dbfs),
        "max_dbfs": _rounded(minute.max_dbfs),
        "l10_dbfs": _rounded(minute.exceeded_dbfs(0.1)),
        "l90_dbfs": _rounded(minute.exceeded_dbfs(0.9)),
        "heard_seconds": finite(minute.heard_seconds, 1),
        "lost_seconds": finite(minute.lost_seconds, 1),
    }


def _table(minutes: Iterable[LevelMinute], zone: tzinfo | None) -> Iterator[str]:
    for number, minute in enumerate(minutes):
        if not number:
            yield _ROW.format(*_HEAD)
        fields = level_fields(minute)
        values = [_number(fields[name]) for name in LEVEL_COLUMNS[2:]]
        yield _ROW.format(_local(minute, zone), *values, escape(minute.source))


def _local(minute: LevelMinute, zone: tzinfo | None) -> str:
    try:
        return f"{datetime.fromtimestamp(minute.minute * MINUTE_SECONDS, zone):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return "-"


def _rounded(level: float | None) -> float | None:
    return None if level is None else finite(level, 1)


def _number(value: object) -> str:
    return "-" if value is None else f"{value:.1f}"
