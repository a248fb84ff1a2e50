"""A fleet's events as Parquet files, a folder for each day and node, for pandas, DuckDB and Polars.

Parquet files are written whole, so that each event comes exactly once and none is lost the events go into an
SQLite file in the folder first (`.events.db`). Days that have changed are written anew from it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from detector.errors import ConfigError
from detector.files.guarded import replace_file
from detector.fleet.event_database import COLUMNS, Database, DatabaseError

JOURNAL = ".events.db"
MARK = ".written"
"""Up to when files are written [UTC seconds]: there the next collector begins, if this one was ended."""
OVERLAP_SECONDS = 60.0
"""Another collector may add events to the database that it has received so long ago."""
FILE = "events.parquet"
DAY_SECONDS = 86_400
WRITTEN = COLUMNS["events"][:-1]
"""All but when an event came here."""
TIMES = ("start_time", "end_time")


class ParquetFolder:
    """Writes `events/day=2026-08-01/node=hall/events.parquet` from the tables of a database."""

    def __init__(self, path: Path) -> None:
        try:
            self._arrow: Any = import_module("pyarrow")
            self._parquet: Any = import_module("pyarrow.parquet")
        except ImportError as error:
            raise ConfigError(f"parquet:{path} needs pyarrow: pip install 'sound-detector[fleet]'") from error
        self._path = path
        self._has_written = False

    def write_changed(self, database: Database, *, since: float, until: float) -> int:
        """Write the days of events that came between two times [UTC seconds], or before and were not written.

        Returns the files written.
        """
        if not self._has_written:
            since = min(since, self._written_until())
        changed = database.run(
            f"SELECT DISTINCT node, CAST(floor(start_time / {DAY_SECONDS}) AS BIGINT) FROM events "  # noqa: S608
            "WHERE received > ? AND received <= ?",
            *(since, until),
        )
        for node, day in changed:
            rows = database.run(
                f"SELECT {', '.join(WRITTEN)} FROM events WHERE node = ? AND start_time >= ? "  # noqa: S608
                "AND start_time < ? ORDER BY start_time, generation, seq",
                *(node, day * DAY_SECONDS, (day + 1) * DAY_SECONDS),
            )
            self._write(node, int(day), rows)
        if changed:
            self._note(until - OVERLAP_SECONDS)
        self._has_written = True
        return len(changed)

    def _written_until(self) -> float:
        """0, so that all is written anew, where nobody has noted it."""
        try:
            return float((self._path / MARK).read_text())
        except (OSError, ValueError):
            return 0.0

    def _note(self, until: float) -> None:
        try:
            replace_file(self._path / MARK, f"{until:.3f}\n".encode())
        except OSError as error:
            raise DatabaseError(f"{self._path}: cannot be written: {error.strerror or error}") from error

    def _write(self, node: str, day: int, rows: Sequence[tuple[Any, ...]]) -> None:
        arrow = self._arrow
        moment = arrow.timestamp("ms", tz="UTC")
        columns = {}
        for name, values in zip(WRITTEN, zip(*rows, strict=True), strict=True):
            if name in TIMES:
                columns[name] = arrow.array([None if v is None else round(v * 1000) for v in values], moment)
            elif name != "node":  # the folder's name says it
                columns[name] = arrow.array(values)
        date = arrow.scalar(day, arrow.int32()).cast(arrow.date32()).as_py().isoformat()
        folder = self._path / "events" / f"day={date}" / f"node={quote(node, safe='')}"
        part = folder / f".{FILE}.{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._parquet.write_table(arrow.table(columns), part, compression="zstd")
            part.replace(folder / FILE)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            raise DatabaseError(f"{folder}: cannot be written: {error.strerror or error}") from error
