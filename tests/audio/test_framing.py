"""Laws of the framer: nothing is lost, moved or made up, and no frame spans a gap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.framing import Framer
from detector.records import Block


def block(start, text):
    """One sample per letter."""
    return Block(start, np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int16))


def spelled(frames):
    """`start:letters` of each frame."""
    return [f"{frame.start}:{bytes(frame.samples.astype(np.uint8)).decode()}" for frame in frames]


def frames(*blocks, length=4):
    framer = Framer(frame_length=length)
    return spelled([frame for item in blocks for frame in framer.push(item)])


def test_blocks_become_frames_of_one_length():
    assert frames(block(0, "abcdefghij")) == ["0:abcd", "4:efgh"]


def test_what_is_left_over_waits_for_the_next_block():
    assert frames(block(0, "ab"), block(2, "c"), block(3, ""), block(3, "defg"), block(7, "h")) == [
        "0:abcd",
        "4:efgh",
    ]


def test_a_gap_discards_what_waited_and_frames_begin_anew_behind_it():
    assert frames(block(0, "abcdef"), block(9, "ghijk"), block(14, "lmn")) == ["0:abcd", "9:ghij", "13:klmn"]


def test_a_stream_may_begin_anywhere():
    assert frames(block(1_000_000_000_007, "abcd")) == ["1000000000007:abcd"]


def test_time_does_not_run_backwards():
    framer = Framer(frame_length=4)
    framer.push(block(0, "abcdef"))
    with pytest.raises(ValueError, match="before sample 6"):
        framer.push(block(5, "fghi"))


def test_the_end_drops_the_remainder_and_a_new_stream_may_begin():
    framer = Framer(frame_length=4)
    framer.push(block(0, "abcdef"))
    assert framer.flush() == []
    assert spelled(framer.push(block(0, "abcd"))) == ["0:abcd"]


def test_a_frame_has_at_least_one_sample():
    with pytest.raises(ValueError, match="at least 1"):
        Framer(frame_length=0)


@given(st.lists(st.integers(0, 13), max_size=30), st.integers(1, 9))
def test_any_cutting_gives_the_same_frames(lengths, length):
    text = "".join(chr(97 + i % 26) for i in range(sum(lengths)))
    ends = np.cumsum([0, *lengths])
    pieces = [block(int(a), text[a:b]) for a, b in pairwise(ends)]
    whole = range(0, len(text) - len(text) % length, length)
    assert frames(*pieces, length=length) == [f"{i}:{text[i : i + length]}" for i in whole]
