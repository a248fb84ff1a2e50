"""Writing the history: one connection on one thread, opened again after every error; old events go."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from detector.audio.level_minute import LevelMinute
from detector.errors import HistoryError
from detector.files.daemon_files import identity, is_dead, lock, make_folder, release
from detector.history.level_table import store_minutes
from detector.history.picture_table import PICTURE_BYTES, EventPicture, store_pictures
from detector.history.retention import SAVE, Retention
from detector.history.schema import Owner, checkpoint, connect_writer, is_damage, lock_path, owner_of
from detector.history.sequence_numbers import SequenceNumbers
from detector.interfaces import Message
from detector.wire.message import event_of
from detector.wire.utc_time import utc_seconds

log = logging.getLogger(__name__)

INSERT = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING"
"""A commit that reported a failure may have happened all the same: written again, it is there once."""

TIDY_ROWS = 500
"""The size is looked at after so many new rows."""

TIDY_SECONDS = 3600.0
"""Age and size are looked at this often in any case."""


class EventStore:
    """Keeps every event in the file exactly once, and numbers reserved ahead of them."""

    def __init__(
        self,
        path: Path,
        numbers: SequenceNumbers,
        *,
        keep_seconds: float,
        max_bytes: int,
        pictures: int = 0,
        utc: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        connect: Callable[[Path], sqlite3.Connection] = connect_writer,
    ) -> None:
        """`pictures` are kept at most, of the newest events.

        `connect` opens the file; `utc` is UTC seconds since 1970, `monotonic` seconds that never jump.
        """
        self.path = path
        self.oldest_seq: int | None = None
        """Number of the oldest event in the file; None where there is none."""
        self._numbers = numbers
        self._keep_pictures = min(pictures, max_bytes // PICTURE_BYTES)
        self._retention = Retention(
            keep_seconds=keep_seconds,
            max_bytes=max_bytes,
            pictures=self._keep_pictures,
            utc=utc,
            monotonic=monotonic,
        )
        self._monotonic = monotonic
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._identity, self._size = (0, 0), 0
        self._lock: int | None = None
        self._untidy_rows = 0
        self._tidied = float("-inf")

    def write(
        self,
        messages: Sequence[Message],
        minutes: Sequence[LevelMinute] = (),
        pictures: Sequence[EventPicture] = (),
    ) -> None:
        """Commit events, minutes of levels and pictures, all or none; opens the file where needed.

        Raises HistoryError.
        """
        if self._connection is not None and self._is_moved():
            log.warning("history.moved path=%s", self.path)
            self._drop()
        try:
            self._check_size()
            self._insert(messages, minutes, pictures)
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            self._drop()
            if not is_damage(error):
                raise self._error(error) from error
            self._set_aside(error)
            try:
                self._insert(messages, minutes, pictures)
            except (sqlite3.Error, OSError) as second:
                self._drop()
                raise self._error(second) from second

    def tidy(self) -> bool:
        """Delete a few old events if that is due; returns whether there are more. Raises HistoryError."""
        now = self._monotonic()
        due = self._untidy_rows >= TIDY_ROWS or now - self._tidied >= TIDY_SECONDS
        if self._connection is None or not due:
            return False
        more = False
        try:
            more = self._retention.step(self._connection)
            self._update_oldest(self._connection)
            if not more:
                checkpoint(self._connection)
        except sqlite3.Error as error:
            self._drop()
            raise self._error(error) from error
        finally:
            if not more:
                self._untidy_rows, self._tidied = 0, now
        return more

    def close(self) -> None:
        """Give back the numbers that were reserved and not used, and close the file."""
        try:
            if self._connection is not None:
                self._reserve(self._connection, self._numbers.last + 1)
                self._retention.save(self._connection)
        except (sqlite3.Error, OSError) as error:
            log.warning('history.close_failed path=%s error="%s"', self.path, error)
        finally:
            self._drop()
            self._unlock()

    def _insert(
        self,
        messages: Sequence[Message],
        minutes: Sequence[LevelMinute],
        pictures: Sequence[EventPicture],
    ) -> None:
        connection = self._open() if self._connection is None else self._connection
        if (wanted := self._numbers.wanted()) is not None:
            self._reserve(connection, wanted)
            self._numbers.grant(wanted)
        if not (messages or minutes or pictures):
            return
        connection.execute("BEGIN IMMEDIATE")
        if messages:
            connection.executemany(INSERT, map(row, messages))
            self._retention.mark(connection, messages[-1].seq or 0)
        store_minutes(connection, minutes, at=self._retention.now())
        store_pictures(connection, pictures, keep=self._keep_pictures)
        connection.execute("COMMIT")
        self._untidy_rows += len(messages) + len(minutes)
        if self.oldest_seq is None:
            self._update_oldest(connection)

    def _reserve(self, connection: sqlite3.Connection, number: int) -> None:
        """Write that numbers below this one may be used; unlike events, this survives a power cut at once.

        The lock beside it notes it too, and outlives a file that is deleted or replaced by an old copy.
        """
        if self._lock is not None:
            os.ftruncate(self._lock, os.pwrite(self._lock, b"%d\n" % number, 0))
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'reserved'", (number,))
        connection.execute("PRAGMA synchronous = NORMAL")

    def _open(self) -> sqlite3.Connection:
        make_folder(self.path.parent)
        if owner_of(self.path) is Owner.DAMAGED:
            self._set_aside("it cannot be read")
        if self._lock is not None and is_dead(self._lock):
            self._unlock()  # its share went away, and is perhaps back
        if self._lock is None:
            self._lock = _claim(self.path)
        self._connection = connection = self._connect(self.path)
        status = self.path.stat()
        self._identity, self._size = identity(status), status.st_size
        newest = connection.execute("SELECT coalesce(max(seq), 0) FROM messages").fetchone()[0]
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        self._retention.open(connection, self.path)
        self._numbers.meet(newest, max(meta["reserved"], self._noted()))
        copied = meta.get("inode", status.st_ino) != status.st_ino
        if copied:
            log.info("history.copied path=%s: numbers begin a new generation", self.path)
        self._numbers.settle(None if copied else (meta.get("generation"), meta.get("generation_seq")))
        number = self._numbers.last + 1 + self._numbers.ahead
        self._reserve(connection, number)
        noted = {
            "inode": status.st_ino,
            "generation": self._numbers.generation,
            "generation_seq": self._numbers.generation_seq,
        }
        connection.executemany(SAVE, noted.items())
        self._numbers.grant(number)
        self._update_oldest(connection)
        return connection

    def _unlock(self) -> None:
        file, self._lock = self._lock, None
        if file is not None:
            release(file)

    def _noted(self) -> int:
        """The number that the lock beside the file notes; 0 where it says nothing."""
        noted = b"" if self._lock is None else os.pread(self._lock, 32, 0).strip()
        return int(noted) if noted.isdigit() and len(noted) < 19 else 0

    def _check_size(self) -> None:
        """Raise sqlite3.DatabaseError where the file has been cut off by somebody else."""
        if self._connection is None:
            return
        before, self._size = self._size, self.path.stat().st_size
        if self._size < before and checkpoint(self._connection):
            pages, page_size = (
                self._connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "page_size")
            )
            self._size = self.path.stat().st_size
            if self._size < pages * page_size:
                error = sqlite3.DatabaseError("the file has been cut off")
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error

    def _update_oldest(self, connection: sqlite3.Connection) -> None:
        self.oldest_seq = connection.execute("SELECT min(seq) FROM messages").fetchone()[0]

    def _is_moved(self) -> bool:
        """Whether the file was deleted or replaced: SQLite would go on writing to the old one."""
        try:
            return identity(self.path.stat()) != self._identity
        except OSError:
            return True

    def _set_aside(self, reason: object) -> None:
        """Rename a damaged file that is ours, so that it can be examined and a new one begun."""
        aside = self.path.with_name(f"{self.path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        try:
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")
            self.path.rename(aside)
        except OSError as error:
            raise self._error(error) from error
        self._numbers.lose()
        log.warning('history.damaged path=%s kept_as=%s error="%s"', self.path, aside.name, reason)

    def _drop(self) -> None:
        """Close the file; the next write opens it again."""
        connection, self._connection = self._connection, None
        self.oldest_seq = None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _error(self, error: Exception) -> HistoryError:
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


def _claim(path: Path) -> int | None:
    """Lock the history for this process: two daemons would give the same numbers."""
    try:
        # Not the file itself: closing a second descriptor of it would drop SQLite's own locks.
        return lock(lock_path(path), os.O_CREAT | os.O_RDWR, wait=False)
    except BlockingIOError:
        raise HistoryError(
            f"{path}: the history is in use by another daemon: set history.path, or history.enabled to false"
        ) from None
