"""The outbox: every event in the order of its number, again until it is acknowledged, none left out."""

import pytest

from detector.errors import HistoryError
from detector.sinks.mqtt.outbox import Outbox
from tests.support.history_stores import make_message
from tests.support.mqtt_fakes import FakeArchive


def seqs(events):
    return [event.seq for event in events]


def drained(outbox, batch=3):
    taken = []
    while events := outbox.take(batch):
        taken += seqs(events)
        outbox.acknowledge(events[-1].seq)
    return taken


def test_events_come_in_order_and_once():
    outbox = Outbox(None, acked=0)
    for seq in range(1, 8):
        outbox.add(make_message(seq))
    assert drained(outbox) == list(range(1, 8))
    assert outbox.waiting == 0


def test_what_was_not_acknowledged_comes_again_after_a_lost_connection():
    outbox = Outbox(None, acked=0)
    for seq in range(1, 6):
        outbox.add(make_message(seq))
    assert seqs(outbox.take(4)) == [1, 2, 3, 4]
    outbox.acknowledge(2)
    outbox.rewind()
    assert drained(outbox) == [3, 4, 5]


def test_events_of_earlier_runs_come_from_the_archive_first():
    outbox = Outbox(FakeArchive(*range(1, 11)), acked=6)
    outbox.add(make_message(11))
    assert outbox.waiting == 5
    assert drained(outbox) == [7, 8, 9, 10, 11]


def test_what_memory_has_no_room_for_is_found_in_the_archive():
    archive = FakeArchive()
    outbox = Outbox(archive, acked=0, limit=10)
    for seq in range(1, 1001):
        outbox.add(archive.add(make_message(seq)))
    assert outbox.waiting == 1000
    assert drained(outbox, batch=20) == list(range(1, 1001))
    assert outbox.lost == 0


def test_without_an_archive_memory_keeps_the_newest_and_the_rest_is_counted():
    outbox = Outbox(None, acked=0, limit=10)
    for seq in range(1, 1001):
        outbox.add(make_message(seq))
    assert drained(outbox) == list(range(991, 1001))
    assert outbox.lost == 990


def test_the_newest_events_cost_no_look_at_the_disk():
    archive = FakeArchive(1, 2)
    outbox = Outbox(archive, acked=2)
    outbox.add(archive.add(make_message(3)))
    assert drained(outbox) == [3]
    assert archive.reads == 0


def test_numbers_may_jump_as_after_a_crash():
    archive = FakeArchive(1, 2, 100_003)
    outbox = Outbox(archive, acked=1)
    outbox.add(archive.add(make_message(100_004)))
    assert drained(outbox) == [2, 100_003, 100_004]
    assert outbox.waiting == 0


def test_an_event_that_the_archive_had_already_is_not_sent_twice():
    archive = FakeArchive(1, 2, 3)
    outbox = Outbox(archive, acked=1)
    outbox.add(make_message(3))
    assert drained(outbox) == [2, 3]


def test_an_archive_that_cannot_be_read_is_left_out_only_when_that_is_asked():
    archive = FakeArchive(1, 2, 3)
    outbox = Outbox(archive, acked=1)
    outbox.add(make_message(4))
    archive.error = HistoryError("no descriptors are left")
    with pytest.raises(HistoryError):
        outbox.take(20)
    assert outbox.lost == 0
    assert outbox.skip_archive() == 2
    assert drained(outbox) == [4]
    assert outbox.lost == 2
