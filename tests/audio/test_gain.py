"""Laws of the slow gain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.gain import Gain
from detector.audio.level import Level
from detector.records import Span

FRAME = 480


def gains(dbfs, gain=None):
    """The gain after each frame of these levels."""
    gain = gain or Gain(frame_length=FRAME, sample_rate=16000)
    return [
        gain.push(Level(Span(i * FRAME, (i + 1) * FRAME), value, (0.0,) * 4, 0.0))
        for i, value in enumerate(dbfs)
    ]


def test_loud_sound_is_left_alone():
    assert max(gains([-60.0] * 3 + [-20.0] * 300)[5:]) == 0


def test_a_quiet_sound_over_a_quieter_background_reaches_the_target():
    assert gains([-90.0] * 30 + [-60.0] * 10)[-1] == pytest.approx(30, abs=0.1)


def test_a_sound_that_starts_the_stream_is_raised_within_a_second():
    assert gains([-90.0] * 3 + [-60.0] * 20)[-1] > 20


@pytest.mark.parametrize("dbfs", [-80.0, -70.0, -60.0, -50.0, -40.0])
def test_stationary_background_is_not_raised_above_its_limit(dbfs):
    levels = np.random.default_rng(0).normal(dbfs, 0.7, 1000).tolist()
    assert max(level + gain for level, gain in zip(levels, gains(levels), strict=True)) < max(-47, dbfs + 3)


def test_a_loud_sound_keeps_the_gain_down_for_ten_seconds_and_no_longer():
    levels = [-70.0] * 30 + [-30.0] * 10 + [-70.0] * 400
    after = gains(levels)
    assert max(after[36:370]) == 0
    assert after[-1] > 10


@given(st.lists(st.floats(-120, 0), min_size=1, max_size=400))
def test_always_within_its_bounds(levels):
    assert all(
        0 <= gain <= 25 for gain in gains(levels, Gain(frame_length=FRAME, sample_rate=16000, max_gain_db=25))
    )


@given(st.lists(st.floats(-120, 0), min_size=1, max_size=50))
def test_after_a_reset_it_is_as_new(levels):
    gain = Gain(frame_length=FRAME, sample_rate=16000)
    first = gains(levels, gain)
    gain.reset()
    assert gains(levels, gain) == first


def test_it_forgets_as_exactly_as_it_learnt():
    """Ten seconds of anything leave no trace of what came before."""
    rng = np.random.default_rng(3)
    recent = rng.uniform(-90, -20, 337).tolist()
    assert gains(rng.uniform(-90, -20, 700).tolist() + recent)[-1] == gains(recent)[-1]
