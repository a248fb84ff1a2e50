"""One statement for many rows of values: over a network, each statement has to wait for its answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from detector.fleet.event_database import Database, Rows

ROWS_AT_ONCE = 1000
"""Rows of one statement at most: with five values each far below what SQLite and PostgreSQL take (32 766)."""


def rows_for(database: Database, sql: str, rows: Iterable[Sequence[object]]) -> Rows:
    """Execute a query in which `ROWS` stands for rows of values, `(?, ?), (?, ?)`; returns all that it gives.

    Without any row nothing is executed, with many some statements are. Raises DatabaseError.
    """
    found: list[tuple[Any, ...]] = []
    for part in _parts(rows):
        found += database.run(_filled(sql, part), *_values(part))
    return found


def change_for(database: Database, sql: str, rows: Iterable[Sequence[object]]) -> int:
    """Execute a change in which `ROWS` stands for rows of values; returns how many rows it changed.

    Rows may be many: they are taken a part at a time. Raises DatabaseError.
    """
    return sum(database.run_each(_filled(sql, part), [_values(part)]) for part in _parts(rows))


def _parts(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    left = iter(rows)
    while part := list(islice(left, ROWS_AT_ONCE)):
        yield part


def _filled(sql: str, rows: Sequence[Sequence[object]]) -> str:
    row = f"({', '.join('?' * len(rows[0]))})"
    return sql.replace("ROWS", ", ".join([row] * len(rows)))


def _values(rows: Sequence[Sequence[object]]) -> list[object]:
    return [value for row in rows for value in row]
