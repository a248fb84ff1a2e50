"""Laws of the ring: it reads back what was written, and silence where nothing was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.ring import FULL_SCALE, Ring
from detector.records import Block, Span


def block(start, *samples):
    return Block(start, np.array(samples, dtype=np.int16))


def read(ring, start, stop):
    """Samples as the integers they were."""
    return (ring.read(Span(start, stop)) * FULL_SCALE).astype(int).tolist()


def test_the_newest_samples_read_back():
    ring = Ring(capacity=4)
    ring.append(block(0, 1, 2, 3))
    ring.append(block(3, 4, 5))
    assert ring.stop == 5
    assert read(ring, 1, 5) == [2, 3, 4, 5]
    assert read(ring, 2, 4) == [3, 4]


def test_samples_are_floats_from_minus_one_to_below_one():
    ring = Ring(capacity=3)
    ring.append(block(0, -32768, 0, 32767))
    samples = ring.read(Span(0, 3))
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, 0.0, 32767 / 32768]


def test_what_was_read_is_the_readers_own():
    ring = Ring(capacity=2)
    ring.append(block(0, 1, 2))
    ring.read(Span(0, 2))[:] = 0
    assert read(ring, 0, 2) == [1, 2]


def test_before_the_stream_there_was_silence():
    ring = Ring(capacity=6)
    ring.append(block(0, 7, 8))
    assert read(ring, -4, 2) == [0, 0, 0, 0, 7, 8]


def test_a_gap_reads_as_silence():
    ring = Ring(capacity=6)
    ring.append(block(0, 1, 2, 3, 4, 5, 6))
    ring.append(block(8, 9, 10))
    assert read(ring, 4, 10) == [5, 6, 0, 0, 9, 10]


@pytest.mark.parametrize("start", [7, 10, 6_000_000_001])
def test_a_gap_longer_than_the_ring_leaves_nothing_of_the_past(start):
    ring = Ring(capacity=4)
    ring.append(block(0, 1, 2, 3, 4))
    ring.append(block(start, 5))
    assert read(ring, start - 3, start + 1) == [0, 0, 0, 5]


def test_of_a_block_longer_than_the_ring_its_end_is_kept():
    ring = Ring(capacity=3)
    ring.append(block(0, *range(10)))
    assert read(ring, 7, 10) == [7, 8, 9]


@pytest.mark.parametrize(("start", "stop"), [(1, 4), (2, 7), (-9, -5)])
def test_what_is_not_held_cannot_be_read(start, stop):
    ring = Ring(capacity=4)
    ring.append(block(0, *range(6)))
    with pytest.raises(ValueError, match=r"outside of what is held, 2\.\.6"):
        ring.read(Span(start, stop))


def test_samples_come_in_order():
    ring = Ring(capacity=4)
    ring.append(block(0, 1, 2))
    with pytest.raises(ValueError, match="before sample 2"):
        ring.append(block(1, 3))


def test_a_ring_holds_something():
    with pytest.raises(ValueError, match="at least 1"):
        Ring(capacity=0)


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(0, 20), st.lists(st.integers(1, 99), max_size=20)), max_size=12),
)
def test_it_agrees_with_an_endless_tape(capacity, pieces):
    """Pieces of samples with gaps between them, against a list that keeps everything."""
    ring, tape = Ring(capacity=capacity), [0] * capacity
    for gap, samples in pieces:
        tape += [0] * gap
        ring.append(block(len(tape) - capacity, *samples))
        tape += samples
        stop = len(tape) - capacity
        assert read(ring, stop - capacity, stop) == tape[stop:]
