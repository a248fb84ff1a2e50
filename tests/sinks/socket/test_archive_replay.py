"""`since` beyond memory: events come from the archive, then from memory, none twice and none left out."""

import contextlib
import json
import os
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from detector.errors import HistoryError
from detector.history.archive import FileArchive
from detector.records import Label
from detector.sinks.socket.archive_replay import EVENTS
from detector.sinks.socket.backlog import Backlog, Subscription
from detector.sinks.socket.limits import ServerLimits
from detector.sinks.socket.server import SocketSink
from detector.wire.address import parse_address
from detector.wire.encoding import encode
from detector.wire.message import HelloBody, StatusBody
from detector.wire.request import parse_request
from tests.support.fakes import LONG
from tests.support.history_stores import make_message as make_stored
from tests.support.history_stores import make_store
from tests.support.wire_messages import make_message

CAT = Label("Cat", "/m/01yrx", "yamnet")


class FakeArchive:
    """Keeps events; `before_read` is called on the reading thread."""

    def __init__(self, *seqs, newest_seq=None):
        self.events = {seq: make_message(seq) for seq in seqs}
        self.newest_seq = max(seqs, default=0) if newest_seq is None else newest_seq
        self.before_read = lambda: None
        self.reads = []

    @property
    def oldest_seq(self):
        return min(self.events, default=None)

    def add(self, message):
        self.events[message.seq] = message

    def after(self, seq, limit):
        self.before_read()
        self.reads.append(seq)
        return [self.events[number] for number in sorted(self.events) if number > seq][:limit]


def hello():
    return HelloBody(version="0", model="yamnet", labels=("Dog",), source="Mic", run_id="run")


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:

        def start(archive, **limits):
            limits = {"request_seconds": LONG, "backlog_length": 20} | limits
            sink = SocketSink(
                "tcp://127.0.0.1:0", hello=hello, archive=archive, limits=ServerLimits(**limits)
            )
            sink.open()
            stack.callback(sink.close)
            return sink

        yield start


@contextlib.contextmanager
def subscribed(sink, request=None, receive_buffer=None):
    """Messages as they come, the hello first."""
    address = parse_address(sink.uri)
    with socket.socket() as connection:
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(LONG)
        connection.connect((address.host, address.port))
        if request is not None:
            connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            yield map(json.loads, lines)


def publish(sink, archive, *seqs, **changes):
    """As the daemon does: into the archive first."""
    for seq in seqs:
        message = make_message(seq, **changes)
        archive.add(message)
        sink.write(message)


def seqs(messages, count):
    found = []
    while len(found) < count:
        message = next(messages)
        if "label" in message:
            found.append(message["seq"])
    return found


def test_the_hello_knows_of_earlier_runs(serve):
    with subscribed(serve(FakeArchive(3, 4, 5, newest_seq=99))) as messages:
        said = next(messages)
    assert (said["history"], said["oldest_seq"], said["seq"]) == (True, 3, 99)


def test_events_of_an_earlier_run_come_first(serve):
    archive = FakeArchive(*range(1, 51), newest_seq=99)
    sink = serve(archive)
    publish(sink, archive, 100, 101)
    with subscribed(sink, {"since": 10}) as messages:
        assert seqs(messages, 42) == [*range(11, 51), 100, 101]


def test_more_than_is_read_at_once(serve):
    archive = FakeArchive(*range(1, 3 * EVENTS + 2))
    sink = serve(archive)
    with subscribed(sink, {"since": 0}) as messages:
        assert seqs(messages, 3 * EVENTS + 1) == list(range(1, 3 * EVENTS + 2))
        publish(sink, archive, 3 * EVENTS + 2)
        assert seqs(messages, 1) == [3 * EVENTS + 2]


def test_what_memory_holds_is_not_read_from_the_disk(serve):
    archive = FakeArchive(newest_seq=0)
    sink = serve(archive)
    publish(sink, archive, *range(1, 11))
    with subscribed(sink, {"since": 5}) as messages:
        assert seqs(messages, 5) == [6, 7, 8, 9, 10]
    assert archive.reads == []


def test_the_filter_holds_for_the_archive_too(serve):
    archive = FakeArchive(*range(1, 11))
    archive.add(make_message(5, label=CAT))
    sink = serve(archive)
    with subscribed(sink, {"since": 0, "labels": ["cat"]}) as messages:
        assert seqs(messages, 1) == [5]
        publish(sink, archive, 11)
        publish(sink, archive, 12, label=CAT)
        assert seqs(messages, 1) == [12]


def test_memory_may_move_on_by_far_while_the_disk_is_read(serve):
    """Each look at the archive takes as long as 30 events; memory holds 20."""
    archive = FakeArchive(*range(1, 101))
    sink = serve(archive)
    coming = iter(range(101, 191))

    def overtake():
        for seq in [seq for _, seq in zip(range(30), coming, strict=False)]:
            publish(sink, archive, seq)

    archive.before_read = overtake
    with subscribed(sink, {"since": 50}) as messages:
        received = seqs(messages, 80)
        overtaken = received[-1]
        for seq in coming:
            publish(sink, archive, seq)
        while received[-1] < 190:
            received += seqs(messages, 1)
    assert overtaken >= 130
    assert received[:80] == list(range(51, 131))
    assert received == sorted(set(received))


def test_events_that_were_sent_before_the_request_do_not_come_again(serve):
    archive = FakeArchive(*range(1, 11))
    sink = serve(archive, request_seconds=0)
    address = parse_address(sink.uri)
    with socket.create_connection((address.host, address.port), LONG) as connection:
        lines = connection.makefile("rb")
        json.loads(lines.readline())
        publish(sink, archive, 11, 12)
        assert [json.loads(lines.readline())["seq"] for _ in range(2)] == [11, 12]
        connection.sendall(b'{"since": 5}\n')
        assert [json.loads(lines.readline())["seq"] for _ in range(5)] == [6, 7, 8, 9, 10]
        publish(sink, archive, 13)
        assert json.loads(lines.readline())["seq"] == 13


def test_who_reads_slowly_is_waited_for_and_loses_nothing(serve):
    """The archive is read no faster than the subscriber reads."""
    total = 40 * EVENTS
    archive = FakeArchive(*range(1, total + 1))
    sink = serve(archive, client_buffer_bytes=4096)
    with subscribed(sink, {"since": 0}, receive_buffer=4096) as messages:
        assert next(messages)["type"] == "hello"
        publish(sink, archive, *range(total + 1, total + 101))
        assert len(archive.reads) < 40
        assert seqs(messages, total + 100) == list(range(1, total + 101))


def test_nobody_waits_for_a_disk_that_hangs(serve):
    archive = FakeArchive(*range(1, 11))
    free = threading.Event()
    archive.before_read = lambda: free.wait(LONG)
    sink = serve(archive)
    with subscribed(sink, {"since": 0}) as behind, subscribed(sink, {}) as live:
        assert next(live)["type"] == "hello"
        publish(sink, archive, 11)
        assert seqs(live, 1) == [11]
        free.set()
        assert seqs(behind, 11) == list(range(1, 12))


def test_a_replay_goes_on_from_memory_where_the_archive_ends_earlier(serve):
    sink = serve(FakeArchive(*range(1, 6), newest_seq=10))
    sink.write(make_message(11))
    with subscribed(sink, {"since": 0}) as messages:
        assert seqs(messages, 6) == [1, 2, 3, 4, 5, 11]


def fail():
    raise HistoryError("the disk is gone")


def test_an_archive_that_cannot_be_read_leaves_what_memory_holds(serve, caplog):
    archive = FakeArchive(*range(1, 11))
    archive.before_read = fail
    sink = serve(archive)
    publish(sink, archive, 11)
    with subscribed(sink, {"since": 0}) as messages:
        assert seqs(messages, 1) == [11]
    assert 'socket.replay_failed events=10 error="the disk is gone"' in caplog.text


def test_what_cannot_be_read_is_told_in_its_place(serve):
    """Nothing of the disk can be read; memory goes on."""
    archive = FakeArchive(*range(3, 11))
    archive.before_read = fail
    sink = serve(archive)
    publish(sink, archive, 11)
    with subscribed(sink, {"since": 0}) as messages:
        next(messages)
        told = [next(messages) for _ in range(2)]
    assert [(message["type"], message.get("count"), message.get("seq")) for message in told] == [
        ("dropped", 8, None),
        ("start", None, 11),
    ]
    assert told[0]["detail"] == "the history cannot be read there"


@pytest.mark.parametrize("damage", ["page", "half"])
def test_reading_goes_on_behind_a_damaged_page_and_the_hole_is_told(serve, tmp_path, damage):
    """Every event comes, or is counted where it is missing."""
    total, path = 3000, tmp_path / "history.db"
    store = make_store(path)
    store.write([make_stored(seq) for seq in range(1, total + 1)])
    store.close()
    if damage == "page":
        content = bytearray(path.read_bytes())
        at = content.find(b'"id":"run-1500"') // 4096 * 4096
        content[at : at + 4096] = bytes(4096)
        path.write_bytes(content)
    else:
        os.truncate(path, path.stat().st_size // 8192 * 4096)
    archive = FileArchive(path, oldest_seq=lambda: 1, newest_seq=lambda: total)
    sink = serve(archive)
    sink.write(make_message(total + 1))
    with subscribed(sink, {"since": 0}) as messages:
        assert next(messages)["oldest_seq"] == 1
        received, missing = [], 0
        for message in messages:
            if message["type"] == "dropped":
                missing += message["count"]
            else:
                received.append(message["seq"])
                if received[-1] == total + 1:
                    break
    assert received == sorted(set(received))
    assert missing > 0
    assert len(received) + missing == total + 1
    if damage == "page":
        assert missing < 30


def test_who_vanishes_in_the_middle_of_a_replay_disturbs_nobody(serve):
    archive = FakeArchive(*range(1, 20 * EVENTS))
    sink = serve(archive, client_buffer_bytes=4096)
    for _ in range(10):
        with subscribed(sink, {"since": 0}, receive_buffer=4096) as messages:
            next(messages)
    with subscribed(sink, {"since": 20 * EVENTS - 3}) as messages:
        assert seqs(messages, 2) == [20 * EVENTS - 2, 20 * EVENTS - 1]


def test_the_end_in_the_middle_of_a_replay_leaves_no_hole(serve):
    archive = FakeArchive(*range(1, 40 * EVENTS))
    sink = serve(archive, client_buffer_bytes=4096)
    with subscribed(sink, {"since": 0}, receive_buffer=4096) as messages:
        next(messages)
        publish(sink, archive, 40 * EVENTS)
        closing = threading.Thread(target=sink.close)
        closing.start()
        received = []
        with contextlib.suppress(OSError, ValueError):
            received += [message["seq"] for message in messages]
        closing.join(LONG)
    assert received == list(range(1, len(received) + 1))


STATUS = encode(StatusBody(state="muted", source="Mic", time=None))


@given(st.data())
@hypothesis_settings(max_examples=200, deadline=None)
def test_every_event_once_and_in_order_whatever_comes_in_between(data):
    """The cursor by itself: an archive that is written first, memory of 4, a join, a replay, more events."""
    memory = Backlog(4, before=3)
    kept = [make_message(seq) for seq in (1, 2, 3)]
    on_the_way = []

    def more(subscriptions=(), *, all_arrive=False):
        for _ in range(data.draw(st.integers(0, 7))):
            on_the_way.append(STATUS)
            if data.draw(st.booleans()):
                on_the_way[-1] = make_message(kept[-1].seq + 1)
                kept.append(on_the_way[-1])
        arriving = len(on_the_way) if all_arrive else data.draw(st.integers(0, len(on_the_way)))
        for _ in range(arriving):
            message = on_the_way.pop(0)
            oldest = memory.first
            if (evicted := memory.append(message)) is not None:
                for subscription in subscriptions:
                    subscription.evict(oldest, evicted)

    def read():
        lines = b""
        while batch := subscription.take():
            lines += batch
        return lines

    more()
    subscription = Subscription(memory)
    since = data.draw(st.integers(0, 12))
    received = b""
    if data.draw(st.booleans()):
        more([subscription])
        if not subscription.take_dropped():
            received += read()
    early = received.count(b'"seq"')
    subscription.apply(parse_request(json.dumps({"since": since}).encode()))
    if since < memory.gone_seq:
        subscription.begin_replay()
        place = since
        while place < (gone := memory.gone_seq):
            found = [event for event in kept if event.seq > place][:2]
            received += b"".join(event.line for event in found if subscription.passes(event))
            more([subscription])
            last = found[-1].seq if found else 0
            place = last if len(found) == 2 else max(last, gone)
        subscription.end_replay(place)
    received += read()
    more([subscription])
    received += read()
    more([subscription], all_arrive=True)
    lost = subscription.take_dropped()
    received += read()
    numbers = [json.loads(line)["seq"] for line in received.splitlines() if b'"seq"' in line]
    assert len(set(numbers)) == len(numbers)
    assert numbers[early:] == sorted(numbers[early:])
    if not lost:
        assert {event.seq for event in kept if event.seq > since} <= set(numbers)
