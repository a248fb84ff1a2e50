"""The device's states: every pair is answered, and the promises of the table hold."""

import itertools

import pytest

from detector.service.device_state import (
    DETAIL,
    RETRY_LONGEST_SECONDS,
    DeviceState,
    Sign,
    next_state,
    retry_seconds,
)

S = DeviceState
LIVING = [S.OPENING, S.LISTENING, S.SILENT, S.CLIPPING, S.LOST]


@pytest.mark.parametrize(("state", "sign"), list(itertools.product(S, Sign)))
def test_every_sign_in_every_state_gives_a_state(state, sign):
    assert next_state(state, sign) in S


@pytest.mark.parametrize("state", LIVING)
def test_sound_means_listening_whatever_was_before(state):
    assert next_state(state, Sign.SOUND) is S.LISTENING


@pytest.mark.parametrize("state", LIVING)
def test_a_device_that_fails_is_lost_and_one_that_stalls_hangs(state):
    assert next_state(state, Sign.FAILED) is S.LOST
    assert next_state(state, Sign.STALLED) is S.HUNG


@pytest.mark.parametrize("sign", [sign for sign in Sign if sign is not Sign.END])
def test_nothing_but_the_end_follows_on_a_hang(sign):
    assert next_state(S.HUNG, sign) is S.HUNG


@pytest.mark.parametrize("sign", Sign)
def test_stopped_is_the_end(sign):
    assert next_state(S.STOPPED, sign) is S.STOPPED


def test_people_are_told_something_in_every_state_that_is_not_well():
    well = {S.LISTENING, S.STOPPED}
    assert {state for state in S if not DETAIL[state]} == well


def test_retries_double_up_to_a_limit_that_leaves_time_to_be_back_within_5_seconds():
    waits = [retry_seconds(attempt) for attempt in range(6)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    assert retry_seconds(10**6) == RETRY_LONGEST_SECONDS
