"""One subscriber's connection on a transport in memory: what it sends, and that nothing follows its end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from detector.sinks.live_taps import LiveTaps
from detector.sinks.socket.archive_replay import EVENTS
from detector.sinks.socket.connection import Connection
from detector.sinks.socket.feed import Feed
from detector.sinks.socket.limits import DEFAULT_LIMITS, SubscriberCounts
from detector.wire.message import HelloBody
from tests.support.fakes import LONG
from tests.support.wire_messages import make_message


class Transport:
    """Keeps what is written; `waiting` bytes are said to wait in its buffer."""

    def __init__(self, *, half_closes=True):
        self.written, self.waiting, self.high = [], 0, None
        self.closed = self.aborted = False
        self.half_closes = half_closes

    def set_write_buffer_limits(self, high):
        self.high = high

    def get_write_buffer_size(self):
        return self.waiting

    def get_extra_info(self, name):
        return None

    def write(self, data):
        self.written.append(data)

    def is_closing(self):
        return self.closed

    def can_write_eof(self):
        return self.half_closes

    def close(self):
        self.closed = True

    def abort(self):
        self.aborted = True


def make_connection(*, joins=True, archive=None, transport=None, live=None, **limits):
    """A connection with its transport and feed; `left` lists the connections that were closed."""
    feed = Feed(
        replace(DEFAULT_LIMITS, request_seconds=0.0, **limits),
        hello=lambda: HelloBody(version="1", run_id="run", source="mic", model="fake", labels=("Dog",)),
        report=None,
        utc=lambda: 0.0,
        counts=SubscriberCounts(),
        archive=archive,
        live=live,
    )
    left = []
    connection = Connection(feed, join=lambda _: joins, leave=left.append)
    transport = transport or Transport()
    connection.connection_made(transport)
    return connection, transport, feed, left


async def pause():
    """Let the loop run timers of 0 s."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_the_buffer_has_the_limit_of_the_settings():
    async def run():
        _, transport, _, _ = make_connection(client_buffer_bytes=4096)
        assert transport.high == 4096

    asyncio.run(run())


def test_a_subscriber_that_asks_nothing_gets_what_comes():
    async def run():
        connection, transport, feed, _ = make_connection()
        await pause()
        feed.backlog.append(make_message(1))
        connection.pump()
        assert transport.written[1:] == [make_message(1).line]

    asyncio.run(run())


def test_nothing_follows_the_end():
    """No event, no heartbeat, no timer, no answer: the transport takes no more, and complains about each."""

    async def run():
        connection, transport, feed, left = make_connection()
        connection.connection_lost(None)
        assert left == [connection]
        assert connection.gone.done()
        greeted = len(transport.written)
        feed.backlog.append(make_message(1))
        await pause()
        connection.pump()
        connection.beat(b"heartbeat\n")
        connection.data_received(b"not JSON\n")
        assert len(transport.written) == greeted

    asyncio.run(run())


def test_one_too_many_gets_a_reason_and_nothing_else():
    async def run():
        connection, transport, feed, _ = make_connection(joins=False)
        feed.backlog.append(make_message(1))
        connection.pump()
        connection.data_received(b"not JSON\n")
        assert len(transport.written) == 1
        assert b"too many subscribers" in transport.written[0]
        assert transport.closed

    asyncio.run(run())


def test_a_connection_that_was_lost_may_be_finished():
    async def run():
        connection, transport, _, _ = make_connection()
        connection.connection_lost(None)
        connection.connection_lost(None)
        connection.finish()
        assert transport.aborted

    asyncio.run(run())


class ManyEvents:
    """An archive that takes three reads."""

    oldest_seq, newest_seq = 1, 3 * EVENTS

    def __init__(self):
        self.reads = 0

    def after(self, seq, limit):
        self.reads += 1
        return [make_message(number) for number in range(seq + 1, min(seq + limit, self.newest_seq) + 1)]


async def until(happened):
    """Let the loop run until it is so."""
    async with asyncio.timeout(LONG):
        while not happened():
            await asyncio.sleep(0)


def replaying(archive):
    """A connection that has asked for everything, and reads nothing; its transport and feed."""
    connection, transport, feed, _ = make_connection(archive=archive)
    connection.data_received(b'{"since": 0}\n')
    connection.pause_writing()
    return connection, transport, feed


def test_a_replay_ends_with_its_connection():
    """Also one that waits for its subscriber to read."""

    async def run():
        connection, transport, feed = replaying(ManyEvents())
        await until(lambda: len(transport.written) == 2)
        connection.connection_lost(None)
        await pause()
        feed.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_replay_reads_on_when_its_subscriber_has_read():
    async def run():
        archive = ManyEvents()
        connection, transport, feed = replaying(archive)
        await until(lambda: len(transport.written) == 2)
        await feed.read_archive(0, 0)  # behind whatever the replay has asked for
        assert archive.reads == 2
        connection.resume_writing()
        await until(lambda: transport.written[-1].endswith(make_message(3 * EVENTS).line))
        feed.close()

    asyncio.run(run())


def test_who_reads_nothing_for_too_long_is_cut_off_but_not_for_two_short_times():
    async def run():
        connection, transport, _, _ = make_connection(stall_seconds=0.0)
        transport.waiting = 100
        for _ in range(2):
            connection.pause_writing()
            connection.beat(b"heartbeat\n")
            assert not transport.aborted
            connection.resume_writing()
        connection.pause_writing()
        connection.beat(b"heartbeat\n")
        connection.beat(b"heartbeat\n")
        assert transport.aborted

    asyncio.run(run())


def test_who_has_closed_its_side_is_sent_a_heartbeat_which_fails_if_it_has_gone():
    async def run():
        connection, transport, _, _ = make_connection()
        connection.data_received(b"{}\n")
        assert connection.eof_received()
        assert json.loads(transport.written[-1])["type"] == "heartbeat"
        connection.connection_lost(None)

    asyncio.run(run())


def test_who_has_not_asked_yet_is_not_cut_off_as_stalled():
    async def run():
        connection, transport, _, _ = make_connection(stall_seconds=0.0)
        for _ in range(3):
            connection.beat(b"heartbeat\n")
        assert not transport.aborted
        await pause()

    asyncio.run(run())


def test_a_late_question_about_the_past_is_answered_before_what_comes():
    """The time for it is over, and events have begun to flow."""

    async def run():
        connection, transport, feed, _ = make_connection(archive=ManyEvents())
        await pause()
        connection.data_received(b'{"since": 0}\n')
        newest = make_message(3 * EVENTS + 1).line
        feed.backlog.append(make_message(3 * EVENTS + 1))
        connection.pump()
        await until(lambda: transport.written[-1].endswith(newest))
        sent = b"".join(transport.written[1:]).splitlines()
        assert [json.loads(line)["seq"] for line in sent] == list(range(1, 3 * EVENTS + 2))
        feed.close()

    asyncio.run(run())


def test_who_closes_tls_after_a_request_is_closed_without_a_word():
    """TLS has no half-closed connections."""

    async def run():
        connection, transport, _, _ = make_connection(transport=Transport(half_closes=False))
        connection.data_received(b"{}\n")
        greeted = len(transport.written)
        assert not connection.eof_received()
        assert transport.closed
        assert len(transport.written) == greeted

    asyncio.run(run())


def test_the_end_sends_what_is_left_then_closes_and_answers_no_more():
    async def run():
        connection, transport, feed, _ = make_connection()
        feed.backlog.append(make_message(1))
        connection.finish()
        assert transport.written[1:] == [make_message(1).line]
        assert transport.closed
        connection.data_received(b"not JSON\n")
        connection.beat(b"heartbeat\n")
        assert len(transport.written) == 2

    asyncio.run(run())


def test_the_end_stops_a_replay():
    async def run():
        connection, transport, feed = replaying(ManyEvents())
        await until(lambda: len(transport.written) == 2)
        connection.finish()
        await pause()
        feed.close()
        assert transport.closed
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_a_connection_that_the_other_side_has_closed_gets_no_heartbeat():
    async def run():
        connection, transport, _, _ = make_connection()
        await pause()
        transport.closed = True
        connection.beat(b"heartbeat\n")
        assert len(transport.written) == 1

    asyncio.run(run())


def test_of_what_is_watched_nothing_is_written_while_anything_waits():
    """Not even a line: it would be old when it is read."""

    async def run():
        live = LiveTaps()
        tap = live.add(lambda: "mic")
        connection, transport, _, _ = make_connection(live=live)
        connection.data_received(b'{"spectrogram": {}}\n')
        greeted = len(transport.written)
        for number, (waiting, shown) in enumerate([(0, 1), (1, 1), (60_000, 1), (0, 2)]):
            transport.waiting = waiting
            tap.give("spectrogram", make_message(number + 1))
            await pause()
            assert len(transport.written) - greeted == shown
        assert transport.written[-1] == make_message(4).line
        connection.pause_writing()
        tap.give("spectrogram", make_message(5))
        await pause()
        connection.resume_writing()
        assert len(transport.written) - greeted == 2
        connection.connection_lost(None)
        assert not tap.is_watched("spectrogram")

    asyncio.run(run())
