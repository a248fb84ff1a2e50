"""Nothing is sent before it is written; where the disk fails or hangs, all goes on and is made up for."""

import threading

import pytest

from detector.errors import HistoryError
from detector.history.journal import REMIND_SECONDS, Journal, JournalStats, MessageQueue
from detector.history.sequence_numbers import SequenceNumbers
from tests.support.fakes import LONG, wait_until
from tests.support.history_stores import T0, make_message, make_status, make_store, rows


class FakeStore:
    """A disk that can be told to fail, or to hang; keeps what it was given."""

    def __init__(self):
        self.written = []
        self.batches = []
        self.error = None
        self.closed = False
        self.free = threading.Event()
        self.free.set()
        self.busy = threading.Event()
        self.tidied = 0

    def write(self, messages):
        self.busy.set()
        assert self.free.wait(LONG)
        if self.error:
            raise self.error
        self.batches.append(len(messages))
        self.written += [message.seq for message in messages]

    def tidy(self):
        self.tidied += 1
        return False

    def close(self):
        self.closed = True


class Subscriber:
    """Where messages are delivered; notes for each event whether it was written by then."""

    def __init__(self, store):
        self.store = store
        self.messages = []
        self.unwritten = []
        self.arrived = threading.Condition()

    def __call__(self, message):
        seq = message.seq
        with self.arrived:
            if seq is not None and seq not in self.store.written:
                self.unwritten.append(seq)
            self.messages.append(message)
            self.arrived.notify_all()

    @property
    def seqs(self):
        return [message.seq for message in self.messages]

    def wait(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.messages) >= count, LONG)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def subscriber(store):
    return Subscriber(store)


@pytest.fixture
def make(store, subscriber):
    journals = []

    def make(**options):
        options = {"patience_seconds": LONG, "retry_seconds": 5.0, "clock": Clock()} | options
        journal = Journal(store, SequenceNumbers(utc=lambda: T0), **options)
        journals.append(journal)
        journal.start(subscriber)
        return journal

    yield make
    store.free.set()
    for journal in journals:
        journal.close(LONG)


def put(journal, *seqs):
    for seq in seqs:
        journal.put(make_message(seq))


def test_everything_is_written_before_it_is_sent(make, subscriber):
    journal = make()
    put(journal, *range(1, 501))
    journal.close(LONG)
    assert subscriber.seqs == list(range(1, 501))
    assert subscriber.unwritten == []


def test_what_waits_while_the_disk_is_busy_is_written_together(make, store, subscriber):
    journal = make()
    store.free.clear()
    store.busy.clear()
    put(journal, 1)
    assert store.busy.wait(LONG)
    put(journal, *range(2, 101))
    store.free.set()
    subscriber.wait(100)
    assert store.batches == [0, 1, 99]


def test_other_messages_keep_their_place_and_are_not_written(make, store, subscriber):
    journal = make()
    put(journal, 1)
    journal.put(make_status())
    put(journal, 2)
    journal.close(LONG)
    assert subscriber.seqs == [1, None, 2]
    assert store.written == [1, 2]


def test_when_the_disk_refuses_events_go_out_all_the_same_and_are_written_later(
    make, store, subscriber, caplog
):
    clock = Clock()
    journal = make(clock=clock)
    store.error = HistoryError("the disk is full")
    put(journal, 1)
    subscriber.wait(1)
    put(journal, 2, 3)
    subscriber.wait(3)
    assert subscriber.unwritten == [1, 2, 3]
    assert journal.stats().working is False
    assert journal.stats().backlog == 3
    store.error = None
    clock.now = 5.0
    put(journal, 4)
    subscriber.wait(4)
    assert store.written == [1, 2, 3, 4]
    assert subscriber.unwritten == [1, 2, 3]
    assert "history.failed" in caplog.text
    assert "history.recovered written=4 lost=0" in caplog.text
    assert journal.stats().backlog == 0


def test_a_disk_that_refuses_is_not_asked_for_every_event(make, store, subscriber):
    journal = make()
    store.error = HistoryError("the disk is full")
    for seq in range(1, 20):
        put(journal, seq)
        subscriber.wait(seq)
    store.error = None
    assert store.batches == [0]
    journal.close(LONG)  # the end is the last chance
    assert store.written == list(range(1, 20))


def test_trouble_is_mentioned_once_a_minute(make, store, subscriber, caplog):
    clock = Clock()
    journal = make(clock=clock)
    store.error = HistoryError("the disk is full")
    for seq, now in enumerate((0, 10, REMIND_SECONDS - 10, REMIND_SECONDS + 1), 1):
        clock.now = now
        put(journal, seq)
        subscriber.wait(seq)
    assert caplog.text.count("history.failed") == 2
    store.error = None


def test_the_backlog_is_bounded_and_what_it_loses_is_told(make, store, subscriber, caplog):
    clock = Clock()
    journal = make(clock=clock, backlog_length=10)
    store.error = HistoryError("the disk is full")
    for seq in range(1, 31):
        put(journal, seq)
        subscriber.wait(seq)
    store.error = None
    clock.now = 100.0
    put(journal, 31)
    subscriber.wait(31)
    assert store.written == list(range(21, 32))
    assert "history.recovered written=11 lost=20" in caplog.text
    assert journal.stats().lost == 20
    assert subscriber.seqs == list(range(1, 32))


def test_a_disk_that_hangs_delays_events_by_the_patience_only(make, store, subscriber):
    journal = make(patience_seconds=0.01)
    store.free.clear()
    put(journal, 1, 2)
    subscriber.wait(2)
    put(journal, 3)
    subscriber.wait(3)
    assert subscriber.unwritten == [1, 2, 3]
    store.free.set()
    journal.close(LONG)
    assert store.written == [1, 2, 3]


def test_a_disk_that_answers_again_is_written_to_without_waiting_for_an_event(
    make, store, subscriber, caplog
):
    journal = make(patience_seconds=0.01)
    store.free.clear()
    put(journal, 1, 2)
    subscriber.wait(2)
    wait_until(lambda: "no answer from the disk in time" in caplog.text)
    assert journal.stats().working is False
    store.free.set()
    wait_until(lambda: journal.stats().working)
    journal.close(LONG)
    assert store.written == [1, 2]


def test_trouble_that_comes_back_after_a_recovery_is_mentioned_at_once(make, store, subscriber, caplog):
    journal = make(retry_seconds=0.0)
    for seq, error in enumerate([HistoryError("full"), None, HistoryError("full"), None], 1):
        store.error = error
        put(journal, seq)
        subscriber.wait(seq)
    journal.close(LONG)
    assert caplog.text.count("history.failed") == 2
    assert caplog.text.count("history.recovered") == 2


def test_what_a_disk_that_hangs_to_the_end_never_takes_is_left_behind(make, store, subscriber, caplog):
    journal = make(patience_seconds=0.01)
    store.free.clear()
    put(journal, 1, 2)
    subscriber.wait(2)
    journal.close(0.05)
    assert "history.left_behind unwritten=2" in caplog.text


def test_what_was_given_up_while_the_disk_hung_and_was_written_after_all_is_not_lost(make, store, subscriber):
    journal = make(patience_seconds=0.01, backlog_length=2)
    store.free.clear()
    put(journal, 1)
    subscriber.wait(1)
    for seq in (2, 3, 4):
        put(journal, seq)
        subscriber.wait(seq)
    store.free.set()
    journal.close(LONG)
    assert sorted(store.written) == [1, 3, 4]
    assert journal.stats().lost == 1


def test_a_journal_that_has_nothing_to_retry_waits_for_messages(make, store, subscriber):
    """It looks at the clock only for what it writes: one that span would look at it all the time."""
    looks = []

    def clock():
        looks.append(None)
        return 0.0

    journal = make(clock=clock)
    for seq in range(1, 101):
        put(journal, seq)
        subscriber.wait(seq)
    journal.close(LONG)
    assert len(looks) <= 200


def test_a_history_that_cannot_be_opened_stops_nobody(make, store, subscriber, caplog):
    store.error = HistoryError("permission denied")
    journal = make()
    assert journal.next_seq() > T0 * 1000
    put(journal, 1)
    subscriber.wait(1)
    assert caplog.text.count("permission denied") == 1
    store.error = None


def test_a_bug_in_the_store_stops_nobody(make, store, subscriber):
    journal = make()
    store.error = KeyError("seq")
    put(journal, 1)
    subscriber.wait(1)
    assert journal.stats().working is False
    store.error = None
    journal.close(LONG)
    assert store.written == [1]


def test_a_full_queue_drops_other_messages_before_events(make, store, subscriber):
    journal = make(queue_length=5)
    store.free.clear()
    store.busy.clear()
    put(journal, 1)
    assert store.busy.wait(LONG)
    put(journal, 2, 3)
    journal.put(make_status())
    put(journal, 4, 5, 6, 7)
    store.free.set()
    journal.close(LONG)
    assert subscriber.seqs == [1, 3, 4, 5, 6, 7]
    assert journal.stats().dropped == 2


def test_a_queue_that_was_emptied_drops_events_again_where_there_is_nothing_else():
    queue = MessageQueue(2)
    queue.add(make_status())
    assert [message.seq for message in queue.take()] == [None]
    for seq in (1, 2, 3):
        queue.add(make_message(seq))
    assert [message.seq for message in queue.take()] == [2, 3]
    assert queue.dropped == 1


def test_after_the_end_nothing_is_taken(make, store, subscriber):
    journal = make()
    put(journal, 1)
    journal.close(LONG)
    put(journal, 2)
    assert (subscriber.seqs, store.written, store.closed) == ([1], [1], True)
    assert journal.stats().pending == 0


def test_a_journal_that_was_never_started_can_be_closed(store, caplog):
    journal = Journal(store, SequenceNumbers())
    journal.close(LONG)
    assert journal.stats() == JournalStats(written=0, backlog=0, lost=0, dropped=0, pending=0, working=True)
    assert caplog.text == ""


def test_on_a_real_file_every_event_is_there_before_it_is_sent(tmp_path):
    path = tmp_path / "history.db"
    numbers = SequenceNumbers(utc=lambda: T0)
    early = []
    journal = Journal(make_store(path, numbers), numbers)
    journal.start(lambda message: message.seq in rows(path)[-1:] or early.append(message))
    for _ in range(50):
        journal.put(make_message(journal.next_seq()))
        journal.put(make_message(journal.next_seq()))
    journal.close(LONG)
    written = rows(path)
    assert written == list(range(1, 101))
    assert all(message.seq in written for message in early)
