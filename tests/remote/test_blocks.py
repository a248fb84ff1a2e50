"""Blocks of a file elsewhere: what is asked for, how often, and how much of it stays in memory."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.remote.blocks import FEWEST_BYTES, KEPT_BYTES, MOST_BYTES, PAUSES, BlockFile, Blocks
from detector.remote.range_reader import PlaceUnreachable, Retryable
from tests.support.elsewhere import HeldBytes

CONTENT = np.random.default_rng(1).bytes(1_000_000)


def opened(content=CONTENT):
    reader = HeldBytes(content)
    return BlockFile(Blocks(reader, "a.wav", reader.stamp())), reader


@given(st.lists(st.tuples(st.integers(0, 1_000_100), st.integers(0, 300_000)), max_size=8))
def test_it_reads_as_any_file_does(reads):
    file, reader = opened()
    for at, count in reads:
        file.seek(at)
        assert file.read(count) == CONTENT[at : at + count]
        assert file.tell() == max(at, min(at + count, max(at, len(CONTENT))))
    assert sum(stop - start for start, stop in reader.asked) <= len(CONTENT)  # nothing twice


def test_blocks_grow_while_it_is_read_on():
    file, reader = opened(bytes(20 * MOST_BYTES))
    while file.read(10_000):
        pass
    lengths = [stop - start for start, stop in reader.asked]
    assert lengths[:3] == [FEWEST_BYTES, 2 * FEWEST_BYTES, 4 * FEWEST_BYTES]
    assert max(lengths) == MOST_BYTES
    assert sum(lengths) == 20 * MOST_BYTES
    assert len(lengths) < 20 + 8


def test_a_look_at_the_end_costs_a_small_block():
    file, reader = opened(bytes(20 * MOST_BYTES))
    file.seek(-128, io.SEEK_END)
    file.read(128)
    assert reader.asked == [(20 * MOST_BYTES - 128, 20 * MOST_BYTES)]


def test_memory_does_not_grow_with_the_file():
    reader = HeldBytes(bytes(20 * MOST_BYTES))
    blocks = Blocks(reader, "a.wav", reader.stamp())
    file = BlockFile(blocks)
    while file.read(1_000_000):
        assert sum(map(len, blocks._kept.values())) <= KEPT_BYTES


class Faulty(HeldBytes):
    def __init__(self, faults):
        super().__init__(CONTENT)
        self.faults = faults

    def read(self, start, stop, stamp):
        if self.faults:
            raise self.faults.pop(0)
        return super().read(start, stop, stamp)


def test_what_fails_is_asked_for_again_after_a_growing_pause_or_the_servers():
    reader = Faulty([Retryable("503"), Retryable("429", 30.0), Retryable("reset")])
    pauses = []
    file = BlockFile(Blocks(reader, "a.wav", reader.stamp(), sleep=pauses.append))
    assert file.read(10) == CONTENT[:10]
    assert pauses == [PAUSES[0], 30.0, PAUSES[2]]


def test_what_fails_again_and_again_is_given_up():
    reader = Faulty([Retryable("503")] * 9)
    pauses = []
    file = BlockFile(Blocks(reader, "a.wav", reader.stamp(), sleep=pauses.append))
    with pytest.raises(PlaceUnreachable, match=r"^cannot read a\.wav: 503$"):
        file.read(10)
    assert pauses == list(PAUSES)
