"""A fleet's events in an SQLite file; several collectors on one machine may share it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from detector.errors import ConfigError
from detector.files.daemon_files import make_folder
from detector.fleet.event_database import COLUMNS, DatabaseError, Rows
from detector.history.schema import is_damage

BUSY_SECONDS = 10.0
"""How long another collector may hold the file."""


class SqliteDatabase:
    """One connection to the file, which is made where there is none; `is_durable` waits for the disk.

    ConfigError for what can be no such file, until somebody names another; nothing is changed in it.
    """

    def __init__(self, path: Path, *, is_durable: bool = True) -> None:
        self.name = str(path)
        if path.is_dir():
            raise self._unfit("a folder")
        try:
            make_folder(path.parent)
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
            self._refuse_others()
            self._connection.execute("PRAGMA journal_mode = WAL")
            # FULL: what a collector has acknowledged is there after a power cut, too.
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
        except (FileExistsError, NotADirectoryError) as error:
            raise self._unfit(f"a name below {error.filename}, which is a file") from error
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
                raise self._unfit(
                    "no database", ", or move it away if `sound-detector collect` made it"
                ) from error
            raise self._error(error, "opened") from error

    def run(self, sql: str, *values: object) -> Rows:
        """Execute a statement and return its rows."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def run_each(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Execute a statement for each row of values; returns how many rows it changed."""
        try:
            return max(0, self._connection.executemany(sql, rows).rowcount)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def be_alone(self) -> None:
        """SQLite sees to that itself."""

    def commit(self) -> None:
        """Keep what was changed, on the disk."""
        try:
            self._connection.commit()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Drop what was not committed."""
        self._connection.close()

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns; empty where there is no such table."""
        return [str(name) for (name,) in self.run("SELECT name FROM pragma_table_info(?)", table)]

    def _refuse_others(self) -> None:
        """Raise ConfigError for another program's file, before anything is changed in it."""
        names = {
            str(name)
            for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if names and names.isdisjoint(COLUMNS):
            self._connection.close()
            raise self._unfit(f"the tables {', '.join(sorted(names))[:200]}")

    def _unfit(self, found: str, more: str = "") -> ConfigError:
        return ConfigError(
            f"{self.name}: expected a new file or one that `sound-detector collect` has made, got {found}: "
            f"nothing is written to it; choose another name{more}"
        )

    def _error(self, error: sqlite3.Error | OSError, what: str = "written") -> DatabaseError:
        advice = ""
        if is_damage(error):
            advice = ": move it away, and daemons send again what their histories have"
        elif getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
            advice = ": run this as the user of `sound-detector collect`, who may write there"
        return DatabaseError(f"{self.name}: cannot be {what}: {error}{advice}")
