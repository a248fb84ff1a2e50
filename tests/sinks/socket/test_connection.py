"""One subscriber's connection on a transport in memory: what it sends, and that nothing follows its end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from detector.sinks.socket.connection import Connection
from detector.sinks.socket.feed import Feed
from detector.sinks.socket.limits import DEFAULT_LIMITS, SubscriberCounts
from detector.wire.message import HelloBody
from tests.support.fakes import LONG
from tests.support.wire_messages import make_message


class Transport:
    """Keeps what is written; `waiting` bytes are said to wait in its buffer."""

    def __init__(self):
        self.written, self.waiting, self.high = [], 0, None
        self.closed = self.aborted = False

    def set_write_buffer_limits(self, high):
        self.high = high

    def get_write_buffer_size(self):
        return self.waiting

    def write(self, data):
        self.written.append(data)

    def is_closing(self):
        return self.closed

    def can_write_eof(self):
        return True

    def close(self):
        self.closed = True

    def abort(self):
        self.aborted = True


def make_connection(*, joins=True, archive=None, **limits):
    """A connection with its transport and feed; `left` lists the connections that were closed."""
    feed = Feed(
        replace(DEFAULT_LIMITS, request_seconds=0.0, **limits),
        hello=lambda: HelloBody(version="1", run_id="run", source="mic", model="fake", labels=("Dog",)),
        report=None,
        utc=lambda: 0.0,
        counts=SubscriberCounts(),
        archive=archive,
    )
    left = []
    connection, transport = Connection(feed, join=lambda _: joins, leave=left.append), Transport()
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


class OneEvent:
    """An archive with one event, which is read at once."""

    oldest_seq = newest_seq = 1

    def after(self, seq, limit):
        return [make_message(1)]


def test_a_replay_ends_with_its_connection():
    """Also one that waits for its subscriber to read."""

    async def run():
        connection, transport, feed, _ = make_connection(archive=OneEvent())
        connection.data_received(b'{"since": 0}\n')
        connection.pause_writing()
        async with asyncio.timeout(LONG):
            while make_message(1).line not in transport.written:
                await asyncio.sleep(0)
        connection.connection_lost(None)
        await pause()
        feed.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
