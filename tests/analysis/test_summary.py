"""Laws of the summary: what was heard adds up, by label, by hour and over recordings."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analysis.summary import Tallying, from_json, merged
from detector.analysis.tables import length_text, summary_csv, summary_text

NINE = 9 * 3600.0
SOUNDS = st.lists(
    st.tuples(st.sampled_from(["Dog", "Rain"]), st.floats(0, 20000), st.floats(0, 9000)), max_size=12
)


def summary(sounds, seconds, start=None, zone=UTC):
    tallying = Tallying(start=start, zone=zone)
    for label, onset, offset in sounds:
        tallying.add(label, onset, offset)
    return tallying.end(seconds)


def test_a_football_match():
    heard = summary([("Cheering", 10, 50), ("Cheering", 100, 212), ("Applause", 60, 146)], 760)
    assert [(label, t.seconds, t.count) for label, t in heard.ranked()] == [
        ("Cheering", 152, 2),
        ("Applause", 86, 1),
    ]
    assert heard.share("Cheering") == 0.2
    text = summary_text({"match": heard}, merged([heard]))
    assert text == (
        "match  12 min 40 s\n"
        "  label     seconds   share  count\n"
        "  Cheering    152.0  20.0 %      2\n"
        "  Applause     86.0  11.3 %      1\n"
    )


def test_a_sound_over_the_full_hour_counts_seconds_in_both_and_itself_in_the_first():
    heard = summary([("Rain", 3000, 4500)], 7200, start=NINE)
    assert {
        h: (hour.labels["Rain"].seconds, hour.labels["Rain"].count) for h, hour in heard.hours.items()
    } == {
        9: (600, 1),
        10: (900, 0),
    }
    assert "seconds by hour of day   09   10" in summary_text({"x": heard}, heard)


@pytest.mark.parametrize(("hours", "first"), [(0, 9), (5.5, 14), (-10, 23)])
def test_hours_are_those_of_the_zone(hours, first):
    heard = summary([], 3700, start=NINE, zone=timezone(timedelta(hours=hours)))
    assert min(heard.hours, key=lambda hour: (hour - first) % 24) == first


def test_without_a_start_hours_count_from_the_beginning():
    heard = summary([("Rain", 90000, 90010)], 100000)
    assert heard.hours[25].labels["Rain"].seconds == 10
    assert "by hour since the start" in summary_text({"x": heard}, heard)


def test_an_hour_or_less_has_no_table_by_hour():
    assert "by hour" not in summary_text({"x": summary([("Rain", 1, 2)], 3600)}, merged([]))


@given(SOUNDS)
def test_hours_add_up_to_the_whole(sounds):
    heard = summary([(label, at, at + length) for label, at, length in sounds], 40000, start=NINE + 123.4)
    assert sum(hour.heard_seconds for hour in heard.hours.values()) == pytest.approx(40000)
    for label, tally in heard.labels.items():
        parts = [hour.labels[label] for hour in heard.hours.values() if label in hour.labels]
        assert sum(part.seconds for part in parts) == pytest.approx(tally.seconds)
        assert sum(part.count for part in parts) == tally.count


@given(st.lists(st.tuples(st.sampled_from(["Dog", "Rain"]), st.integers(0, 20000), st.integers(0, 9000))))
def test_json_reads_back_as_the_same(sounds):
    heard = summary([(label, at, at + length) for label, at, length in sounds], 40000)
    again = from_json(json.loads(json.dumps(heard.as_json())))
    assert again.as_json() == heard.as_json()


@pytest.mark.parametrize("damaged", [{}, {"heard_seconds": "x"}, {"labels": []}])
def test_damaged_json_is_refused(damaged):
    fields = summary([], 1).as_json() | damaged if damaged else {}
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json(fields)


def test_recordings_add_up_and_only_known_times_of_day_count():
    known, unknown = summary([("Rain", 0, 10)], 60, start=NINE), summary([("Rain", 0, 5)], 60)
    total = merged([known, unknown])
    assert (total.heard_seconds, total.recordings, total.labels["Rain"].seconds) == (120, 2, 15)
    assert set(total.hours) == {9}


def test_csv_has_every_recording_and_the_total():
    a, b = summary([("Rain", 0, 10)], 100), summary([("Dog", 0, 1)], 100)
    assert summary_csv({"a": a, "b, c": b}, merged([a, b])).splitlines() == [
        "recording,hour,label,seconds,share,count,heard_seconds",
        "a,,Rain,10.000,0.100000,1,100.000",
        '"b, c",,Dog,1.000,0.010000,1,100.000',
        "total,,Rain,10.000,0.050000,1,200.000",
        "total,,Dog,1.000,0.005000,1,200.000",
    ]


def test_many_recordings_are_printed_in_total_only():
    heard = {f"clip{number}": summary([("Dog", 0, 1)], 5) for number in range(400)}
    assert summary_text(heard, merged(heard.values())).startswith("total of 400 recordings  33 min 20 s\n")


def test_silence_is_said():
    assert "no events" in summary_text({"x": summary([], 5)}, merged([]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5.0 s"), (59.96, "1 min 00 s"), (243, "4 min 03 s"), (6730, "1 h 52 min 10 s")],
)
def test_lengths_are_written_for_people(seconds, text):
    assert length_text(seconds) == text
