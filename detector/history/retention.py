"""How long events and sound levels are kept: by the time that has really passed, and by the size of the file.

The clock of the machine may be wrong by years, jump, or begin in 1970 at each boot. So the age of an event is
not worked out from times of day. The history counts its own seconds: while the program runs they follow the
monotonic clock, which never jumps, and a pause between two runs is counted where the clock makes it credible.
Once an hour the file notes how far events had come by then; events go in the order of their numbers.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from detector.history.level_table import delete_minutes
from detector.history.picture_table import delete_pictures

log = logging.getLogger(__name__)

LONGEST_PAUSE = 7 * 86400.0
"""A longer pause between two runs is taken for a clock that is wrong, and not counted [s]."""

PAUSE_SHARE = 0.25
"""Nor is one that is longer than this share of the time for which events are kept."""

STEP_SECONDS = 60.0
"""A disagreement of the two clocks that is larger than this is mentioned in the log."""

MARK_SECONDS = 3600.0
"""How often the file notes how far events have come."""

SAMPLES = 500
"""A file without notes is dated by so many of its events."""

STEP_ROWS = 500
"""Rows deleted in one transaction: some milliseconds, so that an event never waits for long."""

PASS_ROWS = 5000
"""Rows deleted because of their age in one pass; the next pass comes with the next events, or in an hour."""

STEP_PAGES = 256
"""Pages given back to the disk in one step (1 MiB)."""

SLACK = 0.95
"""A file above its limit is cut back to this share of the limit."""

SAVE = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class HistoryClock:
    """The history's own seconds: they never go back and never jump, whatever the machine's clock does."""

    def __init__(
        self,
        *,
        longest_pause: float,
        utc: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """A pause between two runs of more than `longest_pause` [s] is not counted."""
        self._longest_pause = longest_pause
        self._utc = utc
        self._monotonic = monotonic
        self._begun = monotonic()
        self._ahead = utc()
        """What the machine's clock shows at second 0 of the history, as far as it is believed."""
        self._noticed = self._ahead

    def now(self) -> float:
        """Seconds on the history's own clock."""
        return self._monotonic() - self._begun

    def resume(self, seconds: float, expected_utc: float, path: Path) -> None:
        """Go on from where a file's clock stood: at `seconds`, when the machine's showed `expected_utc`."""
        pause = self._utc() - expected_utc
        if 0 < pause <= self._longest_pause:
            seconds += pause
        elif abs(pause) > self._longest_pause:
            log.warning(
                "history.clock_jumped path=%s seconds=%+.0f: the pause since the last run is not counted, "
                "and no event is deleted because of it",
                path,
                pause,
            )
            expected_utc += pause
        self._begun = self._monotonic() - seconds
        # Behind, but not by much: what was believed before stays, or the pause would be counted again later.
        self._ahead = max(expected_utc, self._utc()) - seconds
        self._noticed = self._utc() - seconds

    def state(self) -> tuple[int, int]:
        """What a file keeps: these seconds, and what the machine's clock shows with them [UTC seconds]."""
        now = self.now()
        disagreement = self._utc() - (self._ahead + now)
        if disagreement > 0 or disagreement < -self._longest_pause:
            self._ahead += disagreement
        step = self._utc() - (self._noticed + now)
        if abs(step) > STEP_SECONDS:
            log.warning("history.clock_stepped seconds=%+.0f: no event is deleted because of it", step)
        self._noticed = self._utc() - now
        return int(now), int(self._ahead + now)


class Retention:
    """Deletes events older than `keep_seconds`, and the oldest ones while the file is above `max_bytes`."""

    def __init__(
        self,
        *,
        keep_seconds: float,
        max_bytes: int,
        pictures: int = 0,
        utc: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of events, `pictures` are kept at most."""
        longest = min(LONGEST_PAUSE, PAUSE_SHARE * keep_seconds)
        self._clock = HistoryClock(longest_pause=longest, utc=utc, monotonic=monotonic)
        self._longest_pause = longest
        self._keep_seconds = keep_seconds
        self._max_bytes = max_bytes
        self._pictures = pictures
        self._shrinking = False
        self._marked = float("-inf")
        self._saved: tuple[int, int] | None = None
        self._aged = self._deleted = 0

    def open(self, connection: sqlite3.Connection, path: Path) -> None:
        """Go on from what a file says; one that says nothing is dated by its events."""
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS kept (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL)")
        saved = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('clock', 'clock_utc')"))
        if saved.keys() >= {"clock", "clock_utc"}:
            state = saved["clock"], saved["clock_utc"]
            if (
                state != self._saved
            ):  # else it is the same file, opened again: the clock has gone on meanwhile
                self._clock.resume(*state, path)
        else:
            marks, start = _date_by_events(connection, self._longest_pause)
            connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", marks)
            if start is not None:
                self._clock.resume(marks[-1][1], start, path)
        self._marked = float("-inf")
        self.save(connection)
        connection.execute("COMMIT")

    def save(self, connection: sqlite3.Connection) -> None:
        """Note the clock, for the next run."""
        self._saved = self._clock.state()
        connection.executemany(SAVE, zip(("clock", "clock_utc"), self._saved, strict=True))

    def mark(self, connection: sqlite3.Connection, newest: int) -> None:
        """Note, once an hour, that events up to number `newest` are there by now."""
        now = self._clock.now()
        if now - self._marked >= MARK_SECONDS:
            self._marked = now
            # What is noted already was there earlier: in a quiet time, the newest event ages like all others.
            connection.execute("INSERT OR IGNORE INTO kept VALUES (?, ?)", (newest, int(now)))

    def now(self) -> int:
        """Seconds on the history's own clock."""
        return int(self._clock.now())

    def step(self, connection: sqlite3.Connection) -> bool:
        """Take one small step; returns whether there is more to do in this pass."""
        if self._forget(connection) or self._forget_levels(connection):
            return True
        if delete_pictures(connection, keep=self._pictures) or self._shrink(connection):
            return True
        self._end_pass(connection)
        return False

    def _forget(self, connection: sqlite3.Connection) -> bool:
        """Delete some events that were all written more than `keep_seconds` ago."""
        limit = self._clock.now() - self._keep_seconds
        old = connection.execute("SELECT max(seq) FROM kept WHERE at < ?", (limit,)).fetchone()[0]
        if old is None or self._aged >= PASS_ROWS:
            return False
        deleted = _delete_oldest(connection, "WHERE seq <= ?", (old,))
        if not deleted:
            connection.execute("DELETE FROM kept WHERE seq <= ?", (old,))
        self._aged += deleted
        self._deleted += deleted
        return deleted > 0

    def _forget_levels(self, connection: sqlite3.Connection) -> bool:
        """The same for the sound levels of old minutes."""
        return delete_minutes(connection, before=int(self._clock.now() - self._keep_seconds)) > 0

    def _shrink(self, connection: sqlite3.Connection) -> bool:
        pages, free, page_size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        size = pages * page_size
        self._shrinking = size > (self._max_bytes * SLACK if self._shrinking else self._max_bytes)
        if not self._shrinking:
            return False
        if free:
            # As a script: `execute` takes one step of a statement without columns, which frees one page.
            connection.executescript(f"PRAGMA incremental_vacuum({STEP_PAGES})")
            return True
        # By their size events count most; levels go where they are older than all events that are left.
        (oldest,) = connection.execute(_OLDEST_AT).fetchone()
        if oldest is not None and delete_minutes(connection, before=oldest):
            return True
        deleted = _delete_oldest(connection)
        self._deleted += deleted
        return deleted > 0 or delete_minutes(connection) > 0

    def _end_pass(self, connection: sqlite3.Connection) -> None:
        newest = connection.execute("SELECT max(seq) FROM messages").fetchone()[0]
        if newest is not None:
            self.mark(connection, newest)
        self.save(connection)
        if self._deleted:
            log.info(
                "history.deleted events=%d because_of_age=%d because_of_size=%d",
                self._deleted,
                self._aged,
                self._deleted - self._aged,
            )
        self._aged = self._deleted = 0


_OLDEST_AT = "SELECT min(at) FROM kept WHERE seq >= (SELECT min(seq) FROM messages)"
"""About when the oldest event was written, on the history's clock."""


def _delete_oldest(connection: sqlite3.Connection, where: str = "", values: Iterable[int] = ()) -> int:
    """Delete the STEP_ROWS events with the lowest numbers, of those that `where` allows; returns how many."""
    oldest = f"SELECT seq FROM messages {where} ORDER BY seq LIMIT {STEP_ROWS}"  # noqa: S608
    return connection.execute(f"DELETE FROM messages WHERE seq IN ({oldest})", tuple(values)).rowcount  # noqa: S608


def _date_by_events(
    connection: sqlite3.Connection, longest_pause: float
) -> tuple[list[tuple[int, int]], float | None]:
    """Notes for events that were written without, and the newest one's own time [UTC seconds].

    The time between two events counts as between two runs: not where their clock went back or jumped.
    """
    first, last = connection.execute("SELECT min(seq), max(seq) FROM messages").fetchone()
    marks: list[tuple[int, int]] = []
    before: float | None = None
    seconds, seq = 0.0, first
    while seq is not None and seq <= last:
        found = connection.execute(
            "SELECT seq, start FROM messages WHERE seq >= ? AND start IS NOT NULL ORDER BY seq LIMIT 1",
            (seq,),
        ).fetchone()
        if found is None:
            break
        number, start = found
        if before is not None and 0 < start - before <= longest_pause:
            seconds += start - before
        before = start
        marks.append((number, int(seconds)))
        seq = max(number + 1, seq + max(1, (last - first) // SAMPLES))
    return marks, before
