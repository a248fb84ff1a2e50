"""What stands between a source and the worker; the thread's own laws are in test_daemon.py."""

import threading

import numpy as np
import pytest

from detector.errors import DeviceLost, UnsupportedFormat
from detector.records import Block
from detector.service.capture import Capture, InlineCapture, SourceEnded, SourceFailure, blocks_of
from tests.support.fakes import LONG, FakeSource, cut

BLOCKS = cut(np.arange(100, dtype=np.int16), 30)


def drain(capture):
    """Everything until the end."""
    seen = []
    capture.start()
    try:
        while True:
            item = capture.get(5.0)
            if isinstance(item, Block):
                seen.append((item.start, item.samples.tolist()))
    except SourceEnded:
        return seen
    finally:
        capture.stop(5.0)


def both(script, sources=None):
    sources = sources or [FakeSource(list(script)) for _ in range(2)]
    return InlineCapture(sources[0]), Capture(sources[1], queue_blocks=2)


def test_with_or_without_a_thread_the_same_blocks_arrive():
    inline, threaded = (drain(capture) for capture in both(BLOCKS))
    assert inline == threaded == [(block.start, block.samples.tolist()) for block in BLOCKS]


@pytest.mark.parametrize("error", [UnsupportedFormat("bad"), DeviceLost("gone")])
def test_with_or_without_a_thread_what_ends_a_source_that_never_began_is_kept(error):
    for capture in both([error]):
        assert drain(capture) == []
        assert capture.failure is error


def test_the_source_is_closed_by_whoever_read_it():
    sources = [FakeSource(list(BLOCKS)) for _ in range(2)]
    for capture in both(BLOCKS, sources):
        drain(capture)
    assert [source.closed_by for source in sources] == [["MainThread"], ["capture"]]


@pytest.mark.parametrize("immediate", [True, False])
def test_blocks_of_gives_every_block_and_raises_what_ended_the_source(immediate):
    source = FakeSource([*BLOCKS, UnsupportedFormat("bad")])
    source.immediate = immediate
    blocks = blocks_of(source, queue_blocks=2)
    assert [next(blocks) for _ in BLOCKS] == BLOCKS
    with pytest.raises(UnsupportedFormat, match="bad"):
        next(blocks)
    assert source.closed_by == ["MainThread" if immediate else "capture"]


def test_blocks_of_tells_of_a_device_that_went_away_and_came_back():
    source = FakeSource([BLOCKS[0], DeviceLost("unplugged"), BLOCKS[1]], live=True)
    assert list(blocks_of(source, queue_blocks=5)) == [BLOCKS[0], SourceFailure("unplugged"), BLOCKS[1]]


def test_blocks_of_ends_when_it_is_stopped():
    source = FakeSource(BLOCKS)
    answers = iter([False, False, True])
    assert list(blocks_of(source, queue_blocks=5, stopped=lambda: next(answers))) == BLOCKS[:2]
    assert source.closed_by == ["capture"]


def test_blocks_of_gives_up_a_device_that_delivers_nothing():
    free = threading.Event()
    source = FakeSource([BLOCKS[0], lambda: free.wait(LONG)], live=True)
    blocks = blocks_of(source, queue_blocks=5, most_waits=2)
    assert next(blocks) == BLOCKS[0]
    with pytest.raises(DeviceLost, match="fake has delivered nothing for 0 s; restart the program"):
        next(blocks)
    free.set()
