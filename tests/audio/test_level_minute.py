"""Laws of one minute's level: parts can be joined in any order, and little is lost when it is packed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.level_minute import (
    BIN_DB,
    BINS,
    LevelMinute,
    all_joined,
    bin_of,
    decibels,
    mean_square,
    minute_of,
    packed,
    unpacked,
)

HISTOGRAMS = st.dictionaries(st.integers(0, BINS - 1), st.integers(1, 100_000), max_size=30)
LEVELS = st.lists(st.floats(-130, 3), min_size=1, max_size=80)


def minute_of_levels(levels, minute=7):
    """What frames of one second and these levels make together."""
    histogram = {}
    for level in levels:
        histogram[bin_of(level)] = histogram.get(bin_of(level), 0) + 1
    powers = [mean_square(max(level, -120.0)) for level in levels]
    return LevelMinute("Mic", minute, float(len(levels)), 0.0, sum(powers), max(powers), histogram)


def close_to(minute):
    """The same but for the last digits of sums."""
    return minute.histogram, pytest.approx(
        (minute.heard_seconds, minute.lost_seconds, minute.energy, minute.peak)
    )


@given(HISTOGRAMS)
def test_a_packed_histogram_is_unpacked_as_it_was(histogram):
    assert unpacked(packed(histogram)) == histogram


@given(st.binary(max_size=60))
def test_bytes_that_are_no_histogram_are_refused_or_are_one(data):
    try:
        histogram = unpacked(data)
    except ValueError:
        return
    assert unpacked(packed(histogram)) == histogram
    assert all(0 <= number < BINS and count > 0 for number, count in histogram.items())


@given(LEVELS, LEVELS, LEVELS)
def test_parts_of_a_minute_are_joined_in_any_order(one, two, three):
    a, b, c = map(minute_of_levels, (one, two, three))
    whole = minute_of_levels([*one, *two, *three])
    for order in ((a, b, c), (c, a, b), (b, c, a)):
        joined = all_joined(order)
        assert (joined.histogram, _numbers(joined)) == close_to(whole)


def _numbers(minute):
    return minute.heard_seconds, minute.lost_seconds, minute.energy, minute.peak


@given(LEVELS, st.sampled_from([0.1, 0.5, 0.9]))
def test_a_percentile_is_the_level_that_is_exceeded_so_long_to_half_a_bin(levels, share):
    held = sorted((min(max(level, -120.0), 3.9) for level in levels), reverse=True)
    exact = held[max(0, math.ceil(share * len(held)) - 1)]
    assert minute_of_levels(levels).exceeded_dbfs(share) == pytest.approx(exact, abs=BIN_DB / 2 + 1e-6)


@given(LEVELS)
def test_the_levels_of_a_minute_have_an_order(levels):
    minute = minute_of_levels(levels)
    l10, l90 = minute.exceeded_dbfs(0.1), minute.exceeded_dbfs(0.9)
    assert l90 <= l10 <= minute.max_dbfs
    assert min(levels) - 1e-6 <= minute.leq_dbfs or minute.leq_dbfs == -120
    assert minute.leq_dbfs <= minute.max_dbfs + 1e-9


@given(st.floats(-120, 5))
def test_a_level_is_the_level_of_its_mean_square(level):
    assert decibels(mean_square(level)) == pytest.approx(level, abs=1e-6)


def test_where_nothing_was_heard_there_is_no_level():
    minute = LevelMinute("Mic", 7, lost_seconds=60.0)
    assert (minute.leq_dbfs, minute.max_dbfs, minute.exceeded_dbfs(0.1)) == (None, None, None)
    assert all_joined([]) is None


@pytest.mark.parametrize(("utc", "minute"), [(0.0, 0), (59.99, 0), (60.0, 1), (-0.5, -1)])
def test_minutes_are_counted_from_1970_also_before(utc, minute):
    assert minute_of(utc) == minute
