"""The writing side of the history: one connection, used by one thread, opened anew after every trouble."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from detector.errors import HistoryError
from detector.history.numbers import Numbers
from detector.history.retention import Retention
from detector.history.schema import connect_writer, is_damage
from detector.interfaces import Message
from detector.wire.message import event_of

log = logging.getLogger(__name__)

INSERT = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING"
"""A commit that reported a failure may have happened all the same: written again, it is there once."""

TIDY_ROWS = 500
"""The size is looked at after so many new rows."""

TIDY_SECONDS = 3600.0
"""Age and size are looked at this often in any case."""


class Store:
    """Events in the file, each exactly once; keeps the reservation of numbers ahead of them."""

    def __init__(
        self,
        path: Path,
        numbers: Numbers,
        *,
        keep_seconds: float,
        max_bytes: int,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.oldest_seq: int | None = None
        """The oldest event in the file; None where there is none."""
        self._numbers = numbers
        self._retention = Retention(keep_seconds=keep_seconds, max_bytes=max_bytes)
        self._utc = utc
        self._connection: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._lock: int | None = None
        self._untidy_rows = 0
        self._tidied = float("-inf")

    def write(self, messages: Sequence[Message]) -> None:
        """Commit events, all or none; opens the file where needed. Raises HistoryError."""
        if self._connection is not None and self._is_moved():
            log.warning("history.moved path=%s", self.path)
            self._drop()
        try:
            self._insert(messages)
        except (sqlite3.Error, OSError) as error:
            self._drop()
            if not is_damage(error):
                raise self._trouble(error) from error
            self._set_aside(error)
            try:
                self._insert(messages)
            except (sqlite3.Error, OSError) as second:
                self._drop()
                raise self._trouble(second) from second

    def tidy(self) -> bool:
        """Take one step of the retention if one is due; whether there is more to do. Raises HistoryError."""
        now = self._utc()
        due = self._untidy_rows >= TIDY_ROWS or abs(now - self._tidied) >= TIDY_SECONDS
        if self._connection is None or not due:
            return False
        more = False
        try:
            more = self._retention.step(self._connection, now)
            self._see_oldest(self._connection)
        except sqlite3.Error as error:
            self._drop()
            raise self._trouble(error) from error
        finally:
            if not more:
                self._untidy_rows, self._tidied = 0, now
        return more

    def close(self) -> None:
        """Give back the numbers that were reserved and not used; release the file."""
        try:
            if self._connection is not None:
                self._reserve(self._connection, self._numbers.last + 1)
        except sqlite3.Error as error:
            log.warning('history.close_failed path=%s error="%s"', self.path, error)
        finally:
            self._drop()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _insert(self, messages: Sequence[Message]) -> None:
        connection = self._open() if self._connection is None else self._connection
        if (wanted := self._numbers.wanted()) is not None:
            self._reserve(connection, wanted)
            self._numbers.grant(wanted)
        if not messages:
            return
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, map(row, messages))
        connection.execute("COMMIT")
        self._untidy_rows += len(messages)
        if self.oldest_seq is None:
            self._see_oldest(connection)

    def _reserve(self, connection: sqlite3.Connection, number: int) -> None:
        """Write down below which number all may be used; this one survives a power cut too."""
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'reserved'", (number,))
        connection.execute("PRAGMA synchronous = NORMAL")

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = _locked(self.path)
        self._connection = connection = connect_writer(self.path)
        self._inode = _inode(self.path)
        newest = connection.execute("SELECT coalesce(max(seq), 0) FROM messages").fetchone()[0]
        reserved = connection.execute("SELECT value FROM meta WHERE key = 'reserved'").fetchone()[0]
        self._numbers.meet(newest, reserved)
        number = self._numbers.last + 1 + self._numbers.ahead
        self._reserve(connection, number)
        self._numbers.grant(number)
        self._see_oldest(connection)
        return connection

    def _see_oldest(self, connection: sqlite3.Connection) -> None:
        self.oldest_seq = connection.execute("SELECT min(seq) FROM messages").fetchone()[0]

    def _is_moved(self) -> bool:
        """SQLite would go on writing to a file that was deleted or replaced, for nobody."""
        try:
            return _inode(self.path) != self._inode
        except OSError:
            return True

    def _set_aside(self, reason: Exception) -> None:
        """Keep a damaged file for whoever wants to look at it, and make room for a new one."""
        if self.path.suffix != ".db":  # a mistyped path must not move anybody's file
            raise HistoryError(f"{self.path}: expected a history, found something else: set history.path")
        aside = self.path.with_name(f"{self.path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        try:
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")
            self.path.rename(aside)
        except OSError as error:
            raise self._trouble(error) from error
        self._numbers.lose()
        log.warning('history.damaged path=%s kept_as=%s error="%s"', self.path, aside.name, reason)

    def _drop(self) -> None:
        """Let go of the file; the next write opens it again."""
        connection, self._connection = self._connection, None
        self.oldest_seq = None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _trouble(self, error: Exception) -> HistoryError:
        reason = getattr(error, "strerror", None) or error
        return HistoryError(f"{self.path}: the history cannot be written: {reason}")


def row(message: Message) -> tuple[object, ...]:
    """The columns of an event."""
    event = event_of(message)
    return (
        message.seq,
        event.id,
        event.kind,
        event.label,
        event.class_id,
        utc_seconds(event.start_time),
        utc_seconds(event.end_time),
        event.top_score,
        event.source,
        message.line[:-1].decode(),
    )


def utc_seconds(text: str | None) -> float | None:
    """UTC seconds of a time of the wire; None for null."""
    try:
        return None if text is None else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _locked(path: Path) -> int | None:
    """Claim the history for this process until the descriptor is closed: two would give the same numbers."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    # Not the file itself: closing a second descriptor of it would drop SQLite's own locks.
    descriptor = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise HistoryError(
            f"{path}: the history is in use by another daemon: set history.path, or history.enabled to false"
        ) from None
    return descriptor
