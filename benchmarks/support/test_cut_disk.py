"""After a power cut, what was flushed is there; of the rest all, nothing or some blocks."""

import random

import pytest

from benchmarks.support.cut_disk import BLOCK_BYTES, FlushedDisk

BLOCKS = 8


@pytest.fixture
def disk(tmp_path):
    image = tmp_path / "card.img"
    image.write_bytes(bytes(BLOCKS * BLOCK_BYTES))
    return FlushedDisk(image)


def blocks_of(number):
    return bytes([number]) * BLOCK_BYTES


def after_cut(disk, tmp_path, fate, seed=0):
    count = disk.cut(tmp_path / "cut.img", fate, random.Random(seed))
    content = (tmp_path / "cut.img").read_bytes()
    return count, [content[at * BLOCK_BYTES] for at in range(BLOCKS)]


def test_what_was_flushed_is_there_whatever_becomes_of_the_cache(disk, tmp_path):
    disk.write(BLOCK_BYTES, blocks_of(1))
    disk.flush()
    for fate in ("all", "none", "some"):
        assert after_cut(disk, tmp_path, fate) == (0, [0, 1, 0, 0, 0, 0, 0, 0])


def test_what_was_only_written_is_there_whole_in_part_or_not_at_all(disk, tmp_path):
    disk.write(0, blocks_of(7) * BLOCKS)
    assert after_cut(disk, tmp_path, "all") == (1, [7] * BLOCKS)
    assert after_cut(disk, tmp_path, "none") == (1, [0] * BLOCKS)
    _, some = after_cut(disk, tmp_path, "some")
    assert set(some) == {0, 7}


def test_a_cut_changes_nothing_for_who_goes_on_writing(disk, tmp_path):
    disk.write(0, blocks_of(3))
    after_cut(disk, tmp_path, "none")
    assert disk.read(0, BLOCK_BYTES) == blocks_of(3)
    disk.flush()
    assert after_cut(disk, tmp_path, "none")[1][0] == 3
