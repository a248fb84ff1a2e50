"""Losses told from a clock: reads as (time they ended [s], frames), at 1000 Hz in reads of 100."""

from hypothesis import given
from hypothesis import strategies as st

from detector.sources.lateness import Lateness

RATE = 1000


def lost(ends):
    lateness = Lateness(rate=RATE)
    return [lateness.lost(end, 100) for end in ends]


def test_steady_reads_lose_nothing():
    assert sum(lost([0.1 * i for i in range(1000)])) == 0


@given(st.lists(st.floats(0, 0.045), min_size=50, max_size=100))
def test_jitter_is_no_loss(jitter):
    assert sum(lost([0.1 * i + late for i, late in enumerate(jitter)])) == 0


def test_a_reader_held_up_that_catches_up_lost_nothing():
    on_time = [0.1 * i for i in range(20)]
    burst = [3.4 + 0.001 * i for i in range(14)]
    after = [0.1 * i for i in range(34, 100)]
    assert sum(lost(on_time + burst + after)) == 0


def test_reads_that_stay_late_mean_a_loss_of_that_length():
    ends = [0.1 * i for i in range(20)] + [0.1 * i + 0.7 for i in range(20, 60)]
    losses = lost(ends)
    assert abs(sum(losses) - 700) < 5
    assert sum(loss > 0 for loss in losses) == 1


def test_a_loss_is_found_within_a_second():
    losses = lost([0.1 * i for i in range(20)] + [0.1 * i + 0.3 for i in range(20, 30)])
    assert sum(losses) > 0


def test_a_slow_first_read_is_no_loss():
    assert sum(lost([1.9, 1.9001] + [1.8 + 0.1 * i for i in range(2, 100)])) == 0


def test_bursts_of_a_large_device_buffer_are_no_loss():
    ends = [0.3 * (i // 3) for i in range(300)]
    assert sum(lost(ends)) == 0


@given(st.floats(-0.0009, 0.0009))
def test_a_devices_crystal_may_be_off(error):
    assert sum(lost([0.1 * i * (1 + error) for i in range(10_000)])) == 0
