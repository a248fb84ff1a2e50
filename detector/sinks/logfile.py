"""Events in a file: JSON lines, rotated by size here or by others (logrotate and SIGHUP).

A reader can parse every full line: a line that a full disk cut off is removed again, and after a crash the
next line starts on a line of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from detector.config.constraints import Limit
from detector.config.sink_settings import SinkSettings
from detector.errors import SinkError
from detector.files.daemon_files import identity, is_dead, make_folder, release
from detector.interfaces import Message, Sink
from detector.sinks.context import SinkContext
from detector.wire.message import ClipBody, EventBody, StatusBody

log = logging.getLogger(__name__)

_MODE = 0o640
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class LogSettings(SinkSettings):
    """A file of JSON lines; `target` is its path."""

    kind: ClassVar[str] = "log"
    forms: ClassVar[tuple[str, ...]] = ("log:PATH",)

    max_bytes: Annotated[int, Limit(0, 1_000_000_000_000, "bytes")] = 10_000_000
    """Size at which the file is rotated; 0 is never."""
    backups: Annotated[int, Limit(0, 1000)] = 5
    """Rotated files to keep."""

    def fault(self) -> tuple[str, str] | None:
        """Find a path that is missing."""
        if self.target:
            return None
        return "target", "expected the path of the log file, got nothing: write `log:PATH`"


def make_log_sink(settings: LogSettings, _: SinkContext) -> Sink:
    """Build the log file's sink, not opened."""
    return LogFileSink(settings.target, max_bytes=settings.max_bytes, backups=settings.backups)


class LogFileSink:
    """Appends events and status messages; every line is with the kernel when `write` returns."""

    def __init__(self, path: str | Path, *, max_bytes: int = 10_000_000, backups: int = 5) -> None:
        """At `max_bytes` (0 is never) it becomes `path.1`, `path.1` becomes `path.2`, up to `backups`."""
        self._path = Path(path)
        self._max_bytes = max_bytes
        self._backups = backups
        self._rotate_at = max_bytes
        self._file: int | None = None

    @property
    def name(self) -> str:
        """How logs name it."""
        return f"log:{self._path}"

    def open(self) -> None:
        """Make the parent folder and the file; raises SinkError where that cannot be."""
        self._take()

    def takes(self, message: Message) -> bool:
        """Events, changes of state and clips."""
        return isinstance(message.body, ClipBody | EventBody | StatusBody)

    def write(self, message: Message) -> None:
        """Append one line, whole or not at all; raises SinkError when the disk would not have it."""
        if not self.takes(message):
            return
        try:
            if self._file is None or self._was_moved():
                self.reopen()
            if self._is_full(len(message.line)):
                self._rotate()
            self._append(message.line)
        except OSError as error:
            raise self._error(error) from error

    def reopen(self) -> None:
        """Open the file of that name again: the old one may have been moved away."""
        self.close()
        self._take()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            release(file)

    def _take(self) -> None:
        try:
            make_folder(self._path.parent)  # also again, where somebody has removed it
            # Opening a FIFO would wait for its reader.
            if self._path.exists() and not (self._path.is_file() or self._path.is_char_device()):
                raise SinkError(f"{self.name}: expected a file, found something else; choose another path")
            self._file = os.open(self._path, _FLAGS, _MODE)
            self._rotate_at = self._max_bytes
            if not self._ends_in_newline():
                self._append(b"\n")
        except OSError as error:
            self.close()
            raise self._error(error) from error

    def _was_moved(self) -> bool:
        """Whether the name now belongs to another file, or to none."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        if is_dead(self._descriptor):
            return True
        return identity(there) != identity(os.fstat(self._descriptor))

    def _is_full(self, more: int) -> bool:
        status = os.fstat(self._descriptor)
        full = status.st_size > 0 and status.st_size + more > self._rotate_at
        return self._max_bytes > 0 and full and stat.S_ISREG(status.st_mode)

    def _rotate(self) -> None:
        names = [self._path, *(Path(f"{self._path}.{n}") for n in range(1, self._backups + 1))]
        self.close()
        try:
            if len(names) == 1:
                self._path.unlink()
            for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
                with contextlib.suppress(FileNotFoundError):
                    newer.replace(older)
        except OSError as error:
            # A file that grows is better than lost events.
            self._take()
            self._rotate_at = os.fstat(self._descriptor).st_size + self._max_bytes
            log.warning('logfile.rotate_failed path=%s error="%s"', self._path, error.strerror)
        else:
            self._take()

    def _append(self, line: bytes) -> None:
        file = self._descriptor
        before = os.fstat(file).st_size
        view = memoryview(line)
        try:
            while view:
                view = view[os.write(file, view) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, before)
            raise

    def _ends_in_newline(self) -> bool:
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
            return True
        os.lseek(self._descriptor, -1, os.SEEK_END)
        return os.read(self._descriptor, 1) == b"\n"

    @property
    def _descriptor(self) -> int:
        if self._file is None:
            raise OSError(0, "it is not open")
        return self._file

    def _error(self, error: OSError) -> SinkError:
        reason = error.strerror or str(error)
        return SinkError(f"{self.name} cannot be written: {reason}; make room or choose another path")
