"""One recording's files: each gathers under another name and takes its own only when all are whole."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from detector.analysis.formats import FORMATS, PARQUET, SCORES, Format
from detector.analysis.formats.parquet import ENDING as TABLES_ENDING
from detector.analysis.formats.parquet import EventTables
from detector.analysis.formats.scores import ENDING as SCORES_ENDING
from detector.analysis.formats.scores import rows_path
from detector.analysis.sounds import Sound
from detector.analysis.task import Wanted
from detector.errors import SinkError
from detector.interfaces import Message

PART = ".part"
PICTURE_ENDING = ".png"
PAGE_ENDING = ".report.html"


def output_names(name: str, wanted: Wanted) -> tuple[str, ...]:
    """The files that a recording of this name gets, below the output folder; without its event tables."""
    words = (word for word in wanted.formats if word != PARQUET)
    endings = [SCORES_ENDING if word == SCORES else FORMATS[word].ending for word in words]
    endings += [PICTURE_ENDING] if wanted.plot else []
    endings += [PAGE_ENDING] if wanted.report else []
    return tuple(name + ending for ending in endings)


def discard_parts(folder: Path, name: str, wanted: Wanted) -> None:
    """Remove what gathered for a recording whose process was ended before it could do so itself."""
    for output in output_names(name, wanted):
        part = folder / (output + PART)
        for path in (part, rows_path(part)):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    if PARQUET in wanted.formats:
        shutil.rmtree(folder / (name + TABLES_ENDING + PART), ignore_errors=True)


class Outputs:
    """Writes the text formats of one recording and names the parts of all others; a context manager.

    Leaving it after `commit` keeps the files, otherwise nothing stays. Raises SinkError.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        wanted: Wanted,
        *,
        source: str,
        timed: bool,
        shared: Collection[str] = frozenset(),
        tables: EventTables | None = None,
    ) -> None:
        self._folder = folder
        self._name = name
        self._names = output_names(name, wanted)
        self._wanted = wanted
        self._source = source
        self._timed = timed
        self._shared = shared
        self._tables = tables
        self._texts: list[tuple[Format, TextIO]] = []

    def __enter__(self) -> Self:
        try:
            self._folder.stat()  # or the folders below an unmounted share would be made anew
            for name in self._names:
                self.part(name).parent.mkdir(parents=True, exist_ok=True)
            for word in self._wanted.formats:
                if word in FORMATS:
                    self._open(FORMATS[word])
            if self._tables is not None:
                self._tables.open()
        except OSError as error:
            self._discard()
            raise SinkError(f"cannot write to {self._folder}: {error.strerror or error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()
        if isinstance(value, OSError):
            raise SinkError(f"cannot write to {self._folder}: {value.strerror or value}") from value

    def part(self, name: str) -> Path:
        """Where a file gathers."""
        return self._folder / (name + PART)

    def ending(self, ending: str) -> Path:
        """The part of the file with this ending."""
        return self.part(self._name + ending)

    def event(self, message: Message) -> None:
        """Write an event's message."""
        for format, file in self._texts:
            file.write(format.event(message))

    def sound(self, sound: Sound) -> None:
        """Write a sound that is over."""
        for format, file in self._texts:
            file.write(format.sound(sound))
        if self._tables is not None:
            self._tables.push(sound)

    def commit(self) -> tuple[str, ...]:
        """All is written: give the files their names, and return these."""
        for _, file in self._texts:
            file.close()
        for name in self._names:
            self.part(name).replace(self._folder / name)
        return self._names if self._tables is None else (*self._names, *self._tables.commit())

    def _open(self, kind: type[Format]) -> None:
        path = self.ending(kind.ending)
        # A file's name may hold bytes that are no text; a question mark stands for each.
        file = path.open("w", encoding="utf-8", errors="replace", newline="")
        self._texts.append((kind(self._source, timed=self._timed, shared=self._shared), file))
        file.write(kind.header)

    def _discard(self) -> None:
        for _, file in self._texts:
            with contextlib.suppress(OSError):
                file.close()
        for name in self._names:
            with contextlib.suppress(OSError):
                self.part(name).unlink(missing_ok=True)
        if self._tables is not None:
            self._tables.discard()
