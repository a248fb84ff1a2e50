"""What the sounds and levels of some days come to: counts, firsts, the longest silence, the time heard.

Days are those of a time zone. What was counted of a day is kept until a message about one of its sounds comes
or goes, so that only the running day is counted again and again.
"""

from __future__ import annotations

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TypeVar, cast

from detector.history.day_sounds import (
    DayCounts,
    DayQuiet,
    count_day,
    day_version,
    labels_of_day,
    quiet_day,
    silences,
)
from detector.history.listening_time import ListeningTime, listening_time
from detector.history.schema import connect_reader, unreadable

KEPT_DAYS = 400
"""So many results for a day are kept, the last used ones."""

WEEK_DAYS = 7

Part = TypeVar("Part", DayCounts, DayQuiet, frozenset[str])
_Kept = OrderedDict[object, tuple[tuple[int, int], DayCounts | DayQuiet | frozenset[str]]]


@dataclass(frozen=True, slots=True)
class DayOverview:
    """One day of the time zone."""

    date: date
    counts: Mapping[str, int]
    """Label -> sounds that began on this day."""


@dataclass(frozen=True, slots=True)
class FirstSound:
    """The first sound of a label in this week that was not heard in the week before."""

    label: str
    time: float
    """When it began [UTC seconds]."""
    id: str


@dataclass(frozen=True, slots=True)
class SoundOverview:
    """What the page shows of some days."""

    hours: Mapping[str, Sequence[int]]
    """Label -> sounds that began in each hour of the day, 24 numbers; the commonest label first."""
    days: Sequence[DayOverview]
    """Each of the days, the oldest first."""
    first_this_week: Sequence[FirstSound]
    """The first sound since Monday of each label that the seven days before do not have; newest first."""
    longest_silence: tuple[float, float] | None
    """From when to when [UTC seconds] a source was heard, and no sound began or went on."""
    heard: ListeningTime | None
    """How long was listened; None where the history has no levels of these days."""

    @property
    def events(self) -> int:
        """Sounds that began on these days."""
        return sum(sum(day.counts.values()) for day in self.days)


@dataclass(frozen=True, slots=True)
class _Day:
    """A day of the time zone, as far as it has passed."""

    date: date
    begin: float
    end: float


class HistoryOverview:
    """Reads overviews of one history and keeps what was counted; one thread at a time may use it."""

    def __init__(self, *, utc: Callable[[], float] = time.time) -> None:
        """`utc` is UTC seconds since 1970."""
        self._utc = utc
        self._kept: _Kept = OrderedDict()

    def read(
        self, path: Path, *, days: int, sources: Sequence[str] = (), zone: tzinfo | None = None
    ) -> SoundOverview:
        """The overview of today and the days before, `days` in all; of all sources where none is named.

        `zone` None is the machine's own time. Raises HistoryError.
        """
        now = self._utc()
        today = datetime.fromtimestamp(now, zone).date()
        shown = [_day(today - timedelta(days=back), zone, now) for back in range(days - 1, -1, -1)]
        monday = today.weekday()
        week = [_day(today - timedelta(days=back), zone, now) for back in range(monday, -1, -1)]
        last_week = [
            _day(today - timedelta(days=back), zone, now) for back in range(monday + WEEK_DAYS, monday, -1)
        ]
        before = _day(shown[0].date - timedelta(days=1), zone, now)
        with closing(connect_reader(path)) as connection:
            try:
                connection.execute("BEGIN")  # all queries see the same messages
                file = path.stat()
                reader = _DayReader(connection, self._kept, (file.st_dev, file.st_ino, zone, tuple(sources)))
                counts = [reader.counts(day) for day in shown]
                firsts = [reader.counts(day) for day in week]
                known = frozenset().union(*(reader.labels(day) for day in last_week))
                quiet = [reader.quiet(day) for day in (before, *shown)]
                heard = listening_time(connection, shown[0].begin, now, sources=sources)
            except (sqlite3.Error, OSError, TypeError, ValueError) as error:
                raise unreadable(path, error) from error
            while len(self._kept) > KEPT_DAYS:
                self._kept.popitem(last=False)
        return SoundOverview(
            hours=_hours(counts),
            days=[
                DayOverview(day.date, {label: sum(hours) for label, hours in part.hours.items()})
                for day, part in zip(shown, counts, strict=True)
            ],
            first_this_week=_firsts(firsts, known),
            longest_silence=None if heard is None else heard.longest_within(silences(quiet)),
            heard=heard,
        )


class _DayReader:
    """Counts days in one snapshot of the history, but for those that were counted before."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        kept: _Kept,
        key: tuple[int, int, tzinfo | None, tuple[str, ...]],
    ) -> None:
        self._connection = connection
        self._kept = kept
        self._key = key
        self._zone, self._sources = key[2], key[3]
        self._versions: dict[date, tuple[int, int]] = {}

    def counts(self, day: _Day) -> DayCounts:
        def count() -> DayCounts:
            return count_day(
                self._connection,
                day.begin,
                day.end,
                sources=self._sources,
                hour_of=lambda moment: datetime.fromtimestamp(moment, self._zone).hour,
            )

        return self._part("counts", day, count)

    def labels(self, day: _Day) -> frozenset[str]:
        return self._part(
            "labels",
            day,
            lambda: labels_of_day(self._connection, day.begin, day.end, sources=self._sources),
        )

    def quiet(self, day: _Day) -> DayQuiet:
        # How far the running day has come is a part of the answer.
        return self._part(
            ("quiet", day.end),
            day,
            lambda: quiet_day(self._connection, day.begin, day.end, sources=self._sources),
        )

    def _part(self, kind: object, day: _Day, read: Callable[[], Part]) -> Part:
        key = (*self._key, kind, day.date)
        version = self._versions.get(day.date)
        if version is None:
            version = day_version(self._connection, day.begin, day.end)
            self._versions[day.date] = version
        kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            self._kept.move_to_end(key)
            return cast("Part", kept[1])
        part = read()
        self._kept[key] = version, part
        self._kept.move_to_end(key)
        return part


def _day(day: date, zone: tzinfo | None, now: float) -> _Day:
    midnights = (
        datetime(each.year, each.month, each.day, tzinfo=zone) for each in (day, day + timedelta(days=1))
    )
    begin, end = (midnight.timestamp() for midnight in midnights)
    return _Day(day, begin, min(end, max(now, begin)))


def _hours(days: Sequence[DayCounts]) -> dict[str, list[int]]:
    """The hours of all days together, the commonest label first."""
    hours: dict[str, list[int]] = {}
    for day in days:
        for label, counts in day.hours.items():
            so_far = hours.get(label, [0] * 24)
            hours[label] = [a + b for a, b in zip(so_far, counts, strict=True)]
    return dict(sorted(hours.items(), key=lambda item: (-sum(item[1]), item[0])))


def _firsts(week: Sequence[DayCounts], known: Collection[str]) -> list[FirstSound]:
    found: dict[str, tuple[float, str]] = {}
    for day in week:
        for label, first in day.first.items():
            found.setdefault(label, first)
    sounds = [
        FirstSound(label, moment, event_id)
        for label, (moment, event_id) in found.items()
        if label not in known
    ]
    return sorted(sounds, key=lambda sound: (-sound.time, sound.label))
