"""Events that verdicts vetoed, which nobody was told: read from the history's file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from detector.history.archive import Query, event_message, hour_of
from detector.history.verdict_tables import reading
from detector.interfaces import Message
from detector.wire.message import event_of
from detector.wire.request import Filter
from detector.wire.utc_time import utc_seconds


def vetoed_sounds(path: Path, query: Query) -> list[Message]:
    """The vetoed sounds that a query asks for, each by its newest event, the newest last.

    They have no number: `seq:N` means the events before and after it. Raises HistoryError.
    """
    with reading(path) as connection:
        found = [] if connection is None else read_vetoed(connection)
    labels = Filter.of((label.strip() for label in query.labels), min_score=query.min_score)
    chosen = [
        message
        for after, message in found
        if labels.passes(message)
        and (not query.sources or event_of(message).source in query.sources)
        and (
            query.hour is None or hour_of(query.zone, utc_seconds(event_of(message).start_time)) == query.hour
        )
        and (query.since is None or _moment(message, after, query.since) >= query.since)
        and (query.until is None or _moment(message, after, query.until) < query.until)
    ]
    return chosen[-query.limit :] if query.limit else chosen


def _moment(message: Message, after: int, limit: float | int) -> float:
    """When a vetoed sound began, as its limit is given: in UTC seconds or as a number of events."""
    return after if isinstance(limit, int) else utc_seconds(event_of(message).start_time) or 0.0


def read_vetoed(connection: sqlite3.Connection) -> list[tuple[int, Message]]:
    """The vetoed sounds, the newest last, with the number of the newest event before each.

    Raises ValueError where a damaged file holds something else.
    """
    rows = connection.execute("SELECT after_seq, line FROM vetoed_events ORDER BY number")
    return [(after, event_message(line)) for after, line in rows]
