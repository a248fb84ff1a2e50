"""The history's file: its tables, their versions, and how it is opened for writing and for reading.

One row of `messages` is one event as it was sent; `line` is the whole of it (docs/protocol.md), the other
columns are what queries need. `meta` holds `reserved` (see `sequence_numbers`).
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from detector.errors import HistoryError
from detector.files.daemon_files import make_folder

VERSION = 1
"""Grows with every change of the tables; the file carries it as `user_version`."""

MIGRATIONS = (
    # 0 -> 1
    (
        """CREATE TABLE messages (
            seq INTEGER PRIMARY KEY,
            id TEXT,
            type TEXT,
            label TEXT,
            class_id TEXT,
            start REAL,
            stop REAL,
            top_score REAL,
            source TEXT,
            line TEXT NOT NULL
        )""",
        "CREATE INDEX messages_id ON messages (id)",
        "CREATE INDEX messages_start ON messages (start)",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO meta VALUES ('reserved', 1)",
    ),
)
"""Statements that bring a file from version n to n + 1, where n is the index; one transaction each."""

BUSY_SECONDS = 1.0
"""How long to wait for another program that holds the file."""

WAL_BYTES = 4 * 1024 * 1024
"""What the write-ahead log is cut back to after a reader has held it up."""


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the file; make it, or bring its tables up to date, where needed.

    Raises HistoryError where it belongs to another program or a later version; OSError, sqlite3.Error.
    """
    _make(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # A killed process loses nothing that was committed; a power cut may lose the last seconds.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading, while a daemon may be writing it; raises HistoryError."""
    try:
        path.stat()
    except OSError as error:
        raise HistoryError(f"{path}: the history cannot be read: {error.strerror}") from error
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        try:
            return _reading(uri, path)
        except sqlite3.OperationalError:
            # Without a daemon there is no shared memory, and who may not write the folder cannot make it.
            if Path(f"{path}-wal").exists():
                raise
            return _reading(f"{uri}&immutable=1", path)
    except sqlite3.Error as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> HistoryError:
    """The error to raise, in one printable line: SQLite may quote the bytes of a damaged file."""
    reason = "".join(char if char.isprintable() else "?" for char in " ".join(str(error).split()))
    return HistoryError(f"{path}: the history cannot be read: {reason}")


def is_damage(error: Exception) -> bool:
    """Whether an error means that the file's content is damaged, and not that it cannot be reached."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _reading(uri: str, path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        version = _version(connection)
        if version > VERSION:
            raise _too_new(path, version)
        if version == 0:
            raise HistoryError(
                f"{path}: expected a history of sound-detector, found another or an empty file"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """Make the file and its folder for owner and group alone; SQLite gives its other files the same mode."""
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o640)
    except FileExistsError:
        return
    os.close(descriptor)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > VERSION:
        raise _too_new(path, version)
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise HistoryError(
            f"{path}: this database belongs to another program; set history.path to another file"
        )
    for number in range(version, VERSION):
        connection.execute("BEGIN IMMEDIATE")
        for statement in MIGRATIONS[number]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _too_new(path: Path, version: int) -> HistoryError:
    return HistoryError(
        f"{path}: expected a history of version {VERSION} at most, found {version}: "
        "a newer sound-detector is needed, or another history.path"
    )
