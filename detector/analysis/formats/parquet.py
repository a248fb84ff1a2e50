"""Sounds as Parquet files, by day and recording, for pandas, DuckDB and Polars (extra `[parquet]`).

    events/day=2026-08-01/source=hall%2Fnight.flac/events.parquet

A recording has files of its own, so any number of processes write into one `events` folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from detector.analysis.sounds import Sound
from detector.errors import DetectorError
from detector.sources.sound_place import Place
from detector.wire.message import utc_text
from detector.wire.utc_time import utc_seconds

FOLDER = "events"
FILE = "events.parquet"
ENDING = ".parquet"
"""Of the folder in which a recording's files gather."""
UNKNOWN_DAY = "1970-01-01"
"""The day of recordings whose start is not known. A date, so that readers still take `day` for dates."""
INSTALL = "--format parquet needs the package pyarrow: pip install 'sound-detector[parquet]'"

COLUMNS = {
    "onset": "double",
    "offset": "double",
    "start_time": "time",
    "end_time": "time",
    "label": "string",
    "class_id": "string",
    "top_score": "double",
    "level_dbfs": "double",
    "model": "string",
    "id": "string",
    "path": "string",
}
"""Of the files; `day` and `source` are in the names of the folders. A time has milliseconds, in UTC."""

BATCH_ROWS = 4096
"""Rows that are held in memory."""
LONGEST_FOLDER = 255
"""Bytes that a file system takes for one name."""
DIGITS = 16
"""Of the hash that tells shortened names apart."""

_LIKE_A_FILE = re.compile(r"\.(?![eE]\d)[A-Za-z]\w*$")


def source_of(name: str, path: Place) -> str:
    """The value of the column `source`: where a recording lies in the folder analyzed, `hall/night.flac`.

    It is text that every reader takes for text, and short enough for a folder's name. `name` is that of the
    recording's results, `path` the recording's.
    """
    whole = name if PurePosixPath(name).name == path.name else name + path.suffix
    # Readers guess the types of folders' values: a recording called `001` must not become the number 1.
    whole = whole if _LIKE_A_FILE.search(whole) else f"./{whole}"
    text = whole.encode("utf-8", "replace").decode()
    tail = ""
    if text != whole or len(_folder("source", text).encode()) > LONGEST_FOLDER:
        # Names that are no text, or too long, are told apart by a hash.
        tail = "~" + hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:DIGITS]
    while len(_folder("source", text + tail).encode()) > LONGEST_FOLDER:
        text = text[:-1]
    return text + tail


def is_table(name: str) -> bool:
    """Whether an output's name is that of one of these files."""
    return name.startswith(f"{FOLDER}/day=")


class EventTables:
    """The files of one recording; they gather in `gathering` and take their places in `commit`.

    `start` is when the recording began [UTC seconds], None where that is not known. Raises DetectorError
    without pyarrow.
    """

    def __init__(self, folder: Path, gathering: Path, *, source: str, start: float | None) -> None:
        try:
            self._arrow: Any = import_module("pyarrow")
            self._parquet: Any = import_module("pyarrow.parquet")
        except ImportError as error:
            raise DetectorError(INSTALL) from error
        arrow = self._arrow
        types = {
            "double": arrow.float64(),
            "string": arrow.string(),
            "time": arrow.timestamp("ms", tz="UTC"),
        }
        self._schema = arrow.schema([(column, types[kind]) for column, kind in COLUMNS.items()])
        self._folder = folder
        self._gathering = gathering
        self._source = source
        self._timed = start is not None
        self._rows: dict[str, list[dict[str, object]]] = {}
        self._files: dict[str, BinaryIO] = {}
        self._writers: dict[str, Any] = {}
        # Without sounds there is a file without rows: it says that the recording was analyzed.
        self._rows[_day(utc_text(start) if start is not None else None)] = []

    def open(self) -> None:
        """Make the folder in which the files gather."""
        shutil.rmtree(self._gathering, ignore_errors=True)  # of a process that was killed
        self._gathering.mkdir(parents=True)

    def push(self, sound: Sound) -> None:
        """Write a sound that is over."""
        end = sound.end
        day = _day(end.start_time if self._timed else None)
        rows = self._rows.setdefault(day, [])
        rows.append(
            {
                "onset": round(sound.onset, 3),
                "offset": round(sound.offset, 3),
                "start_time": _milliseconds(end.start_time) if self._timed else None,
                "end_time": _milliseconds(end.end_time) if self._timed else None,
                "label": end.label,
                "class_id": end.class_id,
                "top_score": end.top_score,
                "level_dbfs": end.level_dbfs,
                "model": end.model,
                "id": end.id,
                "path": end.source.encode("utf-8", "replace").decode(),
            }
        )
        if len(rows) >= BATCH_ROWS:
            self._write(day)

    def commit(self) -> tuple[str, ...]:
        """Give the files their places, remove what the recording had on other days; return their names."""
        for day in self._rows:
            self._write(day)
        for day, writer in self._writers.items():
            writer.close()
            self._files[day].close()
        names = {
            day: f"{FOLDER}/{_folder('day', day)}/{_folder('source', self._source)}/{FILE}"
            for day in self._writers
        }
        self._remove_others(set(names.values()))
        for day, name in names.items():
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (self._gathering / day).replace(target)
        return tuple(names.values())

    def discard(self) -> None:
        """Leave nothing but what took its place."""
        for writer in self._writers.values():
            with contextlib.suppress(OSError):
                writer.close()
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()
        shutil.rmtree(self._gathering, ignore_errors=True)

    def _write(self, day: str) -> None:
        if day not in self._writers:
            # Opened here: pyarrow takes no path that is no UTF-8, as one with a recording's name may be.
            self._files[day] = (self._gathering / day).open("wb")
            self._writers[day] = self._parquet.ParquetWriter(
                self._files[day], self._schema, compression="zstd"
            )
        if rows := self._rows[day]:
            self._writers[day].write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))
            rows.clear()

    def _remove_others(self, names: set[str]) -> None:
        """Remove the files of an earlier analysis, when the recording was thought to be of other days."""
        root = self._folder / FOLDER
        for day in root.iterdir() if root.is_dir() else ():
            folder = day / _folder("source", self._source)
            if f"{FOLDER}/{day.name}/{folder.name}/{FILE}" not in names:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    (folder / FILE).unlink()
                    folder.rmdir()


def _folder(key: str, value: str) -> str:
    """`key=value`, with escapes as Hive and its readers have them; letters and digits of all scripts stay."""
    kept = (
        mark if mark.isalnum() or mark in "-_.~" else "".join(f"%{byte:02X}" for byte in mark.encode())
        for mark in value
    )
    return f"{key}={''.join(kept)}"


def _day(time: str | None) -> str:
    return UNKNOWN_DAY if time is None else time[:10]


def _milliseconds(time: str | None) -> int | None:
    seconds = utc_seconds(time)
    return None if seconds is None else round(seconds * 1000)
