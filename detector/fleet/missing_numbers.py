"""Looks for numbers of events that a run of a daemon gave and that have not come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from detector.fleet.event_database import Database
from detector.fleet.fleet_event import is_seq
from detector.fleet.many_rows import change_for, rows_for

MOST_MISSING = 10_000
"""Numbers of one gap that are noted: a forged number would otherwise fill the disk."""

Run = tuple[str, str, str]
"""A node, its generation and the run of the daemon."""


def note_missing(database: Database, *, since: float, until: float, now: float) -> tuple[int, int]:
    """Look for numbers that are missing before events that came between two times [UTC seconds].

    Within a run, `seq` rises by one from event to event; between runs a gap means nothing (docs/protocol.md).
    What a run has sent last is known from what daemons said of themselves between these times.
    `until` lies some time back, since collectors that share the work do not write in order. Returns how many
    were noted and how many noted earlier have come by now.
    """
    came = _came(database, since=since, until=until)
    said = _said_last(database, since=since, until=until)
    before = _settled(database, sorted({*came, *said}))
    settled = dict(before)
    noted = change_for(
        database,
        "INSERT INTO missing WITH gap (node, generation, seq, run, noticed) AS (VALUES ROWS) "
        "SELECT node, generation, seq, run, noticed FROM gap WHERE NOT EXISTS (SELECT 1 FROM events "
        "WHERE events.node = gap.node AND events.generation = gap.generation AND events.seq = gap.seq) "
        "ON CONFLICT DO NOTHING",
        ((node, generation, seq, run, now) for (node, generation, run), seq in _gaps(came, said, settled)),
    )
    change_for(
        database,
        "INSERT INTO runs VALUES ROWS ON CONFLICT (node, generation, run) "
        "DO UPDATE SET settled = excluded.settled WHERE excluded.settled > runs.settled",
        ((*run, seq) for run, seq in sorted(settled.items()) if before.get(run) != seq),
    )
    late = database.run_each(
        "DELETE FROM missing WHERE EXISTS (SELECT 1 FROM events WHERE events.node = missing.node "
        "AND events.generation = missing.generation AND events.seq = missing.seq)",
        [()],
    )
    return noted, late


def _came(database: Database, *, since: float, until: float) -> dict[Run, list[int]]:
    """The numbers of each run that came between two times, in order."""
    numbers: dict[Run, list[int]] = {}
    for node, generation, run, seq in database.run(
        "SELECT node, generation, run, seq FROM events WHERE received > ? AND received <= ? "
        "ORDER BY node, generation, run, seq",
        *(since, until),
    ):
        numbers.setdefault((node, generation, run), []).append(seq)
    return numbers


def _said_last(database: Database, *, since: float, until: float) -> dict[Run, int]:
    """The newest number of each run that says that it has sent all."""
    newest: dict[Run, int] = {}
    for node, text in database.run(
        "SELECT node, value FROM facts WHERE kind = 'stats' AND received > ? AND received <= ?", since, until
    ):
        stats = json.loads(text)
        run, generation, seq = stats.get("run"), stats.get("generation"), stats.get("seq")
        if (
            isinstance(run, str)
            and isinstance(generation, str)
            and is_seq(seq)
            and not stats.get("events_waiting")
        ):
            newest[node, generation, run] = max(seq, newest.get((node, generation, run), 0))
    return newest


def _settled(database: Database, runs: Sequence[Run]) -> dict[Run, int]:
    """Up to which number each run has been looked at; a run of which nothing is known is not in it."""
    rows = rows_for(
        database,
        "WITH asked (node, generation, run) AS (VALUES ROWS) SELECT runs.node, runs.generation, runs.run, "
        "settled FROM asked JOIN runs ON runs.node = asked.node AND runs.generation = asked.generation "
        "AND runs.run = asked.run",
        runs,
    )
    return {(node, generation, run): settled for node, generation, run, settled in rows}


def _gaps(
    came: Mapping[Run, Sequence[int]], said: Mapping[Run, int], settled: dict[Run, int]
) -> Iterator[tuple[Run, int]]:
    """The numbers that are not among those that came, run by run; `settled` is brought up to date.

    Always in the same order: of two collectors that note the same ones, neither waits for the other while
    that waits for it.
    """
    for run in sorted({*came, *said}):
        numbers = came.get(run, ())
        if run not in settled and not numbers:
            continue  # where the run began to count, nobody knows
        reached = settled.get(run, numbers[0] if numbers else 0)
        for number in numbers:
            for gap in range(max(reached + 1, number - MOST_MISSING), number):
                yield run, gap
            reached = max(reached, number)
        last = said.get(run, 0)
        for gap in range(max(reached + 1, last - MOST_MISSING), last + 1):
            yield run, gap
        settled[run] = max(reached, last)
