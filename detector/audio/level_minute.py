"""The sound level of one minute: what is kept of it, how two parts of it are put together, what it says.

Levels are A-weighted, of 125-7500 Hz, in dB re a full-scale square wave. A histogram of the levels of all
frames of 30 ms is kept, so that L10 and L90 can be worked out for any number of minutes together.
Nothing here needs numpy: programs that only read the history use it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LOWEST_DBFS = -120.0
"""The lowest level there is: digital silence."""

BIN_DB = 0.5
"""Width of a bin of the histogram."""

BINS = 248
"""Bins from `LOWEST_DBFS` up to +4 dBFS: A-weighting raises 2.5 kHz by 1.3 dB."""

MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class LevelMinute:
    """What one source sounded like in one minute of UTC, or in the part of it in which it was heard."""

    source: str
    """Name of the source."""
    minute: int
    """Whole minutes since 1970, UTC."""
    heard_seconds: float = 0.0
    """Sound that was measured; at most 60, but for a clock that was set back."""
    lost_seconds: float = 0.0
    """Sound that is missing from the stream."""
    energy: float = 0.0
    """Mean square of the sound times `heard_seconds`, full scale 1 [s]."""
    peak: float = 0.0
    """Mean square of its loudest 30 ms."""
    histogram: Mapping[int, int] = field(default_factory=dict)
    """Number of a bin -> how many frames had such a level."""

    @property
    def leq_dbfs(self) -> float | None:
        """Level of the mean square of all that was heard (LAeq) [dBFS]; None where nothing was."""
        return decibels(self.energy / self.heard_seconds) if self.heard_seconds > 0 else None

    @property
    def max_dbfs(self) -> float | None:
        """Level of the loudest 30 ms [dBFS]."""
        return decibels(self.peak) if self.heard_seconds > 0 else None

    def exceeded_dbfs(self, share: float) -> float | None:
        """The level that was reached for this share of the time, 0..1: 0.1 is L10, 0.9 is L90 [dBFS].

        It is exact to half a bin; None where nothing was heard.
        """
        if not self.histogram:
            return None
        left = share * sum(self.histogram.values())
        for number in sorted(self.histogram, reverse=True):
            left -= self.histogram[number]
            if left <= 0:
                break
        return min(LOWEST_DBFS + (number + 0.5) * BIN_DB, decibels(self.peak))

    def joined(self, other: LevelMinute) -> LevelMinute:
        """This and another part of the time as one; source and minute are this one's."""
        counts = Counter(self.histogram)
        counts.update(other.histogram)
        return LevelMinute(
            self.source,
            self.minute,
            self.heard_seconds + other.heard_seconds,
            self.lost_seconds + other.lost_seconds,
            self.energy + other.energy,
            max(self.peak, other.peak),
            counts,
        )


def decibels(mean_square: float) -> float:
    """Level of a mean square, full scale 1, at least `LOWEST_DBFS` [dBFS]."""
    return 10 * math.log10(mean_square) if mean_square > 1e-12 else LOWEST_DBFS


def mean_square(dbfs: float) -> float:
    """The mean square, full scale 1, of a level [dBFS]; ValueError for what no sound can have."""
    if abs(dbfs) > 1000:
        raise ValueError(f"expected a level, got {dbfs}")
    return float(10 ** (dbfs / 10))


def bin_of(dbfs: float) -> int:
    """The number of the bin in which a level is; levels outside of the histogram count in its outer bins."""
    return min(max(int((dbfs - LOWEST_DBFS) / BIN_DB), 0), BINS - 1)


def minute_of(utc: float) -> int:
    """The minute in which a moment lies [whole minutes since 1970, UTC]."""
    return math.floor(utc / MINUTE_SECONDS)


def packed(histogram: Mapping[int, int]) -> bytes:
    """Write a histogram in few bytes: its lowest bin, then the count of each bin, in groups of 7 bits."""
    if not histogram:
        return b""
    lowest = min(histogram)
    data = bytearray([lowest])
    for number in range(lowest, max(histogram) + 1):
        count = histogram.get(number, 0)
        while count > 0x7F:
            data.append(count & 0x7F | 0x80)
            count >>= 7
        data.append(count)
    return bytes(data)


def unpacked(data: bytes) -> dict[int, int]:
    """Read what `packed` has written; ValueError where it is something else."""
    counts = [0] * BINS
    add_packed(data, counts)
    return {number: count for number, count in enumerate(counts) if count}


def add_packed(data: bytes, counts: list[int]) -> None:
    """Add a histogram that `packed` has written to the `BINS` numbers of `counts`.

    ValueError where it is something else.
    """
    number, count, shift = data[0] if data else 0, 0, 0
    try:
        for byte in data[1:]:
            if byte & 0x80:
                count |= (byte & 0x7F) << shift
                shift += 7
            elif shift:
                counts[number] += count | byte << shift
                number, count, shift = number + 1, 0, 0
            else:
                counts[number] += byte
                number += 1
    except IndexError:
        raise ValueError("a histogram of levels has too many bins") from None
    if shift:
        raise ValueError("a histogram of levels is cut off")


def all_joined(minutes: Iterable[LevelMinute]) -> LevelMinute | None:
    """Several minutes as one; None where there are none."""
    whole: LevelMinute | None = None
    for minute in minutes:
        whole = minute if whole is None else whole.joined(minute)
    return whole
