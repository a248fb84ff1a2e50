"""Laws of the statistics of labels: the vote that decides, and on which occasions it did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.calibration.room_statistics import LabelVotes
from detector.events.voting import Voting
from tests.support.scripted_room import HOP, scores, votes_of

ROWS = st.lists(st.tuples(*[st.floats(0, 1, width=16)] * 2), min_size=1, max_size=30)


@pytest.mark.parametrize(("needed", "of", "highest"), [(1, 1, 0.9), (2, 2, 0.4), (3, 4, 0.3)])
def test_the_highest_vote_is_what_enough_windows_reached_together(needed, of, highest):
    rows = [[score] for score in (0.1, 0.9, 0.4, 0.1, 0.3)]
    votes = votes_of(rows, [0.5], needed=needed, of=of)
    assert votes.highest[0] == np.float32(highest)
    assert votes.windows == 5


@given(rows=ROWS, preset=st.sampled_from([(1, 1), (2, 2), (3, 4)]))
def test_thresholds_over_the_highest_vote_confirm_nothing_and_at_it_they_do(rows, preset):
    needed, of = preset
    highest = votes_of(rows, [2, 2], needed=needed, of=of).highest
    for thresholds, confirmed in ((np.nextafter(highest, np.float32(2)), False), (highest, True)):
        voting = Voting(thresholds, needed=needed, of=of)
        told = []
        for row in rows:
            voting.push(np.array(row, dtype=np.float32))
            told += [place for place in voting.confirmed() if thresholds[place] > 0]
        assert bool(told) == (confirmed and bool(highest.any()))


def test_windows_that_do_not_follow_each_other_do_not_vote_together():
    votes = LabelVotes(lambda values: values, np.array([0.5], np.float32), needed=2, of=2, hop=HOP)
    for window in (0, 2, 4):
        votes.push(scores(window, 0.9), 0.0)
    assert votes.highest[0] == 0


def test_a_new_stream_does_not_vote_with_the_last_one():
    votes = LabelVotes(lambda values: values, np.array([0.5], np.float32), needed=2, of=2, hop=HOP)
    votes.push(scores(5, 0.9), 1.0)
    votes.push(scores(0, 0.9), 2.0)
    assert votes.highest[0] == 0


def test_occasions_lie_more_than_ten_seconds_apart():
    votes = votes_of(
        [[float(second in (3, 8, 30, 31))] for second in range(60)], [0.5], needed=1, of=1, seconds_each=1
    )
    assert votes.occasions[0] == 2
    assert (votes.first[0], votes.last[0]) == (3, 31)
    assert votes.blocks[0] == 2


def test_what_goes_on_is_one_occasion_in_every_piece():
    votes = votes_of([[1.0]] * 60, [0.5], needed=1, of=1, seconds_each=1)
    assert (votes.occasions[0], votes.blocks[0]) == (1, 6)


def test_a_label_that_stays_below_has_no_occasion():
    votes = votes_of([[0.4]] * 9, [0.5])
    assert votes.occasions[0] == votes.blocks[0] == 0
