"""Laws of the order of sounds, and of keeping the longest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.analysis.sounds import LATEST_SECONDS, InOrder, Longest
from tests.support.analysis_events import RATE, make_event, make_sound

LIVES = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 3000)), max_size=30)


@given(LIVES)
def test_sounds_come_by_their_onsets_whatever_order_they_ended_in(lives):
    told = [
        event
        for id, (onset, length) in enumerate(lives)
        for event in (
            make_event("start", id, onset, onset + 10),
            make_event("end", id, onset, onset + length + 10, onset + length),
        )
    ]
    order = InOrder(sample_rate=RATE)
    given = []
    for event in sorted(told, key=lambda event: event.decided):
        given += order.push(event, {})
    given += order.flush()
    assert [round(s.onset * RATE) for s in given] == sorted(onset for onset, _ in lives)


def test_a_sound_is_given_once_none_earlier_can_come():
    order = InOrder(sample_rate=RATE)
    order.push(make_event("start", 1, 100, 110), {})
    assert order.push(make_event("end", 1, 100, 130, 120), {}) == []
    late = round(LATEST_SECONDS * RATE) + 200
    assert [s.onset for s in order.push(make_event("start", 2, late, late + 1), {})] == [10.0]


def test_an_event_that_goes_on_holds_later_ones_back():
    order = InOrder(sample_rate=RATE)
    order.push(make_event("start", 1, 100, 110), {})
    order.push(make_event("start", 2, 200, 210), {})
    assert order.push(make_event("end", 2, 200, 9000, 220), {}) == []
    assert [s.onset for s in order.push(make_event("end", 1, 100, 9100, 9050), {})] == [10.0, 20.0]


@given(st.lists(st.integers(1, 1000), max_size=40))
def test_the_longest_are_kept_and_all_are_counted(lengths):
    longest = Longest(most=5)
    for at, length in enumerate(lengths):
        longest.push(make_sound(at, at + length))
    kept = longest.sounds()
    assert sorted((s.seconds for s in kept), reverse=True) == sorted(lengths, reverse=True)[:5]
    assert [s.onset for s in kept] == sorted(s.onset for s in kept)
    assert longest.count == len(lengths)
