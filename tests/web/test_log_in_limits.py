"""How often a password may be tried, and who is logged in: laws of the counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.web.access.log_in_limits import (
    ALL_TOGETHER,
    MOST_ADDRESSES,
    PER_ADDRESS,
    Allowance,
    LogInLimits,
    network_of,
)
from detector.web.access.sessions import DAY, MOST_SESSIONS, SessionTable
from tests.support.fakes import HandClock

ONE, OTHER = b"one", b"other"


def test_an_address_has_a_few_tries_and_then_one_now_and_then():
    clock = HandClock()
    limits = LogInLimits(clock)
    assert [limits.take("10.0.0.1") for _ in range(PER_ADDRESS.burst)] == [0.0] * PER_ADDRESS.burst
    wait = limits.take("10.0.0.1")
    assert 0 < wait <= PER_ADDRESS.seconds
    assert limits.take("10.0.0.2") == 0
    clock.now += wait
    assert limits.take("10.0.0.1") == 0
    assert limits.take("10.0.0.1") > 0


def test_who_is_told_to_wait_does_not_wait_longer_for_asking():
    clock = HandClock()
    limits = LogInLimits(clock)
    for _ in range(PER_ADDRESS.burst):
        limits.take("10.0.0.1")
    waits = [limits.take("10.0.0.1") for _ in range(50)]
    assert max(waits) <= PER_ADDRESS.seconds


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5000)), max_size=200))
def test_many_addresses_together_make_no_more_tries_than_allowed(steps):
    clock = HandClock(0.0)
    limits = LogInLimits(clock)
    passed = 0
    for seconds, number in steps:
        clock.now += seconds
        passed += limits.take(f"2001:db8:{number:x}::1") == 0
    assert passed <= ALL_TOGETHER.burst + clock() / ALL_TOGETHER.seconds + 1


def test_many_addresses_at_once_share_one_allowance():
    limits = LogInLimits(HandClock())
    waits = [limits.take(f"10.0.0.{number}") for number in range(ALL_TOGETHER.burst + 5)]
    assert waits[: ALL_TOGETHER.burst] == [0.0] * ALL_TOGETHER.burst
    assert min(waits[ALL_TOGETHER.burst :]) > 0


def test_its_memory_is_bounded():
    limits = LogInLimits(HandClock(), all_together=Allowance(10**9, 1.0))
    for number in range(3 * MOST_ADDRESSES):
        limits.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(limits._addresses) == MOST_ADDRESSES


def test_who_knew_the_password_has_all_tries_again():
    limits = LogInLimits(HandClock())
    for _ in range(PER_ADDRESS.burst):
        limits.take("10.0.0.1")
    limits.forgive("10.0.0.1")
    assert limits.take("10.0.0.1") == 0


def test_a_subscriber_with_many_addresses_counts_once():
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1")
    assert network_of("fe80::1%eth0") == network_of("fe80::2%eth0")
    assert len(network_of("x" * 1000)) == 64


def test_a_session_ends_after_its_days_and_with_its_password():
    clock = HandClock()
    table = SessionTable(clock, days=2)
    token = table.open(ONE)
    session = table.find(token, ONE)
    assert session is not None
    assert len(session.csrf) >= 32
    clock.now += 2 * DAY - 1
    assert table.find(token, ONE) is session
    clock.now += 1
    assert table.find(token, ONE) is None
    token = table.open(ONE)
    assert table.find(token, OTHER) is None
    assert table.find(token, ONE) is None


def test_a_session_ends_when_it_is_closed_and_nobody_guesses_one():
    table = SessionTable(HandClock(), days=1)
    token, other = table.open(ONE), table.open(ONE)
    table.close(token)
    assert table.find(token, ONE) is None
    assert table.find(other, ONE) is not None
    for guess in ("", "x", other[:-1], "x" * 100_000, "\ud800"):
        assert table.find(guess, ONE) is None


def test_there_are_so_many_sessions_at_most_and_the_least_used_one_goes():
    table = SessionTable(HandClock(), days=1)
    tokens = [table.open(ONE) for _ in range(MOST_SESSIONS)]
    assert table.find(tokens[0], ONE) is not None
    table.open(ONE)
    assert table.find(tokens[0], ONE) is not None
    assert table.find(tokens[1], ONE) is None
