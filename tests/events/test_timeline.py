"""Samples become times of day, by a clock that may be late, drift or be set."""

import pytest

from detector.events.timeline import STEP_SECONDS, Timeline

NOON = 1_785_585_600.0
RATE = 16000


def timeline():
    return Timeline(sample_rate=RATE, start=NOON)


def test_without_a_clock_samples_count_from_the_start():
    assert timeline().utc(RATE * 3) == NOON + 3


def test_samples_before_the_stream_lie_before_the_start():
    assert timeline().utc(-RATE) == NOON - 1


def test_the_first_observation_is_believed():
    line = timeline()
    line.observe(RATE, NOON + 1.4)
    assert line.utc(RATE) == pytest.approx(NOON + 1.4)


def test_a_read_that_comes_late_hardly_counts():
    line = timeline()
    line.observe(RATE, NOON + 1)
    line.observe(RATE * 2, NOON + 2.5)
    assert line.utc(RATE * 2) == pytest.approx(NOON + 2, abs=0.001)


def test_an_earlier_read_is_believed_since_none_can_come_early():
    line = timeline()
    line.observe(RATE, NOON + 1)
    line.observe(RATE * 2, NOON + 1.9)
    assert line.utc(RATE * 2) == pytest.approx(NOON + 1.9)


@pytest.mark.parametrize("step", [-3600.0, STEP_SECONDS + 0.5, 3600.0])
def test_a_clock_that_is_set_is_followed_at_once(step):
    line = timeline()
    line.observe(RATE, NOON + 1)
    line.observe(RATE * 2, NOON + 2 + step)
    assert line.utc(RATE * 2) == pytest.approx(NOON + 2 + step)


@pytest.mark.parametrize("drift", [-100e-6, 100e-6])
def test_a_sound_card_that_runs_off_is_followed_for_days(drift):
    line, block = timeline(), RATE // 8
    worst = 0.0
    for n in range(1, 20_000):
        true = NOON + n / 8 * (1 + drift)
        line.observe(n * block, true)
        worst = max(worst, abs(line.utc(n * block) - true))
    assert worst < 0.1


def test_a_loss_of_samples_does_not_shift_the_clock():
    """Indices run on over what is lost, so the times agree before and after."""
    line = timeline()
    line.observe(RATE, NOON + 1)
    line.observe(RATE * 60, NOON + 60)
    assert line.utc(RATE * 60) == pytest.approx(NOON + 60)
