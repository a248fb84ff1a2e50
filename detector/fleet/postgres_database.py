"""A fleet's events in PostgreSQL, for several collectors and whatever else reads them (extra `[fleet]`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from detector.errors import ConfigError
from detector.fleet.event_database import DatabaseError, Rows

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
"""A server that does not answer for so long is given up; nothing was acknowledged by then."""


class PostgresDatabase:
    """One connection; `uri` is postgresql://USER@HOST/DATABASE, a password is in `~/.pgpass` or a file."""

    def __init__(self, uri: str) -> None:
        try:
            self._psycopg: Any = import_module("psycopg")
        except ImportError as error:
            raise ConfigError(f"{shown(uri)} needs psycopg: pip install 'sound-detector[fleet]'") from error
        self._name = shown(uri)
        try:
            self._connection = self._psycopg.connect(
                uri,
                connect_timeout=CONNECT_SECONDS,
                options=f"-c statement_timeout={STATEMENT_SECONDS * 1000} {os.environ.get('PGOPTIONS', '')}",
                application_name="sound-detector collect",
            )
        except (self._psycopg.Error, UnicodeError) as error:
            raise DatabaseError(f"{self._name}: cannot be reached: {_line(error)}") from error

    def run(self, sql: str, *values: object) -> Rows:
        """Execute a statement and return its rows."""
        try:
            cursor = self._connection.execute(_translated(sql), values)
            return cursor.fetchall() if cursor.description else []
        except self._psycopg.Error as error:
            raise self._error(error) from error

    def run_each(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Execute a statement for each row of values; returns how many rows it changed."""
        if not rows:
            return 0
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(_translated(sql), rows)
                return max(0, int(cursor.rowcount))
        except self._psycopg.Error as error:
            raise self._error(error) from error

    def commit(self) -> None:
        """Keep what was changed, on the disk."""
        try:
            self._connection.commit()
        except self._psycopg.Error as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Drop what was not committed."""
        self._connection.close()

    def _error(self, error: Exception) -> DatabaseError:
        return DatabaseError(f"{self._name}: cannot be written: {_line(error)}")


def shown(uri: str) -> str:
    """The address without a password, for messages."""
    before, at, place = uri.rpartition("@")
    scheme, separator, user = before.partition("://")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{place}".partition("?")[0]


def refuse_password(uri: str) -> None:
    """Raise ConfigError for an address with a password, which everybody who lists the processes reads."""
    before, _, place = uri.partition("://")[2].rpartition("@")
    if ":" in before or "password=" in place:
        raise ConfigError(
            f"{shown(uri)}: a password in the address could be read by everybody who lists the processes: "
            "write it into ~/.pgpass, or into the file that PGPASSFILE names"
        )


def _translated(sql: str) -> str:
    return sql.replace("?", "%s")


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
