"""What the history lets go of: the oldest events, by age and by the file's size, a small step at a time."""

from __future__ import annotations

import sqlite3

STEP_ROWS = 500
"""Rows deleted in one transaction: some milliseconds, so that an event never waits for long."""

STEP_PAGES = 256
"""Pages given back to the disk in one step (1 MiB)."""

SLACK = 0.95
"""A file that has outgrown its limit is cut back to this share of it."""


class Retention:
    """Deletes what is older than `keep_seconds` or beyond `max_bytes`."""

    def __init__(self, *, keep_seconds: float, max_bytes: int) -> None:
        self._keep_seconds = keep_seconds
        self._max_bytes = max_bytes
        self._cutting = False

    def step(self, connection: sqlite3.Connection, now: float) -> bool:
        """Take one step, at `now` [UTC seconds]; whether there is more to do."""
        return self._forget(connection, now - self._keep_seconds) or self._shrink(connection)

    def _forget(self, connection: sqlite3.Connection, limit: float) -> bool:
        # By the sound's own time, not by number: a clock that was wrong for a day must not stop it.
        deleted = connection.execute(
            "DELETE FROM messages WHERE seq IN "
            "(SELECT seq FROM messages WHERE start < ? ORDER BY start LIMIT ?)",
            (limit, STEP_ROWS),
        )
        return deleted.rowcount > 0

    def _shrink(self, connection: sqlite3.Connection) -> bool:
        pages, free, page_size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        size = pages * page_size
        self._cutting = size > (self._max_bytes * SLACK if self._cutting else self._max_bytes)
        if not self._cutting:
            return False
        if free:
            # As a script: `execute` takes one step of a statement without columns, which frees one page.
            connection.executescript(f"PRAGMA incremental_vacuum({STEP_PAGES})")
            return True
        deleted = connection.execute(
            "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages ORDER BY seq LIMIT ?)", (STEP_ROWS,)
        )
        return deleted.rowcount > 0
