"""What is cut out of a stream, at 10 Hz and in frames of one sample, so that a stream can be read.

A taker sees only frames and levels: `a` is a frame in which something sounds, `.` one in which nothing does.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.level import Level
from detector.collecting.taking import Continuous, Countdown, Cue
from detector.collecting.triggered import Triggered
from detector.records import Block, Span


class Ears:
    """A level detector that is told what to hear."""

    def is_active(self, level: Level) -> bool:
        return level.dbfs == 0.0

    def reset(self) -> None:
        pass


def frames(text, start=0):
    for index, letter in enumerate(text, start):
        level = Level(Span(index, index + 1), 0.0 if letter == "a" else -60.0, (0.0,) * 4, 0.0)
        yield Block(index, np.array([index], np.int16)), level


def takes(taker, text):
    found = [take for frame, level in frames(text) for take in taker.push(frame, level)]
    return found + taker.flush()


def carets(found, text):
    """One line under the stream: each take's first letter is its stretch, the rest its part or `^`."""
    line = [" "] * len(text)
    for take in found:
        assert take.samples.tolist() == list(range(take.start, take.stop))
        line[take.start : take.stop] = "^" * len(take.samples)
        line[take.start] = str(take.stretch)
        if take.part:
            line[take.start + 1] = "abcdef"[take.part - 1]
    return "".join(line).rstrip()


def triggered(**lengths):
    return Triggered(
        **{"preroll": 2, "postroll": 2, "release": 3, "longest": 12, "shortest": 4} | lengths, detector=Ears()
    )


def test_a_countdown_takes_what_follows_it_again_and_again_and_drops_the_rest():
    text = "................."
    line = "   1^^^   2^^^"
    assert carets(takes(Countdown(count=3, length=4), text), text) == line


def test_the_countdown_says_how_long_still():
    taker = Countdown(count=2, length=3)
    cues = []
    for frame, level in frames("......"):
        cues.append(taker.cue)
        taker.push(frame, level)
    assert cues == [Cue("count", 2), Cue("count", 1), *(Cue("record", n) for n in (3, 2, 1)), Cue("count", 2)]


def test_after_a_gap_it_counts_down_anew():
    taker = Countdown(count=1, length=3)
    for frame, level in frames("..."):
        assert taker.push(frame, level) == []
    taker.reset()
    assert taker.cue == Cue("count", 1)


def test_cuts_of_a_room_lie_side_by_side_a_few_to_a_stretch():
    text = "............."
    line = "1a^1b^2a^2b^"
    assert carets(takes(Continuous(length=3, parts=2), text), text) == line


def test_cuts_of_a_room_are_of_another_stretch_after_a_gap():
    taker = Continuous(length=3, parts=10)
    first = [take for frame, level in frames("....") for take in taker.push(frame, level)]
    taker.reset()
    second = [take for frame, level in frames("...", start=20) for take in taker.push(frame, level)]
    assert [(take.start, take.stretch, take.part) for take in first + second] == [(0, 1, 1), (20, 2, 1)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (".....aaa.......", "   1^^^^^^"),
        ("....aa.aa......", "  1^^^^^^^^"),  # its two notes are one sound
        ("....a...a.......", "  1^^^^2^^^"),  # two sounds; the pre-roll does not go into the first
        ("a.......", "1^^"),  # it begins with the stream
        ("......aa", "    1^^^"),  # it ends with the stream
        ("........", ""),
        ("....aaaaaaaaaaaaaa......", "  1a^^^^^^^^^^1b^^^^"),
        ("....aaaaaaaaaaa.......", "  1a^^^^^^^^^^"),  # what is left of it is too short
        ("....aaaaaaaaaa......aa.....", "  1a^^^^^^^^^^    2^^^^^"),  # and nothing sounds in it
    ],
)
def test_a_trigger_takes_each_sound_from_before_it_to_after_it(text, line):
    assert carets(takes(triggered(), text), text) == line


def test_a_trigger_says_whether_it_hears():
    taker = triggered()
    phases = []
    for frame, level in frames("..a...."):
        taker.push(frame, level)
        phases.append(taker.cue.phase)
    assert phases == ["wait", "wait", "hear", "hear", "hear", "wait", "wait"]


def test_a_gap_ends_the_sound_unheard():
    taker = triggered()
    for frame, level in frames("..aa"):
        taker.push(frame, level)
    taker.reset()
    assert taker.flush() == []
    assert [take for frame, level in frames(".......", start=50) for take in taker.push(frame, level)] == []


@given(st.text(alphabet="a.", max_size=120))
def test_takes_never_overlap_hold_every_sound_and_are_no_longer_than_wanted(text):
    found = takes(triggered(shortest=1), text)
    held = [index for take in found for index in range(take.start, take.stop)]
    assert held == sorted(set(held))
    assert {index for index, letter in enumerate(text) if letter == "a"} <= set(held)
    assert all(take.stop - take.start <= 12 for take in found)
    assert [(take.stretch, take.part or 1) for take in found] == sorted(
        {(take.stretch, take.part or 1) for take in found}
    )


def test_a_release_shorter_than_the_postroll_is_a_fault_of_the_caller():
    with pytest.raises(ValueError, match="release"):
        triggered(release=1)
