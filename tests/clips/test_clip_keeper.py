"""The queue before the clip process, with the real process: it may die, and only the clip in work is lost."""

import os
import queue
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from detector.clips.clip_counts import ClipCounts
from detector.clips.clip_keeper import BEHIND, ClipKeeper
from tests.support.clip_examples import LIMITS, make_request, make_writer
from tests.support.fakes import LONG

pytest.importorskip("soundfile")

pytestmark = pytest.mark.slow


class Told:
    """A keeper, and what it publishes and tells."""

    def __init__(self, writer, **options):
        self.bodies = queue.Queue()
        self.lines = queue.Queue()
        self.keeper = ClipKeeper(writer, publish=self.bodies.put, tell=self.lines.put, **options)

    def next(self):
        body = self.bodies.get(timeout=LONG)
        return body.state, body.reason, body.id

    def until(self, holds):
        end = time.monotonic() + LONG
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.01)


def has_ended(process):
    """Whether it is dead, also as one that its parent has not asked about."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def make_told():
    made = []

    def make(writer, **options):
        made.append(Told(writer, **options))
        made[-1].keeper.start()
        return made[-1]

    yield make
    for told in made:
        told.keeper.close()


def test_a_clip_is_told_when_its_file_is_there(make_told, tmp_path):
    told = make_told(make_writer(tmp_path))
    told.keeper.submit(make_request(1))
    told.keeper.submit(make_request(2, level=9000))
    body = told.bodies.get(timeout=LONG)
    assert os.path.getsize(body.path) > 1000  # noqa: PTH202
    assert (body.state, body.events, body.label) == ("saved", ("20260801T140000Z-ab12-1",), "Dog")
    assert told.next()[:2] == ("dropped", "speech")
    told.until(lambda: told.keeper.counts.stored == 1)
    counts = replace(told.keeper.counts, stored_bytes=0)
    assert counts == ClipCounts(saved=1, speech=1, stored=1)
    assert told.lines.empty()


def test_a_process_that_is_killed_costs_one_clip_at_most(make_told, tmp_path):
    """In work and idle; each time it is told, and the next clip is written by another process."""
    told = make_told(make_writer(tmp_path))
    told.keeper.submit(make_request(1))
    assert told.next()[0] == "saved"
    first = told.keeper.process_id
    os.kill(first, signal.SIGSTOP)  # so that it dies with a clip in work
    told.keeper.submit(make_request(2))
    told.until(lambda: told.keeper.counts.pending == 0)
    os.kill(first, signal.SIGKILL)
    assert told.next()[:2] == ("failed", "the writer of clips ended")
    assert told.lines.get(timeout=LONG) == "the writer of clips ended (signal 9); it is started again"
    told.keeper.submit(make_request(3))
    assert told.next()[0] == "saved"
    assert told.lines.get(timeout=LONG) == "clips are kept again"
    counts = told.keeper.counts
    assert (counts.saved, counts.lost, counts.working) == (2, 1, True)
    assert told.keeper.process_id != first


def test_a_process_that_is_killed_while_it_is_idle_costs_no_clip(make_told, tmp_path):
    told = make_told(make_writer(tmp_path))
    told.keeper.submit(make_request(1))
    assert told.next()[0] == "saved"
    first = told.keeper.process_id
    os.kill(first, signal.SIGKILL)
    told.until(lambda: has_ended(first))
    told.keeper.submit(make_request(2))
    assert told.next()[0] == "saved"
    assert told.keeper.counts.lost == 0


def test_a_writer_that_hangs_holds_up_nobody(make_told, tmp_path):
    told = make_told(make_writer(tmp_path), queue_length=2)
    told.until(lambda: told.keeper.process_id is not None)
    os.kill(told.keeper.process_id, signal.SIGSTOP)
    began = time.monotonic()
    for number in range(6):
        told.keeper.submit(make_request(number, seconds=60.0, level=100))
    assert time.monotonic() - began < LONG
    assert told.next()[1] == BEHIND
    assert told.keeper.counts.lost >= 3
    os.kill(told.keeper.process_id, signal.SIGCONT)


def test_a_folder_that_cannot_be_is_told_at_the_start(make_told, tmp_path):
    (tmp_path / "clips").write_text("")
    told = make_told(make_writer(tmp_path / "clips"))
    assert "no clip is kept" in told.lines.get(timeout=LONG)
    assert not told.keeper.counts.working


def test_the_end_waits_for_what_is_queued(tmp_path):
    told = Told(make_writer(tmp_path, limits=LIMITS))
    told.keeper.start()
    for number in range(3):
        told.keeper.submit(make_request(number), wait=True)
    process = None
    told.keeper.close(in_time=False)
    assert [told.next()[0] for _ in range(3)] == ["saved"] * 3
    assert told.keeper.process_id is process


def test_an_end_that_may_not_wait_loses_what_is_queued_and_says_so(tmp_path):
    told = Told(make_writer(tmp_path), close_seconds=0.1)
    told.keeper.start()
    told.until(lambda: told.keeper.process_id is not None)
    os.kill(told.keeper.process_id, signal.SIGSTOP)
    for number in range(3):
        told.keeper.submit(make_request(number))
    told.keeper.close()
    assert [told.next()[0] for _ in range(3)] == ["failed"] * 3
    assert told.keeper.counts.lost == 3
