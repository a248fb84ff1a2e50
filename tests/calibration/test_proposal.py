"""Laws of new thresholds: over what was heard, and careful with alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.calibration.proposal import Alarms, ChangeKind, is_alarm, margin, propose
from tests.support.fakes import make_label
from tests.support.scripted_room import votes_of


def proposed(heard, was=0.25, *, name="Hum", seconds=300.0, off=None, **options):
    """The change of one label that two windows in a row scored so; None where there is none."""
    on = np.array([was], np.float32)
    off = on / 2 if off is None else np.array([off], np.float32)
    changes = propose(
        [make_label(name)], votes_of([[heard], [heard]], on), on=on, off=off, seconds=seconds, **options
    )
    return changes[0] if changes else None


def test_the_margin_is_the_larger_the_shorter_one_listened():
    assert [round(margin(minutes * 60), 2) for minutes in (1, 5, 20, 60, 600)] == [2.14, 1.49, 0.94, 0.5, 0.5]


@given(heard=st.floats(0.01, 0.99), was=st.floats(0.02, 0.9), seconds=st.floats(60, 1e5))
def test_a_raised_threshold_lies_over_what_was_heard_and_its_off_between(heard, was, seconds):
    change = proposed(heard, was, seconds=seconds)
    if change is None or change.now is None:
        return
    assert change.kind is ChangeKind.RAISED
    assert change.was < change.now <= 0.95
    assert change.heard < change.now
    if change.off is not None:
        assert change.heard < change.off < change.now
    else:
        assert change.heard < change.now / 2


def test_the_threshold_is_what_was_heard_and_the_margin():
    change = proposed(0.4)
    expected = 1 / (1 + math.exp(-math.log(0.4 / 0.6) - margin(300)))
    assert expected < change.now <= expected + 0.0101


def test_what_stayed_under_half_its_threshold_is_left_alone():
    assert proposed(0.12) is None
    assert proposed(0.13).now > 0.25


def test_a_threshold_that_is_high_enough_stays():
    assert proposed(0.4, was=0.79) is None


def test_small_thresholds_are_raised_in_small_steps():
    assert proposed(0.004, was=0.005, seconds=3600).now == 0.007


def test_a_label_that_the_room_itself_sounds_like_is_excluded():
    assert proposed(0.93).kind is ChangeKind.EXCLUDED
    assert proposed(0.9).now == 0.95


def test_an_end_that_the_user_set_stays_where_the_room_is_below_it():
    assert proposed(0.2, off=0.22).off is None
    assert proposed(0.4, off=0.2).off == 0.41


def test_an_alarm_is_raised_to_a_half_at_most_and_never_excluded():
    limited = proposed(0.4, name="Smoke alarm")
    assert (limited.kind, limited.now) == (ChangeKind.LIMITED, 0.5)
    for heard in (0.5, 0.7, 0.99):
        left = proposed(heard, name="Smoke alarm")
        assert (left.kind, left.now) == (ChangeKind.LEFT, None)
    assert proposed(0.99, name="Smoke alarm", alarms=Alarms.RAISE).kind is ChangeKind.EXCLUDED
    assert proposed(0.4, name="Smoke alarm", alarms=Alarms.KEEP).kind is ChangeKind.LEFT


def test_a_label_to_keep_is_told_of_only_where_it_would_have_been_reported():
    assert proposed(0.4, keep={0}).kind is ChangeKind.LEFT
    assert proposed(0.2, keep={0}) is None


@pytest.mark.parametrize("name", ["Fire alarm", "Siren", "Glass", "Gunshot, gunfire", "Dog", "glass_break"])
def test_alarms_by_name(name):
    assert is_alarm(make_label(name))


@pytest.mark.parametrize("name", ["Rain", "Speech", "Hot rod", "Dogma", "Baby laughter"])
def test_no_alarms(name):
    assert not is_alarm(make_label(name))


def test_once_is_one_short_occasion():
    assert proposed(0.4).once
    on = np.array([0.25], np.float32)
    votes = votes_of([[0.4]] * 60, on, seconds_each=1)
    (change,) = propose([make_label("Hum")], votes, on=on, off=on / 2, seconds=300)
    assert not change.once
    assert change.occasions == 1
