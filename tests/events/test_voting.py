"""m of n: columns are windows, a row is one label's scores in tenths."""

import numpy as np
import pytest

from detector.events.presets import PRESETS
from detector.events.voting import Voting


def voted(tenths, *, needed, of, threshold=0.5):
    """Under each window: `y` where the label is confirmed."""
    voting = Voting(np.array([threshold], dtype=np.float32), needed=needed, of=of)
    line = ""
    for digit in tenths:
        voting.push(np.array([int(digit) / 10], dtype=np.float32))
        line += "y" if voting.confirmed() else "."
    return line


@pytest.mark.parametrize(
    ("preset", "line"),
    [
        #              "0905590999900"
        ("alert", ".yyyyyyyyyyy."),
        ("home", ".yyyyyyyyyyy."),
        ("quiet", "....yyyyyyyy."),
    ],
)
def test_presets(preset, line):
    chosen = PRESETS[preset]
    assert voted("0905590999900", needed=chosen.needed, of=chosen.of) == line


def test_the_older_names_of_the_presets_stay():
    assert [PRESETS[name] for name in ("responsive", "balanced", "sure")] == [
        PRESETS[name] for name in ("alert", "home", "quiet")
    ]


def test_labels_vote_by_their_own_thresholds():
    voting = Voting(np.array([0.2, 0.6, 0.4], dtype=np.float32), needed=1, of=2)
    voting.push(np.array([0.3, 0.5, 0.1], dtype=np.float32))
    voting.push(np.array([0.1, 0.5, 0.4], dtype=np.float32))
    assert voting.confirmed() == [0, 2]
    assert voting.mean().tolist() == pytest.approx([0.2, 0.5, 0.25])
    assert [voting.newest(place) for place in range(3)] == pytest.approx([0.1, 0.5, 0.4])
    assert [voting.highest(place) for place in range(3)] == pytest.approx([0.3, 0.5, 0.4])
    assert [voting.first_vote(place) for place in range(3)] == [1, 0, 0]
    assert [voting.is_confirmed(place) for place in range(3)] == [True, False, True]


def test_the_mean_is_over_the_windows_that_there_are():
    voting = Voting(np.array([0.5], dtype=np.float32), needed=1, of=3)
    voting.push(np.array([0.9], dtype=np.float32))
    assert voting.mean().tolist() == pytest.approx([0.9])
    voting.forget()
    voting.push(np.array([0.2], dtype=np.float32))
    voting.push(np.array([0.4], dtype=np.float32))
    assert voting.mean().tolist() == pytest.approx([0.3])


def test_the_first_vote_is_the_oldest_that_is_remembered():
    voting = Voting(np.array([0.5], dtype=np.float32), needed=3, of=4)
    for digit in "95099":
        voting.push(np.array([int(digit) / 10], dtype=np.float32))
    assert voting.first_vote(0) == 3


def test_forgotten_votes_do_not_count():
    voting = Voting(np.array([0.5], dtype=np.float32), needed=2, of=2)
    voting.push(np.array([0.9], dtype=np.float32))
    voting.forget()
    voting.push(np.array([0.9], dtype=np.float32))
    assert voting.confirmed() == []


@pytest.mark.parametrize(("needed", "of"), [(0, 1), (3, 2)])
def test_m_lies_between_1_and_n(needed, of):
    with pytest.raises(ValueError, match="needed must be between"):
        Voting(np.zeros(1, dtype=np.float32), needed=needed, of=of)
