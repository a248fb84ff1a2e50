"""The overview of some days is what somebody would count by hand, whatever the time zone."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.level_minute import LevelMinute
from detector.errors import HistoryError
from detector.history.day_sounds import GAP_SECONDS
from detector.history.sound_overview import HistoryOverview
from tests.support.history_stores import make_message, make_store

BERLIN, ADELAIDE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Adelaide")
ZONES = (UTC, BERLIN, ADELAIDE, ZoneInfo("America/St_Johns"), timezone(timedelta(hours=14)))
AUTUMN = datetime(2026, 10, 27, 13, 5, tzinfo=UTC).timestamp()
"""A Tuesday: in Berlin the night from Saturday to Sunday had 25 hours."""
HOUR, DAY = 3600.0, 86400.0


def heard(store, *sounds, seq=1):
    """Store sounds (label, begin, seconds, source): each as a start under another label, and as an end."""
    messages = []
    for label, begin, seconds, source in sounds:
        key = {"id": f"run-{seq}", "source": source, "start": begin}
        messages.append(make_message(seq, "start", label="Hm", **key))
        messages.append(make_message(seq + 1, "end", label=label, stop=begin + seconds, **key))
        seq += 2
    store.write(messages)
    return seq


def minutes(begin, end, *, source="Mic", heard=60.0, lost=0.0):
    return [
        LevelMinute(source, number, heard, lost, 1e-6, 1e-5, {80: 2000})
        for number in range(int(begin // 60), int(end // 60))
    ]


class History:
    """A store, and its overview at a time that can be set."""

    def __init__(self, path):
        self.path, self.now = path, AUTUMN
        self.store = make_store(path, utc=lambda: AUTUMN)
        self.store.write([])
        self.overviews = HistoryOverview(utc=lambda: self.now)

    def read(self, days=7, **wanted):
        return self.overviews.read(self.path, days=days, **{"zone": UTC} | wanted)


@pytest.fixture
def history(tmp_path):
    history = History(tmp_path / "history.db")
    yield history
    history.store.close()


@pytest.fixture(scope="module")
def always_heard(tmp_path_factory):
    """A history that knows no sound, and a source that was heard every minute."""
    history = History(tmp_path_factory.mktemp("always") / "history.db")
    connection = history.store._connection
    connection.execute("INSERT INTO level_sources (name) VALUES ('a')")
    connection.execute(
        "INSERT INTO levels (source, minute, at, heard, lost, histogram) WITH RECURSIVE minutes (number) AS "
        "(VALUES (?) UNION ALL SELECT number + 1 FROM minutes LIMIT 15000) "
        "SELECT 1, number, 0, 60.0, 0.0, x'' FROM minutes",
        (int(AUTUMN // 60) - 15000,),
    )
    yield history
    history.store.close()


SOUNDS = st.lists(
    st.tuples(
        st.sampled_from(["Dog", "Cat", "Siren"]),
        st.integers(0, 14 * 1440).map(lambda minute: AUTUMN - minute * 60.0 + 0.5),
        st.integers(0, 4000),
        st.sampled_from(["a", "b"]),
    ),
    max_size=25,
    unique_by=lambda sound: sound[1],
)


@given(sounds=SOUNDS, days=st.integers(1, 9), zone=st.sampled_from(ZONES), source=st.sampled_from(["", "a"]))
@settings(max_examples=40, deadline=None)
def test_the_overview_is_what_somebody_would_count(always_heard, sounds, days, zone, source):
    history = always_heard
    history.overviews = HistoryOverview(utc=lambda: AUTUMN)
    history.store._connection.execute("DELETE FROM messages")
    sounds = [sound for sound in sounds if sound[1] <= AUTUMN]
    heard(history.store, *sounds)
    found = history.read(days, zone=zone, sources=(source,) if source else ())

    today = datetime.fromtimestamp(AUTUMN, zone).date()
    first_day, monday = today - timedelta(days=days - 1), today - timedelta(days=today.weekday())
    sounds = [(label, datetime.fromtimestamp(at, zone), at, s, of) for label, at, s, of in sounds]
    sounds = [sound for sound in sounds if source in ("", sound[4])]
    shown = [sound for sound in sounds if sound[1].date() >= first_day]
    assert found.events == len(shown)
    by_hour = Counter((label, begin.hour) for label, begin, *_ in shown)
    assert {
        (label, hour): count
        for label, hours in found.hours.items()
        for hour, count in enumerate(hours)
        if count
    } == by_hour
    by_day = Counter((begin.date(), label) for label, begin, *_ in shown)
    assert {(day.date, label): count for day in found.days for label, count in day.counts.items()} == by_day
    assert [day.date for day in found.days] == [first_day + timedelta(days=n) for n in range(days)]
    firsts = {}
    for label, begin, at, *_ in sounds:
        if begin.date() >= monday:
            firsts[label] = min(at, firsts.get(label, at))
    last_week = {label for label, begin, *_ in sounds if 0 < (monday - begin.date()).days <= 7}
    new = {label: at for label, at in firsts.items() if label not in last_week}
    assert {first.label: round(first.time, 3) for first in found.first_this_week} == new
    check_silence(found, sounds, datetime(*first_day.timetuple()[:3], tzinfo=zone).timestamp(), days)


def check_silence(found, sounds, begin, days):
    """The longest silence, as one finds it minute by minute; where it is short enough not to count, none."""
    day_before = begin - DAY
    covered = sorted((max(at, begin), at + length) for _, _, at, length, _ in sounds if at >= day_before)
    gaps, reach = [], begin
    for start, stop in covered:
        gaps.append((reach, start))
        reach = max(reach, stop)
    gaps.append((reach, AUTUMN))
    heard_until = AUTUMN // 60 * 60
    longest = max(min(b, heard_until) - max(a, 0) for a, b in gaps)
    if longest < GAP_SECONDS:
        return
    silence = found.longest_silence
    assert silence[1] - silence[0] == pytest.approx(longest, abs=0.01)


def test_the_commonest_label_comes_first_and_the_newest_first_time(history):
    heard(
        history.store, *(("Dog", AUTUMN - n * HOUR, 1, "a") for n in (1, 2, 3)), ("Cat", AUTUMN - 60, 1, "a")
    )
    found = history.read()
    assert list(found.hours) == ["Dog", "Cat"]
    assert [first.label for first in found.first_this_week] == ["Cat", "Dog"]
    assert found.first_this_week[1].id == "run-5"


def test_the_night_of_25_hours_counts_its_double_hour_twice(history):
    """In Berlin 02:30 came twice on 25 October 2026."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    heard(history.store, ("Dog", first, 1, "a"), ("Dog", first + HOUR, 1, "a"))
    assert history.read(zone=BERLIN).hours["Dog"][2] == 2
    sunday = history.read(zone=BERLIN).days[-3]
    assert (sunday.date.isoformat(), sunday.counts) == ("2026-10-25", {"Dog": 2})


def test_what_was_counted_is_counted_again_after_a_new_message_or_a_deleted_one(history):
    old = AUTUMN - 3 * DAY
    seq = heard(history.store, ("Dog", old, 1, "a"), ("Dog", AUTUMN - 60, 1, "a"))
    assert history.read().events == 2
    history.store.write(
        [make_message(seq, "update", id="run-1", label="Fox", start=old, stop=old + 1, source="a")]
    )
    assert {**history.read().hours}.keys() == {"Dog", "Fox"}
    history.store._connection.execute("DELETE FROM messages WHERE id = 'run-1'")
    assert history.read().events == 1


def test_days_are_counted_once(history, monkeypatch):
    heard(history.store, ("Dog", AUTUMN - 3 * DAY, 1, "a"))
    counted = []
    from detector.history import sound_overview

    count = sound_overview.count_day
    monkeypatch.setattr(sound_overview, "count_day", lambda *a, **b: counted.append(a) or count(*a, **b))
    history.read(days=7)
    assert len(counted) == 7
    history.read(days=7)
    assert len(counted) == 7


def test_midnight_begins_a_new_day(history):
    heard(history.store, ("Dog", AUTUMN - HOUR, 1, "a"))
    assert history.read(days=1).events == 1
    history.now += DAY
    assert history.read(days=1).events == 0
    assert history.read(days=2).events == 1


def test_silence_counts_only_while_somebody_listens(history):
    history.store.write((), minutes(AUTUMN - 10 * HOUR, AUTUMN - 8 * HOUR))
    history.store.write((), minutes(AUTUMN - 2 * HOUR, AUTUMN - HOUR))
    begin, end = history.read().longest_silence
    assert end - begin == pytest.approx(2 * HOUR, abs=61)
    heard(history.store, ("Dog", AUTUMN - 9 * HOUR, 60, "a"))
    begin, end = history.read().longest_silence
    assert end - begin == pytest.approx(HOUR, abs=61)


def test_a_sound_that_goes_on_over_midnight_is_no_silence(history):
    midnight = AUTUMN // DAY * DAY
    history.store.write((), minutes(midnight - 2 * HOUR, AUTUMN))
    heard(history.store, ("Music", midnight - HOUR, 14 * HOUR, "a"))
    begin, end = history.read(days=1).longest_silence
    assert begin == pytest.approx(midnight + 13 * HOUR) and end <= AUTUMN


def test_the_share_of_time_heard_is_of_the_time_since_the_first_minute(history):
    history.store.write((), minutes(AUTUMN - 4 * HOUR, AUTUMN - 3 * HOUR))
    history.store.write((), minutes(AUTUMN - HOUR, AUTUMN, heard=30.0, lost=30.0))
    found = history.read().heard
    assert found.seconds == 60 * 60 + 60 * 30
    assert found.lost_seconds == 60 * 30
    assert found.share == pytest.approx(5400 / (4 * HOUR), rel=0.01)


def test_days_on_which_nothing_was_heard_count_if_the_history_is_older(history):
    history.store.write((), minutes(AUTUMN - 9 * DAY, AUTUMN - 9 * DAY + HOUR))
    history.store.write((), minutes(AUTUMN - HOUR, AUTUMN))
    midnight = AUTUMN // DAY * DAY
    assert history.read(days=2).heard.share == pytest.approx(HOUR / (AUTUMN - midnight + DAY), rel=0.01)


def test_a_minute_that_was_hardly_heard_interrupts_a_silence(history):
    history.store.write((), minutes(AUTUMN - 3 * HOUR, AUTUMN - 2 * HOUR))
    history.store.write((), minutes(AUTUMN - 2 * HOUR, AUTUMN - 2 * HOUR + 60, heard=29.0, lost=31.0))
    history.store.write((), minutes(AUTUMN - 2 * HOUR + 60, AUTUMN))
    begin, end = history.read(days=1).longest_silence
    assert end - begin == pytest.approx(2 * HOUR - 60, abs=61)


def test_a_first_guess_of_last_week_was_not_heard_then(history):
    """Each sound here begins as `Hm`, which is corrected."""
    heard(history.store, ("Dog", AUTUMN - 5 * DAY, 1, "a"), ("Hm", AUTUMN - HOUR, 1, "a"))
    assert [first.label for first in history.read().first_this_week] == ["Hm"]


def test_a_program_that_never_missed_anything_heard_all(history):
    history.store.write((), minutes(AUTUMN - 2 * DAY, AUTUMN))
    assert history.read(days=2).heard.share == 1.0


def test_with_several_sources_heard_is_what_one_at_least_has_heard(history):
    history.store.write((), minutes(AUTUMN - 2 * HOUR, AUTUMN - HOUR, source="a", lost=1.0))
    history.store.write((), minutes(AUTUMN - 2 * HOUR, AUTUMN, source="b", lost=1.0))
    assert history.read().heard.seconds == 2 * HOUR
    assert history.read().heard.lost_seconds == 60 + 120
    assert history.read(sources=("a",)).heard.seconds == HOUR
    assert history.read(sources=("c",)).heard is None


def test_without_levels_nothing_is_claimed_of_listening(history):
    heard(history.store, ("Dog", AUTUMN - HOUR, 1, "a"))
    found = history.read()
    assert (found.heard, found.longest_silence, found.events) == (None, None, 1)


@pytest.mark.parametrize("damage", ["start = 'x', seq = seq", "label = NULL"])
def test_rows_that_hold_something_else_are_an_error_or_left_out(history, damage):
    heard(history.store, ("Dog", AUTUMN - HOUR, 1, "a"), ("Cat", AUTUMN - HOUR, 1, "a"))
    history.store._connection.execute(f"UPDATE messages SET {damage} WHERE label = 'Dog'")  # noqa: S608
    try:
        assert history.read().events <= 1
    except HistoryError as error:
        assert "cannot be read" in str(error)


def test_the_file_may_be_of_the_first_version(history):
    heard(history.store, ("Dog", AUTUMN - HOUR, 1, "a"))
    history.store._connection.executescript("DROP TABLE levels; PRAGMA user_version = 1")
    assert history.read().events == 1
