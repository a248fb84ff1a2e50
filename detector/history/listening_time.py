"""How long the sources were listened to, by the minutes of their levels."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from detector.audio.level_minute import MINUTE_SECONDS

LISTENED_SECONDS = 30.0
"""A minute of which so much was heard is one in which a silence would have been noticed."""

RUNNING_SECONDS = 150.0
"""So long after the newest minute the next may still be on its way to the disk."""


@dataclass(frozen=True, slots=True)
class ListeningTime:
    """How much of a time was heard, by any of several sources, and how much of their sound was lost."""

    seconds: float
    """What one of the sources at least heard."""
    lost_seconds: float
    """Sound that is missing, of all sources together."""
    share: float
    """0..1, of the time since the first minute that the history knows, if that lies within this time."""
    stretches: Sequence[tuple[float, float]]
    """From when to when [UTC seconds] minute after minute was heard, in order."""

    def longest_within(self, gaps: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
        """The longest time that lies within one stretch and within one of these gaps, which are in order."""
        longest: tuple[float, float] | None = None
        gap = stretch = 0
        while gap < len(gaps) and stretch < len(self.stretches):
            begin = max(gaps[gap][0], self.stretches[stretch][0])
            end = min(gaps[gap][1], self.stretches[stretch][1])
            if end > begin and (longest is None or end - begin > longest[1] - longest[0]):
                longest = begin, end
            if gaps[gap][1] < self.stretches[stretch][1]:
                gap += 1
            else:
                stretch += 1
        return longest


def listening_time(
    connection: sqlite3.Connection, begin: float, end: float, *, sources: Sequence[str] = ()
) -> ListeningTime | None:
    """Sum up the minutes from `begin` until `end` [UTC seconds], of all sources where none is named.

    None where the history has none of them. Raises sqlite3.Error.
    """
    (there,) = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'levels'").fetchone()
    if not there:
        return None
    wanted = f" WHERE name IN ({', '.join('?' * len(sources))})" if sources else ""
    minutes = (
        # In this order, as the index is one of sources and their minutes.
        "SELECT minute, max(min(heard, 60)) AS heard, sum(lost) AS lost FROM "  # noqa: S608
        f"(SELECT number AS one FROM level_sources{wanted}) CROSS JOIN levels "
        "ON levels.source = one AND minute >= ? AND minute < ? GROUP BY minute"
    )
    values = (*sources, begin / MINUTE_SECONDS, end / MINUTE_SECONDS)
    first, newest, seconds, lost = connection.execute(
        f"SELECT min(minute), max(minute), sum(heard), sum(lost) FROM ({minutes})",  # noqa: S608
        values,
    ).fetchone()
    if first is None:
        return None
    (earlier,) = connection.execute(
        f"SELECT min((SELECT min(minute) FROM levels WHERE source = number)) FROM level_sources{wanted}",  # noqa: S608
        tuple(sources),
    ).fetchone()
    since = max(begin, min(first, earlier) * MINUTE_SECONDS)
    written = (newest + 1) * MINUTE_SECONDS
    until = written if written > end - RUNNING_SECONDS else end
    stretches = connection.execute(
        "SELECT min(minute) * 60.0, (max(minute) + 1) * 60.0 FROM "  # noqa: S608
        "(SELECT minute, minute - row_number() OVER (ORDER BY minute) AS stretch "
        f"FROM ({minutes}) WHERE heard >= ?) GROUP BY stretch ORDER BY 1",
        (*values, LISTENED_SECONDS),
    ).fetchall()
    return ListeningTime(
        seconds=seconds,
        lost_seconds=lost,
        share=min(1.0, max(0.0, seconds / (until - since))) if until > since else 0.0,
        stretches=stretches,
    )
