"""Moments as people write them."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.history.when import parse_when

BERLIN = timezone(timedelta(hours=1))
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=BERLIN)),
        ("2026-11-20 08:15", datetime(2026, 11, 20, 8, 15, tzinfo=BERLIN)),
        ("2026-11-20T08:15:01.500Z", datetime(2026, 11, 20, 8, 15, 1, 500_000, tzinfo=UTC)),
        ("2026-11-20T08:15+02:00", datetime(2026, 11, 20, 6, 15, tzinfo=UTC)),
        ("08:15", datetime(2026, 11, 21, 8, 15, tzinfo=BERLIN)),
        ("8:15:30", datetime(2026, 11, 21, 8, 15, 30, tzinfo=BERLIN)),
        ("today", datetime(2026, 11, 21, tzinfo=BERLIN)),
        ("Yesterday", datetime(2026, 11, 20, tzinfo=BERLIN)),
        ("now", NOW),
        ("90s", NOW - timedelta(seconds=90)),
        ("15 min", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        (" 2 hours ago ", NOW - timedelta(hours=2)),
        ("3 days", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(days=7)),
    ],
)
def test_times(text, moment):
    assert parse_when(text, NOW) == moment.timestamp()


def test_the_number_of_an_event_is_no_time():
    when = parse_when("seq:1234", NOW)
    assert (when, type(when)) == (1234, int)


def test_without_a_zone_the_machines_own_is_meant():
    naive = datetime(2026, 11, 21, 14, 30)
    assert parse_when("2026-07-01", naive) == datetime(2026, 7, 1).astimezone().timestamp()
    assert parse_when("2h", naive) == naive.astimezone().timestamp() - 7200


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "25:00", "-2h", "2y", "seq:x", "999999999w", "h"])
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(ConfigError, match="expected a time such as 2026-11-20") as caught:
        parse_when(text, NOW)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_whatever_is_written_there_is_an_answer_or_a_fault(text):
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_when(text, NOW), int | float)
