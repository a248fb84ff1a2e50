"""What stands between a source and the worker; the thread's own laws are in test_daemon.py."""

import numpy as np
import pytest

from detector.errors import DeviceLost, UnsupportedFormat
from detector.records import Block
from detector.service.capture import Capture, Ended, Inline
from tests.support.fakes import FakeSource, cut

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
    except Ended:
        return seen
    finally:
        capture.stop(5.0)


def both(script):
    return Inline(FakeSource(list(script))), Capture(FakeSource(list(script)), queue_blocks=2)


def test_with_or_without_a_thread_the_same_blocks_arrive():
    inline, threaded = (drain(capture) for capture in both(BLOCKS))
    assert inline == threaded == [(block.start, block.samples.tolist()) for block in BLOCKS]


@pytest.mark.parametrize("error", [UnsupportedFormat("bad"), DeviceLost("gone")])
def test_with_or_without_a_thread_what_ends_a_source_that_never_began_is_kept(error):
    for capture in both([error]):
        assert drain(capture) == []
        assert capture.failure is error


def test_the_source_is_closed_by_whoever_read_it():
    for capture in both(BLOCKS):
        drain(capture)
        assert capture._source.closed_by
