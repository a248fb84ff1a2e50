"""Laws of the slow gain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.gain import Gain
from detector.audio.level import Level, LevelMeter
from detector.records import Block, Span

FRAME = 480


def level(i, dbfs):
    return Level(Span(i * FRAME, (i + 1) * FRAME), dbfs, (0.0,) * 4, 0.0)


def gains(dbfs, gain=None):
    """The gain after each frame of these levels, all bands of which are silent."""
    gain = gain or Gain(frame_length=FRAME, sample_rate=16000)
    return [_pushed(gain, level(i, value)) for i, value in enumerate(dbfs)]


def gains_in(samples):
    """The gain after each frame of this sound, full scale 1."""
    meter = LevelMeter(sample_rate=16000, frame_length=FRAME)
    gain = Gain(frame_length=FRAME, sample_rate=16000)
    whole = (samples * 32768).round().astype(np.int16)
    starts = range(0, len(whole) - FRAME + 1, FRAME)
    return [_pushed(gain, meter.measure(Block(at, whole[at : at + FRAME]))) for at in starts]


def noise(slope, dbfs, seconds):
    """Noise of this mean square, its amplitude going with frequency to the power `slope`."""
    n = round(seconds * 16000)
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(n))
    wave = np.fft.irfft(spectrum * np.maximum(np.fft.rfftfreq(n, 1 / 16000), 20) ** slope, n)
    return wave * 10 ** (dbfs / 20) / np.sqrt(np.mean(wave**2))


def test_loud_sound_is_left_alone():
    assert max(gains([-60.0] * 3 + [-20.0] * 300)[5:]) == 0


def test_a_quiet_sound_over_a_quieter_background_reaches_the_target():
    assert gains([-90.0] * 30 + [-60.0] * 10)[-1] == pytest.approx(36, abs=0.1)


def test_a_sudden_sound_is_raised_within_a_tenth_of_a_second():
    assert gains([-90.0] * 3 + [-60.0] * 3)[-1] > 30


def test_digital_silence_is_no_error():
    assert 0 <= gains_in(np.zeros(16000))[-1] <= 40


@pytest.mark.parametrize("dbfs", [-80, -70, -60, -50])
@pytest.mark.parametrize("slope", [0.0, -0.5, -1.0])
def test_stationary_noise_is_not_raised_above_its_limit(slope, dbfs):
    samples = noise(slope, dbfs, 20)
    spectrum = np.square(np.abs(np.fft.rfft(samples)))
    share = spectrum[125 * 20 : 7500 * 20].sum() / spectrum.sum()  # of its power, in the band that counts
    in_band = dbfs + 10 * np.log10(share)
    assert in_band + max(gains_in(samples)) < max(-50, in_band + 1)


def test_unsteady_sound_without_any_background_gets_the_whole_gain():
    """Like rain: noise at -64 dBFS that flickers by 2 dB."""
    flicker = np.repeat(10 ** (np.random.default_rng(7).normal(0, 2, 667) / 20), 480)[: 16000 * 20]
    assert gains_in(noise(0.0, -64, 20) * flicker)[-1] > 28


def test_a_loud_sound_keeps_the_gain_down_for_ten_seconds_and_no_longer():
    after = gains([-70.0] * 30 + [-30.0] * 10 + [-70.0] * 400)
    assert max(after[36:370]) == pytest.approx(6, abs=0.1)
    assert after[-1] == pytest.approx(15, abs=0.1)


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


def _pushed(gain: Gain, item: Level) -> float:
    gain.push(item)
    return gain.current()
