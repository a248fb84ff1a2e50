"""Laws of cutting: nothing lost, nothing twice, numbers only forward."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.sources.cutting import Cutter

RAMP = np.arange(5000).astype(np.int16)


@given(lengths=st.lists(st.integers(0, 700), max_size=7), block_length=st.integers(1, 400))
def test_blocks_hold_every_sample_once_in_order(lengths, block_length):
    cutter = Cutter(block_length=block_length, sample_rate=16000, start=7)
    ends = np.cumsum([0, *lengths])
    blocks = [block for a, b in pairwise(ends) for block in cutter.push(RAMP[a:b])] + cutter.flush()
    assert np.array_equal(np.concatenate([RAMP[:0], *(block.samples for block in blocks)]), RAMP[: ends[-1]])
    assert all(len(block.samples) == block_length for block in blocks[:-1])
    assert [block.start for block in blocks] == [7 + i * block_length for i in range(len(blocks))]
    assert cutter.next == 7 + ends[-1]


def test_the_time_is_that_of_each_blocks_last_sample():
    cutter = Cutter(block_length=4, sample_rate=2)
    assert [block.time for block in cutter.push(RAMP[:10], 100.0)] == [97.0, 99.0]
    assert [block.time for block in cutter.flush()] == [100.0]


def test_without_a_clock_there_is_no_time():
    assert Cutter(block_length=4, sample_rate=2).push(RAMP[:4])[0].time is None


def test_a_skip_is_a_jump_in_the_numbers():
    cutter = Cutter(block_length=4, sample_rate=2)
    cutter.push(RAMP[:6])
    (before,) = cutter.skip(100)
    (after,) = cutter.push(RAMP[:4])
    assert (before.start, before.stop, after.start) == (4, 6, 106)


@pytest.mark.parametrize("count", [0, -1, -1000])
def test_numbers_never_run_backwards(count):
    cutter = Cutter(block_length=4, sample_rate=2)
    cutter.push(RAMP[:4])
    cutter.skip(count)
    assert cutter.push(RAMP[:4])[0].start == 4
