"""The page's connection to the daemon: nothing is lost or told twice, and whether it is there is known."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from detector.web import daemon_link
from detector.web.daemon_link import DaemonLink
from detector.web.mailbox import Mailbox, MailboxClosed
from detector.wire.encoding import encode
from detector.wire.message import DroppedBody, StatusBody
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import LONG
from tests.support.history_stores import make_message


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """Nothing waits long for a daemon."""
    monkeypatch.setattr(daemon_link, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(daemon_link, "LONGEST_PAUSE", 0.02)


@pytest.fixture
def daemon(tmp_path):
    with FakeDaemon(tmp_path / "events.sock", sources=["Mic"]) as fake:
        yield fake


def follow(daemon, script, **options):
    """Run a script with a link to the daemon and a mailbox of what it tells, and return what that returns."""

    async def run():
        link = DaemonLink([daemon.uri], **options)
        with link.listening() as told:
            async with link.following(), asyncio.timeout(LONG):
                return await script(link, told)

    return asyncio.run(run())


async def come(told, connected=True):
    """Wait for the daemon to come or go."""
    while True:
        message = await told.get()
        if message.kind == "daemon" and message.body.values["connected"] is connected:
            return message.body.values


async def until(condition):
    while not condition():
        await asyncio.sleep(0.002)


async def seqs(told, last):
    """The numbers of events up to the last one."""
    found = []
    while last not in found:
        message = await told.get()
        if message.seq is not None:
            found.append(message.seq)
    return found


async def subscribed(daemon, count=1):
    await until(lambda: daemon.watching["events"] == count)


def test_events_that_were_told_while_nobody_listened_are_asked_for(daemon):
    async def script(link, told):
        await come(told)
        await subscribed(daemon)
        for seq in (1, 2):
            daemon.tell(make_message(seq))
        before = await seqs(told, 2)
        daemon.stop()
        gone = await come(told, connected=False)
        for seq in (3, 4):
            daemon.tell(make_message(seq))
        daemon.start()
        await come(told)
        after = await seqs(told, 4)
        return before, gone["gone_since"], after, link.now.gone_since

    before, gone_since, after, now = follow(daemon, script)
    assert (before, after) == ([1, 2], [3, 4])
    assert gone_since is not None
    assert now is None


def test_what_was_told_before_the_page_began_is_not_told_again(daemon):
    daemon.tell(make_message(1))

    async def script(_, told):
        await come(told)
        await subscribed(daemon)
        daemon.tell(make_message(2))
        return await seqs(told, 2)

    assert follow(daemon, script) == [2]


def test_a_page_without_a_history_remembers_what_the_daemon_still_has(daemon):
    for seq in (1, 2):
        daemon.tell(make_message(seq))

    async def script(link, told):
        await come(told)
        await subscribed(daemon)
        daemon.tell(make_message(3))
        return await seqs(told, 3), [message.seq for message in link.recent.after(0)], link.now.seq

    assert follow(daemon, script, remembers=True) == ([3], [1, 2, 3], 3)


def test_what_the_page_read_too_slowly_is_asked_for_again(daemon):
    async def script(_, told):
        await come(told)
        await subscribed(daemon)
        daemon.tell(make_message(1))
        await seqs(told, 1)
        daemon.told += [make_message(2), make_message(3)]
        daemon.tell(encode(DroppedBody(count=2, time=None)))
        return await seqs(told, 3)

    assert follow(daemon, script) == [2, 3]


def test_a_daemon_of_another_generation_may_use_numbers_again(daemon):
    async def script(_, told):
        await come(told)
        await subscribed(daemon)
        daemon.tell(make_message(7))
        await seqs(told, 7)
        daemon.stop()
        daemon.told.clear()
        daemon.generation, daemon.generation_seq, daemon.seq = "ffff", 2, 2
        daemon.tell(make_message(3))
        daemon.start()
        return await seqs(told, 3)

    assert follow(daemon, script) == [3]


def test_a_daemon_that_falls_silent_is_gone(daemon):
    daemon.heartbeat_seconds = 0.02  # as it says; it keeps to it only while its thread runs

    async def script(_, told):
        await come(told)
        daemon._stopped.set()  # no more heartbeats, and the connection stays open
        return await come(told, connected=False)

    assert follow(daemon, script)["gone_since"] is not None


def test_a_fault_of_the_page_does_not_leave_it_blind(daemon, monkeypatch, caplog):
    hear, faults = DaemonLink._hear, ["one"]

    def faulty(link, message, seen):
        if message.seq == 1 and faults:
            raise RuntimeError(faults.pop())
        hear(link, message, seen)

    monkeypatch.setattr(DaemonLink, "_hear", faulty)

    async def script(_, told):
        await come(told)
        await subscribed(daemon)
        daemon.tell(make_message(1))
        return await seqs(told, 1)

    assert follow(daemon, script) == [1]
    assert "web.follow_failed" in caplog.text


def test_the_state_of_the_daemon_is_known(daemon):
    async def script(link, told):
        await come(told)
        await subscribed(daemon)
        known = [link.now.state]
        for body in (
            StatusBody(state="listening", overall="device_lost", source="Mic", time=None),
            StatusBody(state="silent", source="Mic", time=None),
        ):
            daemon.tell(encode(body))
            await told.get()
            known.append(link.now.state)
        return known

    assert follow(daemon, script) == ["listening", "device_lost", "silent"]


def test_a_report_is_asked_for_once_by_many(daemon):
    async def script(link, _):
        reports = await asyncio.gather(*(link.report() for _ in range(5)))
        return {report["model"] for report in reports}

    assert follow(daemon, script) == {"invented"}
    assert daemon.requests.count({"report": True}) == 1


def test_a_report_is_never_older_than_what_the_daemon_has_told(daemon):
    async def script(link, told):
        await come(told)
        await subscribed(daemon)
        found = []
        for slow in (False, True, False):
            daemon.overloaded = slow
            daemon.tell(encode(StatusBody(state="listening", source="Mic", detail="", time=None)))
            await told.get()
            found.append((await link.report())["overloaded"])
        return found

    assert follow(daemon, script) == [False, True, False]


def test_a_report_on_its_way_when_the_daemon_tells_something_is_asked_for_again(daemon):
    async def script(link, told):
        await come(told)
        await subscribed(daemon)
        early = asyncio.create_task(link.report())
        await until(lambda: {"report": True} in daemon.requests)
        daemon.overloaded = True
        daemon.tell(encode(StatusBody(state="listening", source="Mic", detail="", time=None)))
        await told.get()
        late = await link.report()
        await early
        return late["overloaded"], (await link.report())["overloaded"]

    assert follow(daemon, script) == (True, True)


def test_many_watchers_share_one_connection_which_ends_with_the_last(daemon):
    async def script(link, _):
        def watch():
            return link.feeds.watching("spectrogram", "Mic", Mailbox(2, when_full="drop new"))

        async with watch() as first:
            async with watch() as second:
                kinds = [(await mailbox.get()).kind for mailbox in (first, second)]
                most = daemon.watching["spectrogram"]
            await first.get()
        await until(lambda: daemon.watching["spectrogram"] == 0)
        return kinds, most, link.feeds.watched

    assert follow(daemon, script) == (["spectrogram"] * 2, 1, 0)


def test_watchers_of_a_source_that_is_not_there_are_told(daemon):
    async def script(link, _):
        async with link.feeds.watching("sound", "<b>", Mailbox(2, when_full="drop new")) as mailbox:
            with suppress(MailboxClosed):
                return await mailbox.get()
            return mailbox.reason

    assert "there is no source '<b>'" in follow(daemon, script)


def test_watchers_are_told_when_the_daemon_goes(daemon):
    async def script(link, _):
        async with link.feeds.watching("spectrogram", None, Mailbox(2, when_full="drop new")) as mailbox:
            await mailbox.get()
            daemon.stop()
            with pytest.raises(MailboxClosed):
                while True:
                    await mailbox.get()
        return link.feeds.watched

    assert follow(daemon, script) == 0
