"""Every message reaches every sink, and one sink's trouble is its own."""

import json
import logging
import threading

import numpy as np
import pytest

from detector.delivery.dispatcher import Dispatcher
from detector.delivery.sink_queue import REMIND_SECONDS
from detector.errors import AccessError, SinkClosed, SinkError
from detector.records import Embedding, VerdictNote
from detector.wire.message import StatusBody
from tests.support.fakes import LONG, wait_until
from tests.support.wire_messages import DOG, make_body


class ListSink:
    """Keeps what it gets; `write` can be held up, and told to raise."""

    def __init__(self, name="list", *, open_error=None):
        self.name = name
        self.calls = []
        self.written = []
        self.threads = set()
        self.errors = []
        self.open_error = open_error
        self.kinds = ()
        self.free = threading.Event()
        self.free.set()
        self.busy = threading.Event()

    def open(self):
        self.calls.append("open")
        if self.open_error:
            raise self.open_error

    def takes(self, message):
        return message.kind in self.kinds if self.kinds else True

    def write(self, message):
        self.threads.add(threading.current_thread().name)
        self.busy.set()
        assert self.free.wait(LONG)
        if self.errors:
            error = self.errors.pop(0)
            if error:
                raise error
        self.written.append(message)

    def reopen(self):
        self.threads.add(threading.current_thread().name)
        self.calls.append("reopen")

    def close(self):
        self.calls.append("close")

    @property
    def seqs(self):
        return [message.seq for message in self.written]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def publish(dispatcher, count, kind="start"):
    return [dispatcher.publish(make_body(kind)) for _ in range(count)]


def ended(dispatcher):
    """Wait until all is delivered."""
    dispatcher.close(LONG)


def test_all_sinks_get_the_same_messages_in_the_same_order():
    sinks = [ListSink("a"), ListSink("b")]
    dispatcher = Dispatcher(sinks)
    dispatcher.start()
    sent = publish(dispatcher, 100)
    ended(dispatcher)
    assert all(sink.written == sent for sink in sinks)
    assert all(sink.calls == ["open", "close"] for sink in sinks)


def test_events_are_numbered_from_1_and_other_messages_are_not():
    dispatcher = Dispatcher([])
    dispatcher.start()
    status = StatusBody(state="listening", source="Mic", time=None)
    first, between, second = map(dispatcher.publish, (make_body("start"), status, make_body("end")))
    assert json.loads(first.line)["seq"] == 1 == first.seq
    assert (first.body, between.body, second.body) == (make_body("start"), status, make_body("end"))
    assert between.seq is None
    assert "seq" not in json.loads(between.line)
    assert second.seq == 2 == dispatcher.seq


def test_numbers_are_in_order_however_many_threads_publish():
    sink = ListSink()
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    threads = [threading.Thread(target=publish, args=(dispatcher, 200)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    ended(dispatcher)
    assert sink.seqs == list(range(1, 801))


def test_a_slow_sink_loses_its_own_oldest_messages_and_nobody_else_any(caplog):
    slow, quick = ListSink("slow"), ListSink("quick")
    slow.free.clear()
    dispatcher = Dispatcher([slow, quick], queue_length=3)
    dispatcher.start()
    first = publish(dispatcher, 1)
    assert slow.busy.wait(LONG)  # it now holds the first, and its queue is empty
    sent = []
    for _ in range(9):
        quick.busy.clear()
        sent += publish(dispatcher, 1)
        assert quick.busy.wait(LONG)
    slow.free.set()
    ended(dispatcher)
    assert quick.written == first + sent
    assert slow.written == first + sent[-3:]
    by_name = {stats.name: stats for stats in dispatcher.stats()}
    assert (by_name["slow"].dropped, by_name["quick"].dropped) == (6, 0)
    assert (by_name["slow"].written, by_name["quick"].written) == (4, 10)
    assert "dispatch.sink_recovered sink=slow lost=6" in caplog.text


def test_a_failing_sink_is_counted_and_tried_again(caplog):
    sink = ListSink()
    sink.errors = [SinkError("disk full"), None, ValueError("a bug")]
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    publish(dispatcher, 4)
    ended(dispatcher)
    (stats,) = dispatcher.stats()
    assert sink.seqs == [2, 4]
    assert (stats.failed, stats.written, stats.working) == (2, 2, True)
    assert 'dispatch.sink_failed sink=list lost=1 error="disk full"' in caplog.text


def test_a_message_that_is_not_for_a_sink_is_no_proof_that_it_works(caplog):
    sink = ListSink()
    sink.kinds, sink.errors = ("start",), [SinkError("no space left")]
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    publish(dispatcher, 1)
    dispatcher.publish(StatusBody(state="stopped", source="Mic", time=None))
    ended(dispatcher)
    (stats,) = dispatcher.stats()
    assert (stats.failed, stats.written, stats.working) == (1, 0, False)
    assert "dispatch.sink_recovered" not in caplog.text


def test_trouble_is_mentioned_once_a_minute(caplog):
    clock = Clock()
    sink = ListSink()
    sink.errors = [SinkError("disk full")] * 20
    dispatcher = Dispatcher([sink], clock=clock)
    dispatcher.start()
    for round_start in (0.0, REMIND_SECONDS):
        clock.now = round_start
        publish(dispatcher, 10)
        wait_until(lambda wanted=10 if not round_start else 20: dispatcher.stats()[0].failed == wanted)
    publish(dispatcher, 1)
    ended(dispatcher)
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == [
        'dispatch.sink_failed sink=list lost=1 error="disk full"',
        'dispatch.sink_failed sink=list lost=11 error="disk full"',
        "dispatch.sink_recovered sink=list lost=20",
    ]


def test_what_was_lost_last_is_told_at_the_end(caplog):
    sink = ListSink()
    sink.errors = [SinkError("disk full")] * 2
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    publish(dispatcher, 2)
    ended(dispatcher)
    assert "dispatch.sink_lost sink=list lost=2" in caplog.text
    assert dispatcher.stats()[0].working is False


def test_a_sink_that_cannot_open_stops_the_start_and_the_others_are_closed():
    first, bad, never = ListSink("a"), ListSink("b", open_error=SinkError("no such folder")), ListSink("c")
    dispatcher = Dispatcher([first, bad, never])
    with pytest.raises(SinkError, match="no such folder"):
        dispatcher.start()
    assert (first.calls, bad.calls, never.calls) == (["open", "close"], ["open"], [])
    dispatcher.close()


def test_a_reader_that_has_gone_ends_its_sink_and_the_daemon_is_told():
    told = []
    gone, other = ListSink("gone"), ListSink("other")
    gone.errors = [SinkClosed("nobody reads")]
    gone.free.clear()
    dispatcher = Dispatcher([gone, other], on_closed=told.append)
    dispatcher.start()
    publish(dispatcher, 2)
    assert gone.busy.wait(LONG)
    gone.free.set()
    wait_until(lambda: told)
    publish(dispatcher, 1)
    assert dispatcher.stats()[0].pending == 0
    ended(dispatcher)
    assert told == ["gone"]
    assert (gone.written, gone.calls) == ([], ["open", "close"])
    assert len(other.written) == 3


def test_sinks_are_exchanged_between_two_messages():
    stays, leaves, comes = ListSink("stays"), ListSink("leaves"), ListSink("comes")
    dispatcher = Dispatcher([stays, leaves])
    dispatcher.start()
    publish(dispatcher, 1)
    dispatcher.exchange(add=[comes], remove=[leaves])
    wait_until(lambda: leaves.calls == ["open", "close"])
    publish(dispatcher, 1)
    assert [stats.name for stats in dispatcher.stats()] == ["stays", "comes"]
    ended(dispatcher)
    assert (stays.seqs, leaves.seqs, comes.seqs) == ([1, 2], [1], [2])
    assert comes.calls == ["open", "close"]


def test_a_sink_that_leaves_and_hangs_is_waited_for_and_left_behind(caplog):
    hangs = ListSink("hangs")
    hangs.free.clear()
    dispatcher = Dispatcher([hangs])
    dispatcher.start()
    publish(dispatcher, 2)
    assert hangs.busy.wait(LONG)
    dispatcher.exchange(add=[], remove=[hangs])
    assert "dispatch.sink_left_behind sink=hangs pending=1" in caplog.text
    hangs.free.set()
    wait_until(lambda: hangs.seqs == [1, 2])


def test_an_exchange_for_a_sink_that_cannot_open_changes_nothing():
    stays, bad = ListSink("stays"), ListSink("bad", open_error=SinkError("no such folder"))
    fine = ListSink("fine")
    dispatcher = Dispatcher([stays])
    dispatcher.start()
    with pytest.raises(SinkError, match="no such folder"):
        dispatcher.exchange(add=[fine, bad], remove=[stays])
    publish(dispatcher, 1)
    ended(dispatcher)
    assert (stays.seqs, stays.calls) == ([1], ["open", "close"])
    assert (fine.seqs, fine.calls) == ([], ["open", "close"])


def test_reopen_runs_on_the_thread_that_writes():
    sink = ListSink()
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    publish(dispatcher, 1)
    dispatcher.reopen()
    publish(dispatcher, 1)
    ended(dispatcher)
    assert sink.calls == ["open", "reopen", "close"]
    assert sink.threads == {"sink list"}


def test_reopen_does_not_wait_for_a_message():
    sink = ListSink()
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    publish(dispatcher, 1)
    wait_until(lambda: sink.seqs == [1])
    dispatcher.reopen()
    wait_until(lambda: sink.calls == ["open", "reopen"])
    ended(dispatcher)


def test_close_ends_a_sink_that_has_nothing_to_do(caplog):
    sink = ListSink()
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    publish(dispatcher, 1)
    wait_until(lambda: sink.seqs == [1])
    ended(dispatcher)
    assert sink.calls == ["open", "close"]
    assert caplog.text == ""


def test_close_leaves_behind_what_hangs(caplog):
    stuck, other = ListSink("stuck"), ListSink("other")
    stuck.free.clear()
    dispatcher = Dispatcher([stuck, other])
    dispatcher.start()
    publish(dispatcher, 3)
    assert stuck.busy.wait(LONG)
    wait_until(lambda: len(other.written) == 3)
    dispatcher.close(deadline_seconds=0.01)
    stuck.free.set()
    assert "dispatch.sink_left_behind sink=stuck pending=2" in caplog.text


def test_after_close_nothing_is_taken_and_nothing_raised():
    sink = ListSink()
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    ended(dispatcher)
    publish(dispatcher, 1)
    dispatcher.reopen()
    dispatcher.close()
    assert sink.written == []
    assert dispatcher.stats()[0].pending == 0


class RefreshingSink(ListSink):
    """Is refreshed after each millisecond without a message; `refreshed` is set at the third time."""

    def __init__(self, *, refresh_seconds=0.001, fails=False):
        super().__init__("refreshing")
        self.refresh_seconds = refresh_seconds
        self.refreshed = threading.Event()
        self.count = 0
        self.fails = fails

    def refresh(self):
        self.threads.add(threading.current_thread().name)
        self.count += 1
        if self.count == 3:
            self.refreshed.set()
        if self.fails:
            raise SinkError("the terminal is gone")


@pytest.mark.parametrize("fails", [False, True])
def test_a_sink_may_be_refreshed_between_messages_by_the_thread_that_writes(fails):
    """Also one that fails; a refresh is no message, and counts nowhere."""
    sink = RefreshingSink(fails=fails)
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    assert sink.refreshed.wait(LONG)
    publish(dispatcher, 2)
    wait_until(lambda: sink.seqs == [1, 2])
    sink.refreshed.clear()
    sink.count = 0
    assert sink.refreshed.wait(LONG)
    ended(dispatcher)
    assert sink.calls == ["open", "close"]
    assert sink.threads == {"sink refreshing"}
    (stats,) = dispatcher.stats()
    assert (stats.written, stats.failed) == (2, 0)


def test_a_sink_that_needs_no_refresh_gets_none():
    sink = RefreshingSink(refresh_seconds=None)
    dispatcher = Dispatcher([sink])
    dispatcher.start()
    publish(dispatcher, 1)
    ended(dispatcher)
    assert (sink.count, sink.seqs) == (0, [1])


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr("detector.delivery.sink_queue.RETRY_SECONDS", 0.01)


@pytest.mark.usefixtures("soon")
def test_of_a_service_a_sink_that_cannot_be_opened_yet_gets_later_what_waited(caplog):
    late, other = ListSink("late", open_error=SinkError("no disk")), ListSink("other")
    dispatcher = Dispatcher([late, other], opens_later=True)
    dispatcher.start()
    publish(dispatcher, 3)
    wait_until(lambda: other.seqs == [1, 2, 3] and late.calls.count("open") > 3)
    assert not dispatcher.stats()[0].working
    assert caplog.text.count("dispatch.sink_failed sink=late") == 1
    late.open_error = None
    wait_until(lambda: late.seqs == [1, 2, 3])
    wait_until(lambda: dispatcher.stats()[0].working)
    ended(dispatcher)
    assert late.calls[-1] == "close"


def test_a_sink_that_is_never_opened_holds_up_no_end_and_is_not_closed(caplog):
    never = ListSink("never", open_error=SinkError("no disk"))
    dispatcher = Dispatcher([never], opens_later=True)
    dispatcher.start()
    publish(dispatcher, 2)
    ended(dispatcher)
    assert never.calls == ["open"]
    assert "dispatch.sink_lost sink=never lost=2" in caplog.text


def test_a_fault_in_the_settings_of_a_sink_ends_a_service_too():
    dispatcher = Dispatcher([ListSink(open_error=AccessError("no such group"))], opens_later=True)
    with pytest.raises(AccessError):
        dispatcher.start()


class Keeper:
    """Keeps what it is given."""

    def __init__(self):
        self.calls, self.kept = [], []

    def start(self):
        self.calls.append("start")

    def keep(self, message, embedding):
        self.kept.append((message.body.id, message.seq, embedding))

    def close(self, deadline_seconds):
        self.calls.append("close")


def test_an_event_that_was_vetoed_has_no_number_and_goes_to_no_sink():
    sink, keeper = ListSink(), Keeper()
    dispatcher = Dispatcher([sink], verdicts=keeper)
    dispatcher.start()
    veto = VerdictNote("veto", DOG, 2, "run-0")
    embedding = Embedding("yamnet", np.ones(3, np.float32))
    dispatcher.publish(make_body(id=1, embedding=embedding))
    dispatcher.publish(make_body(id=2, embedding=embedding, verdict=veto))
    dispatcher.publish(make_body(id=3))
    dispatcher.publish(StatusBody(state="listening", source="Mic", time=None))
    dispatcher.close()
    assert sink.seqs == [1, 2, None]
    assert [message.body.id for message in sink.written[:2]] == ["run-1", "run-3"]
    assert [message.body.embedding for message in sink.written[:2]] == [None, None]
    assert keeper.kept == [("run-1", 1, embedding), ("run-2", None, embedding), ("run-3", 2, None)]
    assert keeper.calls == ["start", "close"]
