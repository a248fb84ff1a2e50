"""A fleet's events in PostgreSQL, for several collectors and whatever else reads them (extra `[fleet]`)."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Generator, Sequence
from importlib import import_module
from typing import Any

from detector.errors import ConfigError
from detector.fleet.event_database import DatabaseError, Rows

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 60
"""The server itself gives a statement up after so long; nothing was acknowledged by then."""
ANSWER_SECONDS = 70
"""A server that says nothing for so long is given up: it hangs, or the network swallows what is sent."""

TABLE_LOCK = 0x5EED_DE7EC7
"""A number of its own in each database."""

_KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""So a network that swallows everything is noticed after 30 to 40 s [s; the last one ms]."""


class PostgresDatabase:
    """One connection; `uri` is postgresql://USER@HOST/DATABASE, a password is in `~/.pgpass` or a file."""

    def __init__(self, uri: str) -> None:
        try:
            self._psycopg: Any = import_module("psycopg")
        except ImportError as error:
            raise ConfigError(f"{shown(uri)} needs psycopg: pip install 'sound-detector[fleet]'") from error
        logging.getLogger("psycopg").setLevel(logging.ERROR)  # what it warns of is raised, too
        self.name = shown(uri)
        try:
            self._connection = _patient(self._psycopg).connect(
                uri,
                connect_timeout=CONNECT_SECONDS,
                options=f"-c statement_timeout={STATEMENT_SECONDS * 1000} {os.environ.get('PGOPTIONS', '')}",
                application_name="sound-detector collect",
                **_KEEPALIVE,
            )
        except (self._psycopg.Error, UnicodeError) as error:
            raise DatabaseError(f"{self.name}: cannot be reached: {_line(error)}") from error

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

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns; empty where there is no such table."""
        found = self.run(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum",
            table,
        )
        return [str(name) for (name,) in found]

    def be_alone(self) -> None:
        """Until `commit`, wait for others who make tables: of two, one would fail."""
        self.run("SELECT pg_advisory_xact_lock(?)", TABLE_LOCK)

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
        return DatabaseError(f"{self.name}: cannot be written: {_line(error)}")


def _patient(psycopg: Any) -> Any:  # noqa: ANN401 (a package that may be absent)
    """psycopg's connection, but it does not wait for the server without end."""

    def limited(server: Any, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:  # noqa: ANN401
        end = time.monotonic() + ANSWER_SECONDS
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > end:
                    server.finish()  # else leaving a pipeline would wait once more
                    raise psycopg.OperationalError(f"no answer within {ANSWER_SECONDS} s")
                wanted = steps.send(ready)
        except StopIteration as done:
            return done.value

    class _Patient(psycopg.Connection):  # type: ignore[misc]
        def wait(self, gen: Any, *more: Any, **others: Any) -> Any:  # noqa: ANN401
            return super().wait(limited(self.pgconn, gen), *more, **others)

    return _Patient


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
