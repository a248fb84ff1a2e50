"""Shares of the recordings: each recording is in one, and none has much more to do than another."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analysis.recording_files import RecordingFile
from detector.analysis.shard import Shard
from detector.errors import ConfigError


def recordings(sizes):
    return [RecordingFile(Path(f"{n}.wav"), f"{n}", size) for n, size in enumerate(sizes)]


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(1, 9))
def test_each_recording_is_in_one_share_and_the_order_stays(sizes, count):
    files = recordings(sizes)
    shares = [Shard(number, count).of(files) for number in range(1, count + 1)]
    assert sorted((one.name for share in shares for one in share), key=int) == [one.name for one in files]
    assert all(share == [one for one in files if one in share] for share in shares)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60), st.integers(1, 9))
def test_no_share_is_larger_than_another_by_more_than_its_last_recording(sizes, count):
    files = recordings(sizes)
    loads = [sum(one.size for one in Shard(number, count).of(files)) for number in range(1, count + 1)]
    assert max(loads) - min(loads) <= max(sizes)


@pytest.mark.parametrize("text", ["", "2", "2/", "0/8", "9/8", "-1/8", "1.0/8", "1/100001", "²/8"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ConfigError, match="expected I/N"):
        Shard.parse(text)


def test_a_share_is_counted_from_one():
    assert Shard.parse("8/8") == Shard(8, 8)
