"""The device's states: every pair is answered, and the promises of the table hold."""

import itertools

import pytest

from detector.service.device_state import (
    DETAIL,
    RETRY_LONGEST_SECONDS,
    DeviceObservation,
    DeviceState,
    next_state,
    retry_seconds,
)

S = DeviceState
LIVING = [S.OPENING, S.WAITING, S.LISTENING, S.SILENT, S.CLIPPING, S.PAUSED, S.LOST]


@pytest.mark.parametrize(("state", "observation"), list(itertools.product(S, DeviceObservation)))
def test_every_sign_in_every_state_gives_a_state(state, observation):
    assert next_state(state, observation) in S


@pytest.mark.parametrize("state", LIVING)
def test_sound_means_listening_whatever_was_before(state):
    assert next_state(state, DeviceObservation.SOUND) is S.LISTENING


@pytest.mark.parametrize("state", LIVING)
def test_a_device_that_fails_is_lost_and_one_that_stalls_hangs(state):
    never_there = state in (S.OPENING, S.WAITING)
    assert next_state(state, DeviceObservation.FAILED) is (S.WAITING if never_there else S.LOST)
    assert next_state(state, DeviceObservation.STALLED) is S.HUNG


@pytest.mark.parametrize(
    "observation",
    [seen for seen in DeviceObservation if seen is not DeviceObservation.END],
)
def test_nothing_but_the_end_follows_on_a_hang(observation):
    assert next_state(S.HUNG, observation) is S.HUNG


@pytest.mark.parametrize("observation", DeviceObservation)
def test_stopped_is_the_end(observation):
    assert next_state(S.STOPPED, observation) is S.STOPPED


@pytest.mark.parametrize("state", LIVING)
def test_a_pause_is_seen_whatever_was_before(state):
    assert next_state(state, DeviceObservation.PAUSED) is S.PAUSED


def test_people_are_told_something_in_every_state_that_is_not_well():
    well = {S.LISTENING, S.STOPPED}
    assert {state for state in S if not DETAIL[state]} == well


def test_retries_double_up_to_a_limit_that_leaves_time_to_be_back_within_5_seconds():
    waits = [retry_seconds(attempt) for attempt in range(6)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    assert retry_seconds(10**6) == RETRY_LONGEST_SECONDS
