"""Onset and offset by level: a 10 Hz recording, one character a frame (see `scenes`), `[ ]` is the window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.events.boundaries import UNHEARD_DBFS, LevelHistory
from detector.records import Span
from tests.support.drawn_scenes import LEVELS, RATE

OWN_LEVELS = LEVELS | {"=": -58.0, "-": -40.0, "+": -30.0}


def history(levels, *, start=0, longest_window=30):
    made = LevelHistory(sample_rate=RATE, frame_length=1, longest_window=longest_window)
    for at, sound in enumerate(levels, start):
        if sound != "x":
            made.push(Span(at, at + 1), OWN_LEVELS[sound])
    return made


def dated(levels, window):
    """`^` from onset to offset of the sound in the window drawn as `[   ]`, as the only one that scored."""
    made, span = history(levels), Span(window.index("["), window.index("]") + 1)
    onset = made.onset(span).sample
    return " " * onset + "^" * (made.offset(span, onset) - onset)


@pytest.mark.parametrize(
    ("case", "levels", "window", "marks"),
    [
        (
            "a sound over noise",
            "________________####_________",
            "          [        ]         ",
            "                ^^^^",
        ),
        (
            "a sound that still goes on",
            "________________#####",
            "           [        ]",
            "                ^^^^^",
        ),
        (
            "flicker of the noise is no sound",
            "___=__=_________####__=_=____",
            "              [        ]     ",
            "                ^^^^",
        ),
        (
            "a short pause within a sound",
            "____________###__###_________",
            "              [        ]     ",
            "            ^^^^^^^^",
        ),
        (
            "of two sounds the last that begins in the window",
            "________###_______###________",
            "            [        ]       ",
            "                  ^^^",
        ),
        (
            "the model may be sure of a sound seconds after it began",
            "_____####################################_____",
            "                                [        ]    ",
            "     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        ),
        (
            "but no more than 4.6 s before the window's end: the centre",
            "____########################################################______",
            "                                                   [        ]     ",
            "                                                        ^^^^",
        ),
        (
            "a click is dated where it is",
            "________________#_______",
            "        [        ]      ",
            "                ^",
        ),
        (
            "a louder sound within a loud one",
            "------------------####--------",
            "              [        ]      ",
            "                  ^^^^",
        ),
        (
            "continuous background shows nothing: from the centre on",
            "##############################",
            "              [        ]      ",
            "                   ^",
        ),
        (
            "a steady sound in digital silence",
            "0000000000000000####0000000000",
            "              [        ]      ",
            "                ^^^^",
        ),
        (
            "a sound over noise after digital silence",
            "00000000____________####______",
            "                  [        ]  ",
            "                    ^^^^",
        ),
        (
            "the stream begins with the sound",
            "####__________",
            "   [      ]   ",
            "^^^^",
        ),
    ],
)
def test_dates(case, levels, window, marks):
    assert dated(levels, window) == marks.ljust(len(marks)), case


def test_a_window_that_reaches_back_before_the_stream_dates_within_it():
    made = history("__####____")
    assert made.onset(Span(-26, 4)).sample == 2
    assert history("######").onset(Span(-9, 1)).sample == 0


def test_the_end_of_a_long_sound_is_known_once_silence_followed():
    """After 15 s the sound itself is the floor; a second and a half of silence tells."""
    made = history("_" * 20 + "#" * 150 + "_" * 15)
    assert made.offset(Span(164, 174), 20) == 170


def test_a_short_gap_keeps_the_floor_and_the_loudest_level():
    made = history("______________##xx_______")
    assert made.onset(Span(12, 22)).sample == 14
    assert made.peak(14, 25) == pytest.approx(-20)


def test_a_sound_that_comes_with_the_end_of_a_gap_begins_there():
    assert history("______________xxxx####").onset(Span(12, 22)).sample == 18


def test_what_was_forgotten_dates_nothing():
    made = history("______________####")
    made.forget()
    for at in range(30, 36):
        made.push(Span(at, at + 1), -60)
    assert made.onset(Span(16, 36)).sample >= 30
    assert made.peak(0, 30) == UNHEARD_DBFS


def test_a_gap_longer_than_the_memory():
    made, later = history("____####"), 10**9
    for at, sound in enumerate("______####", later):
        made.push(Span(at, at + 1), LEVELS[sound])
    assert made.onset(Span(later, later + 10)).sample == later + 6


def test_peak_is_the_loudest_tenth_of_a_second():
    made = LevelHistory(sample_rate=100, frame_length=1, longest_window=100)
    for at in range(100):
        made.push(Span(at, at + 1), -20 if 50 <= at < 55 else -60)
    assert made.peak(0, 100) == pytest.approx(-23, abs=0.02)
    assert made.peak(0, 40) == pytest.approx(-60)


def test_the_past_is_bounded():
    """What no longer is held dates to the window's centre or later, never earlier than the stream."""
    made = history("####" + "_" * 500)
    assert made.onset(Span(0, 10)).sample >= 0
    assert made.offset(Span(0, 10), 0) <= 10


@given(
    st.text("_#=-+0x", min_size=1, max_size=80),
    st.integers(1, 40),
    st.integers(0, 5),
    st.integers(1, 7),
    st.integers(0, 100),
)
def test_dates_always_lie_in_reach(levels, window, back, frame, start):
    """Any frame length, alignment and gaps: onset < offset <= window's end, onset at most 5 s before that."""
    made = LevelHistory(sample_rate=RATE * frame, frame_length=frame, longest_window=window * frame)
    for at, sound in enumerate(levels):
        if sound != "x":
            first = start + at * frame + (levels[:at].count("x") > 3)
            made.push(Span(first, first + frame), OWN_LEVELS[sound])
    if made.stop == 0:
        return
    span = Span(made.stop - window * frame, made.stop)
    first = Span(span.start - back * frame, span.stop - back * frame)
    onset = made.onset(first).sample
    reach = max(first.stop - max(round(4.6 * RATE * frame), first.length + RATE * frame), start)
    assert reach <= onset
    assert onset < made.stop
    assert onset < made.offset(span, onset) <= span.stop
    assert UNHEARD_DBFS <= made.peak(onset, span.stop) <= 0
