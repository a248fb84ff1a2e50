"""How long and how often each label was heard, in total and by the hour.

Seconds of a label are the sum over its sounds, which do not overlap; its share is of the time analyzed. A
sound that goes on past the hour counts its seconds in both hours and itself in the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

HOUR = 3600.0


@dataclass(slots=True)
class Tally:
    """The sounds of one label, added up."""

    seconds: float = 0.0
    count: int = 0

    def add(self, seconds: float, count: int) -> None:
        """Add to it."""
        self.seconds += seconds
        self.count += count


@dataclass(slots=True)
class Hour:
    """One hour of the day, or of the recording."""

    heard_seconds: float = 0.0
    """Length of the sound analyzed in it."""
    labels: dict[str, Tally] = field(default_factory=dict)


@dataclass(slots=True)
class Summary:
    """One recording's, or several recordings' together."""

    heard_seconds: float = 0.0
    """Length of the sound analyzed."""
    recordings: int = 0
    start: float | None = None
    """UTC seconds at which the recording began; None where unknown, and for several."""
    clock: bool = False
    """True where `hours` are hours of the day, False where they count from the recording's start."""
    labels: dict[str, Tally] = field(default_factory=dict)
    hours: dict[int, Hour] = field(default_factory=dict)

    @property
    def is_long(self) -> bool:
        """Whether a table by hour is useful."""
        return self.heard_seconds > HOUR and bool(self.hours)

    def ranked(self) -> list[tuple[str, Tally]]:
        """Labels with what was heard of them, most seconds first."""
        return sorted(self.labels.items(), key=lambda item: (-item[1].seconds, -item[1].count, item[0]))

    def share(self, label: str) -> float:
        """Share of the time analyzed, 0..1."""
        return self.labels[label].seconds / self.heard_seconds if self.heard_seconds else 0.0

    def as_json(self) -> dict[str, object]:
        """As it stands in summary.json; `from_json` reads it back."""
        return {
            "heard_seconds": round(self.heard_seconds, 3),
            "recordings": self.recordings,
            "start": self.start,
            "clock": self.clock,
            "labels": {label: _tally_json(tally, self.heard_seconds) for label, tally in self.ranked()},
            "hours": {
                str(number): {
                    "heard_seconds": round(hour.heard_seconds, 3),
                    "labels": {
                        label: _tally_json(tally, hour.heard_seconds)
                        for label, tally in sorted(hour.labels.items())
                    },
                }
                for number, hour in sorted(self.hours.items())
            },
        }


class Tallying:
    """Makes the summary of one recording while it is analyzed.

    `start` [UTC seconds] None where unknown: then hours count from the recording's start. `zone` None is the
    machine's own.
    """

    def __init__(self, *, start: float | None, zone: tzinfo | None = None) -> None:
        self._start = start
        self._zone = zone
        self._summary = Summary(recordings=1, start=start, clock=start is not None)

    def add(self, label: str, onset: float, offset: float) -> None:
        """One sound, from `onset` to `offset` [s since the recording's start]."""
        self._summary.labels.setdefault(label, Tally()).add(max(0.0, offset - onset), 1)
        count = 1
        for number, seconds in self._by_hour(onset, offset):
            self._hour(number).labels.setdefault(label, Tally()).add(seconds, count)
            count = 0

    def end(self, seconds: float) -> Summary:
        """The recording ended after so long."""
        self._summary.heard_seconds = seconds
        for number, part in self._by_hour(0.0, seconds):
            self._hour(number).heard_seconds += part
        return self._summary

    def _hour(self, number: int) -> Hour:
        return self._summary.hours.setdefault(number, Hour())

    def _by_hour(self, onset: float, offset: float) -> Iterable[tuple[int, float]]:
        """The hours that a stretch lies in, and how much of it in each; at least one, maybe with 0 s."""
        while True:
            number, left = self._place(onset)
            part = min(max(0.0, offset - onset), left)
            yield number, part
            onset += part
            if onset >= offset:
                return

    def _place(self, second: float) -> tuple[int, float]:
        """The hour that a moment lies in, and the seconds left of it."""
        if self._start is None:
            return int(second // HOUR), HOUR - second % HOUR
        moment = datetime.fromtimestamp(self._start + second, self._zone)
        gone = moment.minute * 60 + moment.second + moment.microsecond / 1e6
        return moment.hour, max(HOUR - gone, 1e-6)


def merged(summaries: Iterable[Summary]) -> Summary:
    """Several recordings as one; by the hour of day only those whose start is known."""
    total = Summary(clock=True)
    for summary in summaries:
        total.heard_seconds += summary.heard_seconds
        total.recordings += summary.recordings
        _merge(total.labels, summary.labels)
        for number, hour in summary.hours.items() if summary.clock else ():
            into = total.hours.setdefault(number, Hour())
            into.heard_seconds += hour.heard_seconds
            _merge(into.labels, hour.labels)
    return total


def from_json(fields: Mapping[str, object]) -> Summary:
    """Read what `as_json` gave; raises KeyError, TypeError or ValueError for anything else."""
    start = fields["start"]
    return Summary(
        heard_seconds=_number(fields["heard_seconds"]),
        recordings=int(_number(fields["recordings"])),
        start=None if start is None else _number(start),
        clock=bool(fields["clock"]),
        labels=_tallies(fields["labels"]),
        hours={
            int(number): Hour(_number(_mapping(hour)["heard_seconds"]), _tallies(_mapping(hour)["labels"]))
            for number, hour in _mapping(fields["hours"]).items()
        },
    )


def _merge(into: dict[str, Tally], labels: Mapping[str, Tally]) -> None:
    for label, tally in labels.items():
        into.setdefault(label, Tally()).add(tally.seconds, tally.count)


def _tally_json(tally: Tally, heard: float) -> dict[str, object]:
    share = tally.seconds / heard if heard else 0.0
    return {"seconds": round(tally.seconds, 3), "share": round(share, 6), "count": tally.count}


def _tallies(value: object) -> dict[str, Tally]:
    return {
        label: Tally(_number(_mapping(tally)["seconds"]), int(_number(_mapping(tally)["count"])))
        for label, tally in _mapping(value).items()
    }


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {type(value).__name__}")
    return float(value)
