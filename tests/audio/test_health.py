"""A microphone that delivers but does not hear: constant values and clipping, in 10 Hz "recordings"."""

import numpy as np
import pytest

from detector.audio.health import HealthMeter
from detector.records import Block

ROOM = [3, -2, 5, 0, -4]


def healths(*blocks, silent_seconds=3.0, clipping_seconds=2.0, **more):
    meter = HealthMeter(
        sample_rate=10, silent_seconds=silent_seconds, clipping_seconds=clipping_seconds, **more
    )
    start, seen = 0, []
    for samples in blocks:
        seen.append(meter.push(Block(start, np.array(samples, dtype=np.int16))))
        start += len(samples)
    return seen


@pytest.mark.parametrize("value", [0, -7, 32767 // 2])
def test_one_value_for_the_whole_time_is_constant(value):
    assert healths(*[[value] * 10] * 4) == ["sound", "sound", "constant", "constant"]


def test_a_microphone_that_never_delivered_anything_else_may_count_sooner():
    blocks = [[0] * 10] * 3 + [ROOM * 2] + [[0] * 10] * 3
    seen = healths(*blocks, never_heard_seconds=2.0)
    assert seen == ["sound", "constant", "constant", "sound", "sound", "sound", "constant"]


def test_a_single_other_sample_is_sound_and_starts_the_count_anew():
    assert healths([0] * 30, [0] * 9 + [1], [0] * 10, [0] * 20) == ["constant", "sound", "sound", "constant"]


def test_a_jump_from_one_constant_to_another_starts_the_count_anew():
    assert healths([0] * 20, [5] * 20, [5] * 10) == ["sound", "sound", "constant"]


def test_full_scale_now_and_then_is_no_clipping():
    loud = [32767, *ROOM[1:]]
    assert set(healths(*([ROOM] * 9 + [loud]) * 5, clipping_seconds=5.0)) == {"sound"}


@pytest.mark.parametrize("peak", [32767, -32768])
def test_full_scale_all_the_time_is_clipping_until_it_is_over(peak):
    seen = healths(*[[peak, *ROOM[1:]]] * 20, *[ROOM] * 40)
    assert seen[0] == "sound"
    assert seen[19] == "clipped"
    assert seen[-1] == "sound"


def test_an_empty_block_says_nothing():
    assert healths([]) == ["sound"]
