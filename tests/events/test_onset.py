"""Which rise of the level began a sound: drawings at 10 frames a second, one line for each band.

`_` -60, `-` -50, `+` -40, `#` -20 dB. Under them the windows that end with a frame: `A` scores well over the
threshold, `b` at it, `.` not at all, a space where none was classified.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.events.boundaries import LevelHistory
from detector.events.onset import Evidence, find_onset, log_odds
from detector.records import Span

LEVELS = {"_": -60.0, "-": -50.0, "+": -40.0, "#": -20.0}
EXCESS = {"A": 2.0, "b": 0.0, ".": -6.0}


def found(*bands, said="", first=3, up=0.0, seconds=0.1):
    """`^` under the frame; each window speaks for so many `seconds`."""
    levels = np.array([[LEVELS[sound] + up for sound in band] for band in bands]).T
    ends = [place + 1 for place, letter in enumerate(said) if letter != " "]
    onset = find_onset(
        levels,
        first=first,
        per_second=10,
        ends=(np.array(ends, dtype=float) - len(levels)) / 10,
        excess=np.array([EXCESS[letter] for letter in said if letter != " "]),
        seconds=np.full(len(ends), seconds),
    )
    return None if onset is None else " " * onset[0] + "^"


def test_a_sound_begins_where_the_level_rises():
    assert (
        found(
            "______________######",
            said="...............AAAAA",
        )
        == "              ^"
    )


def test_windows_that_lie_further_apart_say_as_much():
    bands = "__________++++++++++######", "__________++++++++++++++++"
    often = found(*bands, said="." * 21 + "AAAAA")
    assert often == " " * 20 + "^"
    assert found(*bands, said=" ." * 10 + " " + "A A A", seconds=0.2) == often
    assert found(*bands, said=" ." * 10 + " " + "A A A", seconds=0.02) != often


def test_where_nothing_rises_nothing_begins():
    assert found("####################") is None
    assert found("##########__________") is None
    assert found("##") is None
    assert found("") is None


def test_the_model_may_be_late():
    """The scores rise with the loud part; the sound began before."""
    assert (
        found(
            "__________+++++++++++++++#####",
            said=".................bbbbbbbbAAAAA",
        )
        == "          ^"
    )


def test_scores_before_a_rise_speak_against_it():
    """Two sounds: the first one is not of this label, or the second one is not."""
    levels = "__________+++++++++++#########"
    late = found(levels, said="..........................AAAA")
    early = found(levels, said=".............AAAAAAAAAAAAAAAAA")
    assert late == "                     ^"
    assert early == "          ^"


def test_without_any_window_the_level_decides():
    assert found("__________+___________########") == "                      ^"


def test_the_first_bark_of_several_begins_the_sound():
    assert (
        found(
            "__________##___##___##___##___",
            said="............bbAAAAAAAAAAAAAAAA",
        )
        == "          ^"
    )


def test_a_hiss_in_rumble_rises_in_its_own_band():
    rumble = "##############################"
    hiss = "_______________++++++++++++++"
    assert found(rumble, hiss + "+") == "               ^"


def test_what_lies_before_the_first_row_cannot_begin_it():
    levels = "_____######____________###____"
    assert found(levels, first=8) == "                       ^"


@pytest.mark.parametrize("up", [-30.0, -7.0, 20.0])
def test_how_loud_it_all_is_does_not_matter(up):
    for said in ("", "...................AAAAAAAAAAA", "...............AAAAAAAAAAAAAAA"):
        levels = "___________+++++__######__-+++"
        assert found(levels, said=said, up=up) == found(levels, said=said)


@given(st.lists(st.text("_-+#", min_size=20, max_size=20), min_size=1, max_size=4), st.integers(0, 20))
def test_an_onset_lies_among_the_rows_asked_for(bands, first):
    row = found(*bands, first=first)
    assert row is None or first <= len(row) - 1 < 20


def test_log_odds_are_finite():
    odds = log_odds(np.array([0.0, 0.5, 1.0], dtype=np.float32))
    assert odds[1] == 0
    assert odds[0] == pytest.approx(-odds[2])
    assert np.isfinite(odds).all()


def history(*bands):
    made = LevelHistory(sample_rate=10, frame_length=1, longest_window=10)
    for at, sounds in enumerate(zip(*bands, strict=True)):
        powers = [10 ** (LEVELS[sound] / 10) for sound in sounds]
        made.push(Span(at, at + 1), 10 * np.log10(sum(powers)), powers)
    return made


def test_the_history_keeps_bands():
    rumble = "#" * 30
    hiss = "_______________+++++++++++++++"
    assert history(rumble, hiss).onset(Span(15, 25)).sample == 15
    assert history(rumble).onset(Span(15, 25)).sample == 20, "the window's centre"


def test_a_sound_does_not_begin_before_its_labels_last_event_ended():
    made = history("__________####____####____")
    says = Evidence(stops=np.arange(11, 27), excess=np.full(16, 2.0), seconds=np.full(16, 0.1))
    assert made.onset(Span(14, 24), says).sample == 10
    assert made.onset(Span(14, 24), says, after=14).sample == 18
