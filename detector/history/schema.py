"""The history's file: its tables, their versions, and how it is opened for writing and for reading.

One row of `messages` is one event as it was sent; `line` is the whole of it (docs/protocol.md), the other
columns are what queries need. `meta` holds `reserved`, `generation` and `generation_seq` (see
`sequence_numbers`), `clock` and `clock_utc` (see `retention`), and `inode`, by which a copy is recognised.
The tables are made by `migrations`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path
from stat import S_ISREG

from detector.errors import HistoryError
from detector.files.daemon_files import make_folder
from detector.history.history_paths import NAME
from detector.history.migrations import MIGRATIONS, VERSION

BUSY_SECONDS = 1.0
"""How long to wait for another program that holds the file."""

_SIGNATURE_BYTES = 1 << 20
"""Our tables' words are within the first pages."""

WAL_BYTES = 4 * 1024 * 1024
"""What the write-ahead log is cut back to after a reader has held it up."""


class Owner(Enum):
    """Whose a file is, judged before anything is written to it."""

    NOBODY = "nobody"
    """It is not there, or empty."""
    OURS = "ours"
    DAMAGED = "damaged"
    """It cannot be read, but holds the words of our tables, or our lock says that it was ours."""


def owner_of(path: Path) -> Owner:
    """Look at a file without changing it; raises HistoryError where it is another program's, or too new."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise HistoryError(f"{path}: is not a regular file; set history.path to another")
        if not status.st_size:
            return Owner.NOBODY
        with closing(_peek(path)) as connection:
            version = _version(connection)
            if _has_messages(connection):
                if version > VERSION:
                    raise _too_new(path, version)
                return Owner.OURS
            if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
                return Owner.NOBODY
    except FileNotFoundError:
        return Owner.NOBODY
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if not is_damage(error):
            raise unreadable(path, error) from error
        if _was_ours(path):
            return Owner.DAMAGED
        raise HistoryError(
            f"{path}: expected a history, found something else or a damaged file: "
            "set history.path to another file, or move this one away"
        ) from error
    raise HistoryError(f"{path}: this database belongs to another program; set history.path to another file")


def lock_path(path: Path) -> Path:
    """The file that is locked by whoever writes this history; it also notes the numbers (`event_store`)."""
    return Path(f"{path}.lock")


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the file; make it, or bring its tables up to date, where needed.

    The caller has asked `owner_of` whose it is. Raises HistoryError where it is of a later version; OSError,
    sqlite3.Error.
    """
    _make(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        if not _version(connection):  # set again, it would be written again, each time
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # A killed process loses nothing that was committed; a power cut may lose the last seconds.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        if _migrate(connection, path):
            checkpoint(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Bring what is in the write-ahead log into the file itself; returns whether all of it is there now.

    So a copy of the file without the log lacks little. It waits for nobody.
    """
    busy, frames, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return not busy and bool(frames == moved)


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading, while a daemon may be writing it; raises HistoryError."""
    try:
        mode = path.stat().st_mode
    except PermissionError as error:
        raise HistoryError(
            f"{path}: the history cannot be read: {error.strerror}; read it as its owner, or as root: "
            "sudo sound-detector history"
        ) from error
    except OSError as error:
        raise HistoryError(f"{path}: the history cannot be read: {error.strerror}") from error
    if not S_ISREG(mode):
        raise HistoryError(f"{path}: the history cannot be read: it is not a regular file")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        try:
            return _reading(uri, path)
        except sqlite3.OperationalError:
            # Without a daemon there is no shared memory, and who may not write the folder cannot make it.
            if _wal(path).exists():
                return _reading_copy(path)
            return _reading(f"{uri}&immutable=1", path)
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error


@contextmanager
def reading_table(path: Path, table: str) -> Iterator[sqlite3.Connection | None]:
    """A history that has this table, None for one that has it not yet; raises HistoryError."""
    with closing(connect_reader(path)) as connection:
        try:
            (count,) = connection.execute(_COUNT_TABLES, (table,)).fetchone()
            yield connection if count else None
        except (sqlite3.Error, ValueError, TypeError) as error:  # the last two: a row that we did not write
            raise unreadable(path, error) from error


_COUNT_TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"


def unreadable(path: Path, error: Exception) -> HistoryError:
    """The error to raise, in one printable line: SQLite may quote the bytes of a damaged file."""
    reason = "".join(char if char.isprintable() else "?" for char in " ".join(str(error).split()))
    return HistoryError(f"{path}: the history cannot be read: {reason}")


def is_damage(error: Exception) -> bool:
    """Whether an error means that the file's content is damaged, and not that it cannot be reached.

    SQLite quotes names of a damaged file in its words; where they are no text, Python cannot read these.
    """
    if isinstance(error, UnicodeDecodeError):
        return True
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _reading(uri: str, path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        version = _version(connection)
        if version > VERSION:
            raise _too_new(path, version)
        if version == 0 or not _has_messages(connection):
            raise HistoryError(
                f"{path}: expected a history of sound-detector, found another or an empty file; "
                f"where it is a copy, {_wal(path).name} belongs to it: copy both, or stop the daemon first"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _reading_copy(path: Path) -> sqlite3.Connection:
    """Read a copy of the file and its log: on a read-only disk SQLite cannot read the log itself."""
    with tempfile.TemporaryDirectory(prefix="sound-detector-") as folder:
        copy = Path(folder, path.name)
        shutil.copyfile(path, copy)
        shutil.copyfile(_wal(path), _wal(copy))
        # What is open can be read after the folder is gone.
        return _reading(f"{copy.as_uri()}?mode=rw", path)


def _peek(path: Path) -> sqlite3.Connection:
    """Open a file that may be anybody's; nothing is written beside it unless its own log is there."""
    busy = _wal(path).exists() or Path(f"{path}-journal").exists()
    options = "mode=ro" if busy else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS)


def _was_ours(path: Path) -> bool:
    """Whether a file that cannot be read was a history: by the lock beside it, or by its tables' words."""
    try:
        if lock_path(path).stat().st_size or (lock_path(path).exists() and path.name == NAME):
            return True
    except OSError:
        pass
    with path.open("rb") as file:
        return b"CREATE TABLE messages (" in file.read(_SIGNATURE_BYTES)


def _wal(path: Path) -> Path:
    """SQLite's write-ahead log of a file."""
    return Path(f"{path}-wal")


def _make(path: Path) -> None:
    """Make the file and its folder for owner and group alone; SQLite gives its other files the same mode."""
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o640)
    except FileExistsError:
        return
    os.close(descriptor)


def _migrate(connection: sqlite3.Connection, path: Path) -> bool:
    """Bring the tables up to date; returns whether something had to be done."""
    version = _version(connection)
    if version > VERSION:
        raise _too_new(path, version)
    for number in range(version, VERSION):
        connection.execute("BEGIN IMMEDIATE")
        for statement in MIGRATIONS[number]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    return version < VERSION


def _has_messages(connection: sqlite3.Connection) -> bool:
    """Whether it has our tables. A view is none: it could go on for ever, and somebody else has made it.

    Names are compared by SQLite: those of a damaged file may be no text.
    """
    counts: tuple[int, int] = connection.execute(
        "SELECT (SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('messages', 'meta')), "
        "(SELECT count(*) FROM pragma_table_info('messages') WHERE name IN ('seq', 'line'))"
    ).fetchone()
    return counts == (2, 2)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _too_new(path: Path, version: int) -> HistoryError:
    return HistoryError(
        f"{path}: expected a history of version {VERSION} at most, found {version}: "
        "a newer sound-detector is needed, or another history.path"
    )
