"""Events as they come: each once, also for who comes again; slow readers and crowds are let go."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from detector.web import daemon_link, event_stream
from detector.web.access import role_watch
from detector.web.access.doorkeeper import Doorkeeper
from detector.web.access.roles import Visitor
from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from detector.wire.encoding import encode
from detector.wire.message import ClipBody, StatusBody
from tests.support.event_source import event_source
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import LONG
from tests.support.history_stores import make_message, make_store
from tests.support.invented_sounds import HOSTILE


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(daemon_link, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(daemon_link, "LONGEST_PAUSE", 0.02)


class Place:
    """A daemon that keeps what it tells in a history, and the page that follows it."""

    def __init__(self, parts, daemon, has_history=True):
        self.daemon, self.link = daemon, DaemonLink([daemon.uri], remembers=not has_history)
        self.app = make_app(replace(parts, daemon=self.link))
        self._store = make_store(parts.history[0] if has_history else parts.history[0].with_name("not.db"))

    def tell(self, *seqs, **changes):
        for seq in seqs:
            message = make_message(seq, **changes)
            self._store.write([message])
            self.daemon.tell(message)

    async def subscribed(self):
        while self.daemon.watching["events"] != 1 or not self.link.now.connected:
            await asyncio.sleep(0.002)


@pytest.fixture
def run(parts, tmp_path):
    """Runs a script with a place."""

    def run(script, **options):
        async def whole(daemon):
            place = Place(parts, daemon, **options)
            async with asyncio.timeout(LONG), place.link.following():
                await place.subscribed()
                return await script(place)

        with FakeDaemon(tmp_path / "events.sock", sources=["Mic"]) as daemon:
            return asyncio.run(whole(daemon))

    return run


async def numbers(source, last):
    """The ids of events up to the last."""
    found = []
    while last not in found:
        found.append(int((await source.next("event"))["id"]))
    return found


def test_a_stream_begins_with_the_daemon_and_goes_on_with_what_it_says(run):
    async def script(place):
        async with event_source(place.app) as source:
            first = await source.next()
            place.tell(1, label=HOSTILE)
            event = await source.next()
            place.daemon.tell(encode(StatusBody(state="silent", source="Mic", time=None)))
            return source.started, first, event, await source.next()

    started, first, event, status = run(script)
    assert (b"content-type", b"text/event-stream; charset=utf-8") in started["headers"]
    assert first == {
        "event": "daemon",
        "id": "0",
        "data": {"connected": True, "gone_since": None, "state": "listening"},
    }
    assert (event["event"], event["id"], event["data"]["label"]) == ("event", "1", HOSTILE)
    assert event["data"].keys() > {"clip", "verdict_given", "picture"}
    assert (status["event"], status["data"]["state"]) == ("status", "silent")


def test_who_comes_again_gets_what_came_meanwhile_once(run):
    async def script(place):
        place.tell(1, 2, 3)
        async with event_source(place.app, last=1) as source:
            missed = await numbers(source, 3)
            place.tell(4)
            return missed, await numbers(source, 4)

    assert run(script) == ([2, 3], [4])


def test_without_a_history_what_is_remembered_is_sent_again(run):
    async def script(place):
        place.tell(1, 2, 3)
        while place.link.now.seq < 3:
            await asyncio.sleep(0.002)
        async with event_source(place.app, last=1) as source:
            missed = await numbers(source, 3)
            place.tell(4)
            return missed, await numbers(source, 4)

    assert run(script, has_history=False) == ([2, 3], [4])


def test_a_list_and_a_stream_after_it_leave_nothing_out(run):
    async def script(place):
        place.tell(1, 2)
        async with event_source(place.app, "/api/v1/events/stream?since=1") as source:
            return await numbers(source, 2)

    assert run(script) == [2]


def test_no_event_is_lost_or_told_twice_when_the_daemon_goes_and_comes(run):
    async def script(place):
        async with event_source(place.app) as source:
            await source.next("daemon")
            place.tell(1)
            before = await numbers(source, 1)
            place.daemon.stop()
            gone = await source.next("daemon")
            place.tell(2, 3)
            async with event_source(place.app, last=1) as late:
                missed = await numbers(late, 3)
                place.daemon.start()
                back = await source.next("daemon")
                await place.subscribed()
                place.tell(4)
                return before + await numbers(source, 4), missed + await numbers(late, 4), gone, back

    early, late, gone, back = run(script)
    assert early == [1, 2, 3, 4]
    assert late == [2, 3, 4]
    assert (gone["data"]["connected"], back["data"]["connected"]) == (False, True)
    assert gone["data"]["gone_since"] is not None


def test_filters_hold_for_what_was_missed_and_for_what_comes(run):
    async def script(place):
        place.tell(1, 3, label="Cat")
        place.tell(4, label="Dog")
        async with event_source(place.app, "/api/v1/events/stream?label=dog&min_score=0.5", last=0) as source:
            missed = await numbers(source, 4)
            place.tell(5, label="Cat")
            place.tell(6, label="Dog", top_score=0.1)
            place.tell(7, label="Dog")
            return missed, await numbers(source, 7)

    assert run(script) == ([4], [7])


def test_after_very_many_events_the_list_is_to_be_loaded_again(run, monkeypatch):
    monkeypatch.setattr(event_stream, "MOST_REPLAYED", 2)

    async def script(place):
        place.tell(1, 2, 3)
        async with event_source(place.app, last=0) as source:
            dropped = await source.next("dropped")
            place.tell(4)
            return dropped, await numbers(source, 4)

    dropped, after = run(script)
    assert (dropped["data"]["count"], dropped["id"], after) == (3, "3", [4])


def test_what_cannot_be_read_of_the_history_is_said_and_the_rest_is_sent(run, parts):
    async def script(place):
        place.tell(1, 2, 3)
        with closing(sqlite3.connect(parts.history[0])) as file, file:
            file.execute("UPDATE messages SET line = 'damaged' WHERE seq = 2")
        async with event_source(place.app, last=0) as source:
            told = [await source.next("event", "dropped") for _ in range(3)]
            place.tell(4)
            return [(each["event"], each["id"]) for each in told], told[1]["data"], await numbers(source, 4)

    told, dropped, after = run(script)
    assert told == [("event", "1"), ("dropped", "2"), ("event", "3")]
    assert (dropped["count"], after) == (1, [4])


def test_without_a_history_that_can_be_read_what_comes_is_shown_all_the_same(run, parts):
    async def script(place):
        parts.history[0].write_bytes(b"no database at all" * 100)
        async with event_source(place.app, last=0) as source:
            dropped = await source.next("dropped")
            place.daemon.tell(make_message(1))
            return dropped["data"]["count"], await numbers(source, 1)

    assert run(script) == (None, [1])


def test_a_number_of_another_history_hides_nothing(run):
    async def script(place):
        place.tell(1)
        async with event_source(place.app, last=5000) as source:
            await source.next("daemon")
            place.tell(2)
            return await numbers(source, 2)

    assert run(script) == [2]


def test_clips_are_told_without_their_path(run):
    values = {"label": "Dog", "start_time": None, "duration": 2.0, "source": "Mic", "time": None}

    async def script(place):
        async with event_source(place.app) as source:
            await source.next("daemon")
            body = ClipBody(id="c", state="saved", path="/var/c.flac", events=("e",), **values)
            place.daemon.tell(encode(body))
            return await source.next(), place.link.clips["e"].state

    clip, known = run(script)
    assert (clip["event"], clip["data"]["id"], clip["data"]["path"], known) == ("clip", "c", None, "saved")


def test_a_quiet_stream_shows_that_it_is_alive(run, monkeypatch):
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.01)

    async def script(place):
        async with event_source(place.app) as source:
            while source.comments < 3:
                await asyncio.sleep(0.002)

    run(script)


def test_who_reads_nothing_is_let_go_and_holds_up_nobody(run, monkeypatch):
    monkeypatch.setattr(event_stream, "SEND_SECONDS", 0.2)

    async def script(place):
        async with event_source(place.app) as other, event_source(place.app) as slow:
            await slow.next("daemon")
            slow.reads.clear()
            place.tell(*range(1, 40))
            await numbers(other, 39)
            while len(place.link._mailboxes) > 1:
                await asyncio.sleep(0.002)
            slow.reads.set()

    run(script)


def test_a_stream_ends_with_its_session(run, monkeypatch):
    monkeypatch.setattr(role_watch, "LOOK_SECONDS", 0.01)

    async def script(place):
        async with event_source(place.app) as source:
            await source.next("daemon")
            monkeypatch.setattr(Doorkeeper, "visitor", lambda *_: Visitor())
            while place.link._mailboxes:
                await asyncio.sleep(0.002)
            await source.whole.wait()  # else the server calls it a fault in its log

    run(script)


def test_only_so_many_streams_are_open(run, monkeypatch):
    monkeypatch.setattr(event_stream, "MOST_STREAMS", 2)

    async def script(place):
        async with event_source(place.app) as one, event_source(place.app) as two:
            await one.next()
            await two.next()
            async with event_source(place.app) as third:
                while third.started is None:
                    await asyncio.sleep(0.002)
                full = third.started["status"]
        async with event_source(place.app) as again:
            await again.next("daemon")
            return full, again.started["status"]

    assert run(script) == (503, 200)
