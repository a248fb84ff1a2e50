"""What waits for one reader: few things, and a slow reader loses some or all."""

from __future__ import annotations

import asyncio

import pytest

from detector.web.mailbox import Mailbox, MailboxClosed
from detector.web.seen_events import SeenEvents


def read_all(mailbox):
    """What a reader gets, and why it ends."""

    async def read():
        things = []
        try:
            while True:
                things.append(await mailbox.get())
        except MailboxClosed as error:
            return things, str(error)

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("when_full", "read", "lost"),
    [("drop oldest", [3, 4], 2), ("drop new", [1, 2], 2), ("close", [], 1)],
)
def test_a_full_mailbox_loses_what_it_should(when_full, read, lost):
    mailbox = Mailbox(2, when_full=when_full)
    for thing in (1, 2, 3, 4):
        mailbox.put(thing)
    mailbox.close("the end")
    assert read_all(mailbox) == (read, "read too slowly" if when_full == "close" else "the end")
    assert mailbox.lost == lost


def test_what_waits_is_read_before_the_end():
    mailbox = Mailbox(2, when_full="close")
    mailbox.put(1)
    mailbox.close("the end")
    mailbox.put(2)
    assert read_all(mailbox) == ([1], "the end")


def test_an_event_is_taken_once():
    seen = SeenEvents()
    assert [seq for seq in (7, 8, 8, 7, 9) if seen.take(seq)] == [7, 8, 9]


def test_a_new_generation_may_use_numbers_again():
    seen = SeenEvents()
    seen.meet("a", 0)
    seen.take(9)
    seen.meet("a", 0)
    assert not seen.take(9)
    seen.meet("b", 4)
    assert [seq for seq in (4, 5, 9) if seen.take(seq)] == [5, 9]
