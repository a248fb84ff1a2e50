"""What waits for a target: which is tried when, and that each notice ends in one count."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from detector.sinks.notify.notices import trial_notice as make_notice
from detector.sinks.notify.retry_queue import (
    BREAKER_FAILURES,
    BREAKER_SECONDS,
    MAX_AGE_SECONDS,
    MOST_WAITING,
    Attempt,
    RetryQueue,
)

OK = Attempt(True, "204")
AGAIN = Attempt(False, "503", again=True)
REFUSED = Attempt(False, "404")


def notice(number=0):
    return make_notice(("phone",), str(number), datetime(2026, 11, 28))


def queue_of(count=1):
    queue = RetryQueue("phone")
    for number in range(count):
        queue.put(notice(number), 0)
    return queue


def attempt(queue, outcome, now):
    taken = queue.take(now)
    if taken is not None:
        queue.settle(outcome, now)
    return taken and taken.key


def test_notices_are_tried_in_order():
    queue = queue_of(2)
    assert [attempt(queue, OK, 0), attempt(queue, OK, 0), queue.take(0)] == ["0", "1", None]
    assert queue.counts.sent == 2 and queue.wait_seconds(0) is None


def test_one_that_fails_waits_longer_each_time_and_lets_others_pass():
    queue = queue_of(2)
    assert attempt(queue, AGAIN, 0) == "0"
    assert attempt(queue, OK, 0) == "1"
    assert queue.take(0.9) is None and queue.wait_seconds(0.9) > 0
    assert attempt(queue, AGAIN, 1) == "0"
    assert queue.take(2.9) is None
    assert attempt(queue, OK, 3) == "0"
    assert (queue.counts.sent, queue.counts.retries) == (2, 2)


def test_one_that_is_refused_is_not_tried_again():
    queue = queue_of()
    attempt(queue, REFUSED, 0)
    assert queue.take(1000) is None
    assert (queue.counts.failed, queue.counts.working, queue.counts.detail) == (1, False, "404")


def test_a_target_that_asks_for_a_pause_gets_it():
    queue = queue_of(2)
    attempt(queue, Attempt(False, "429", again=True, pause_seconds=90), 0)
    assert queue.take(89) is None and queue.wait_seconds(0) == 90
    assert attempt(queue, OK, 90) is not None


def test_a_target_that_fails_again_and_again_is_left_alone_then_tried_with_one():
    queue = queue_of(BREAKER_FAILURES + 1)
    for _ in range(BREAKER_FAILURES):
        assert attempt(queue, AGAIN, 0) is not None
    assert queue.is_broken and queue.take(BREAKER_SECONDS - 1) is None
    assert attempt(queue, AGAIN, BREAKER_SECONDS) is not None
    assert queue.take(BREAKER_SECONDS + 1) is None
    assert attempt(queue, OK, 2 * BREAKER_SECONDS) is not None
    assert not queue.is_broken


def test_what_is_too_old_is_given_up():
    queue = queue_of()
    attempt(queue, AGAIN, 0)
    assert queue.take(MAX_AGE_SECONDS) is None
    assert (queue.counts.expired, queue.counts.pending) == (1, 0)


def test_the_oldest_makes_room():
    queue = queue_of(MOST_WAITING + 3)
    assert (queue.counts.dropped, queue.counts.pending) == (3, MOST_WAITING)
    assert attempt(queue, OK, 0) == "3"


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.integers(0, 40), st.sampled_from([None, OK, AGAIN, REFUSED])),
        max_size=60,
    )
)
def test_each_notice_ends_in_one_count(steps):
    queue, now, put = RetryQueue("phone"), 0.0, 0
    for pause, more, outcome in steps:
        now += pause
        for _ in range(more):
            queue.put(notice(put), now)
            put += 1
        if outcome is not None:
            attempt(queue, outcome, now)
        counts = queue.counts
        gone = counts.sent + counts.failed + counts.expired + counts.dropped
        assert put == gone + counts.pending and counts.pending <= MOST_WAITING
        wait = queue.wait_seconds(now)
        assert (wait is None) == (counts.pending == 0)
    queue.close()
    counts = queue.counts
    assert put == counts.sent + counts.failed + counts.expired + counts.dropped
