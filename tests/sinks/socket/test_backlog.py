"""A subscriber gets every message once and in order, or is told how many it lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.interfaces import Message
from detector.records import Label
from detector.sinks.socket.backlog import BATCH_BYTES, Backlog, Subscription
from detector.wire.encoding import encode
from detector.wire.message import StatusBody
from detector.wire.request import Filter, Request
from tests.support.wire_messages import make_message

DOGS = Filter(labels=frozenset({"dog"}))


def event(seq, label="Dog"):
    return make_message(seq, label=Label(label, "", ""), top_score=1.0)


def status(state):
    return encode(StatusBody(state=state, source="Mic", time=None))


def append(backlog, subscription, message: Message):
    oldest = backlog.first
    evicted = backlog.append(message)
    if evicted is not None:
        subscription.evict(oldest, evicted)


def read(subscription):
    """All that is to be sent now: seqs, and states of status messages."""
    lines = b"".join(iter(subscription.take, b"")).splitlines()
    return [fields.get("seq", fields.get("state")) for fields in map(json.loads, lines)]


def kept(backlog):
    """The seqs of the events in memory."""
    return {backlog[index].seq for index in range(backlog.first, backlog.stop)} - {None}


def filled(count, length=10):
    backlog = Backlog(length)
    for seq in range(1, count + 1):
        backlog.append(event(seq))
    return backlog


def test_a_subscription_begins_with_the_next_message():
    backlog = filled(3)
    subscription = Subscription(backlog)
    assert read(subscription) == []
    for message in (event(4), status("muted"), event(5)):
        append(backlog, subscription, message)
    assert read(subscription) == [4, "muted", 5]
    assert read(subscription) == []


def test_the_history_knows_its_newest_and_oldest_event_and_the_state():
    backlog = Backlog(3)
    assert (backlog.seq, backlog.oldest_seq, backlog.state) == (0, None, "")
    for message in (event(1), status("listening"), event(2), event(3)):
        backlog.append(message)
    assert (backlog.seq, backlog.oldest_seq, backlog.state) == (3, 2, "listening")


def test_the_backlog_gives_what_it_still_has_and_nothing_else():
    backlog = filled(5, length=3)
    assert [backlog[index].seq for index in range(2, 5)] == [3, 4, 5]
    for index in (1, 5):
        with pytest.raises(IndexError):
            backlog[index]


def test_the_backlog_knows_the_newest_event_that_it_does_not_have():
    backlog = Backlog(3, before=7)
    assert backlog.gone_seq == 7
    gone = []
    for message in (event(10), event(11), status("muted"), event(12), event(13)):
        backlog.append(message)
        gone.append(backlog.gone_seq)
    assert gone == [9, 9, 9, 10, 11]


def test_since_replays_events_and_then_goes_on_live():
    backlog = filled(3)
    backlog.append(status("muted"))
    subscription = Subscription(backlog)
    subscription.apply(Request(since=1))
    append(backlog, subscription, event(4))
    append(backlog, subscription, status("listening"))
    assert read(subscription) == [2, 3, 4, "listening"]


def test_since_asked_for_late_repeats_nothing_that_was_sent():
    backlog = filled(3)
    subscription = Subscription(backlog)
    append(backlog, subscription, event(4))
    assert read(subscription) == [4]
    append(backlog, subscription, event(5))
    subscription.apply(Request(since=0))
    append(backlog, subscription, event(6))
    assert read(subscription) == [1, 2, 3, 5, 6]


def test_who_is_overtaken_is_told_how_much_of_what_it_wanted_is_lost():
    backlog = Backlog(4)
    subscription = Subscription(backlog)
    subscription.apply(Request(DOGS))
    for seq in range(1, 11):
        append(backlog, subscription, event(seq, "Dog" if seq % 2 else "Cat"))
    assert subscription.take_dropped() == 3  # 1, 3 and 5 of the 6 that had to go
    assert subscription.take_dropped() == 0
    assert read(subscription) == [7, 9]


def test_a_batch_ends_soon_after_its_bound():
    backlog = filled(5000, length=5000)
    subscription = Subscription(backlog)
    subscription.apply(Request(since=0))
    append(backlog, subscription, event(5001))
    batches = list(iter(subscription.take, b""))
    assert len(batches) > 2
    assert max(map(len, batches)) < BATCH_BYTES + len(event(5001).line)


def test_a_batch_that_subscribers_share_ends_soon_after_its_bound_too():
    backlog = Backlog(5000)
    subscription = Subscription(backlog)
    for seq in range(1, 5001):
        append(backlog, subscription, event(seq))
    batches = list(iter(subscription.take, b""))
    assert len(batches) > 2
    assert max(map(len, batches)) < BATCH_BYTES + len(event(5000).line)


def test_during_a_replay_no_event_is_lost_but_a_status_is():
    """Events come from the archive however far the backlog moves on; a status is nowhere else."""
    backlog = filled(5, length=3)
    subscription = Subscription(backlog)
    subscription.apply(Request(since=0))
    subscription.begin_replay()
    for message in (event(6), status("muted"), event(7), event(8), event(9), event(10)):
        append(backlog, subscription, message)
    assert subscription.take_dropped() == 1
    subscription.end_replay(7)
    assert read(subscription) == [8, 9, 10]


def test_a_replay_does_not_repeat_the_one_event_that_was_sent_and_is_the_oldest_kept():
    backlog = filled(2, length=2)
    subscription = Subscription(backlog)
    append(backlog, subscription, event(3))
    assert read(subscription) == [3]
    append(backlog, subscription, event(4))
    subscription.apply(Request(since=0))
    subscription.begin_replay()
    assert [seq for seq in range(1, 5) if subscription.passes(event(seq))] == [1, 2, 4]


@given(
    st.integers(1, 8),
    st.lists(
        st.one_of(
            st.sampled_from(["Dog", "Cat", "status", "take"]),
            st.tuples(st.sampled_from([Filter(), DOGS]), st.none() | st.integers(0, 20)),
        ),
        max_size=60,
    ),
    st.integers(0, 12),
)
def test_every_wanted_event_comes_once_or_is_counted(length, steps, before):
    """However publishing, reading and one request are interleaved."""
    backlog = filled(before, length)
    subscription = Subscription(backlog)
    remembered = kept(backlog)
    expected, got, dropped, seq, asked, wanted = [], [], 0, before, False, Filter()
    for step in steps:
        if step == "take":
            got += read(subscription)
        elif isinstance(step, tuple):
            if asked:
                continue
            asked, (wanted, since) = True, step
            got += read(subscription)
            dropped += subscription.take_dropped()
            subscription.apply(Request(wanted, since))
            if since is not None:  # all of them are dogs
                expected += [n for n in remembered & kept(backlog) if n > since]
        elif step == "status":
            append(backlog, subscription, status("muted"))
        else:
            seq += 1
            append(backlog, subscription, event(seq, step))
            if wanted is not DOGS or step == "Dog":
                expected.append(seq)
    got += read(subscription)
    dropped += subscription.take_dropped()
    events = [item for item in got if isinstance(item, int)]
    statuses_lost = steps.count("status") - (len(got) - len(events))
    assert len(set(events)) == len(events)
    assert set(events) <= set(expected)
    assert dropped == len(expected) - len(events) + statuses_lost
