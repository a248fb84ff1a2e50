"""Laws of the level meter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.level import FLOOR_DBFS, LevelMeter
from detector.records import Block, Span

RATES = (8000, 16000, 22050, 32000, 44100, 48000)


def meter(rate=16000):
    return LevelMeter(sample_rate=rate, frame_length=round(rate * 0.03))


def tone(hertz, dbfs, rate=16000, seconds=0.3):
    """A sine whose mean square is `dbfs`, as int16."""
    t = np.arange(round(rate * seconds)) / rate
    amplitude = 32768 * np.sqrt(2) * 10 ** (dbfs / 20)
    return np.round(amplitude * np.sin(2 * np.pi * hertz * t)).astype(np.int16)


def levels(samples, rate=16000):
    length = round(rate * 0.03)
    under_test = meter(rate)
    return [
        under_test.measure(Block(at, samples[at : at + length]))
        for at in range(0, len(samples) - length + 1, length)
    ]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("dbfs", [-20, -40, -60])
def test_a_tone_measures_its_mean_square_at_every_rate(rate, dbfs):
    assert levels(tone(1000, dbfs, rate), rate)[2].dbfs == pytest.approx(dbfs, abs=0.3)


@pytest.mark.parametrize(("hertz", "band"), [(300, 0), (1000, 1), (2500, 2), (5000, 3)])
def test_a_tone_is_heard_in_its_own_band_only(hertz, band):
    bands = 10 * np.log10(levels(tone(hertz, -20))[1].bands)
    assert bands[band] == pytest.approx(-20, abs=0.5)
    assert max(other for i, other in enumerate(bands) if i != band) < -50


def test_white_noise_measures_the_share_of_its_power_that_lies_in_the_band():
    noise = np.random.default_rng(1).normal(0, 1000, 16000 * 5).astype(np.int16)
    mean_power = np.mean([10 ** (level.dbfs / 10) for level in levels(noise)])
    in_band = (7500 - 125) / 8000
    assert 10 * np.log10(mean_power) == pytest.approx(
        20 * np.log10(1000 / 32768) + 10 * np.log10(in_band), abs=0.2
    )


def test_rumble_below_the_band_hardly_counts():
    assert levels(tone(30, -20))[1].dbfs < -35


def test_digital_silence_is_the_floor_and_not_an_error():
    silent = levels(np.zeros(960, np.int16))
    assert [level.dbfs for level in silent] == [FLOOR_DBFS, FLOOR_DBFS]
    assert silent[1].bands == (0.0,) * 4
    assert silent[1].flux == 0


def test_full_scale_does_not_overflow():
    square = np.where(np.arange(4800) // 8 % 2, 32767, -32768).astype(np.int16)
    assert -3 < levels(square)[1].dbfs <= 0


def test_flux_rises_where_sound_begins_and_not_where_it_ends():
    samples = np.concatenate(
        (np.zeros(960, np.int16), tone(1000, -20, seconds=0.06), np.zeros(960, np.int16))
    )
    flux = [level.flux for level in levels(samples)]
    assert flux[2] > 2
    assert flux[4] == 0


def test_flux_is_not_measured_across_a_gap():
    under_test, loud = meter(), tone(1000, -20, seconds=0.03)
    under_test.measure(Block(0, np.zeros(480, np.int16)))
    assert under_test.measure(Block(48000, loud)).flux == 0


def test_a_click_between_two_frames_is_not_lost():
    samples = np.zeros(1440, np.int16)
    samples[470:490] = 20000
    middle = np.zeros(1440, np.int16)
    middle[230:250] = 20000
    loudest = max(level.dbfs for level in levels(samples))
    assert loudest > max(level.dbfs for level in levels(middle)) - 35


def test_the_span_is_the_frame():
    assert meter().measure(Block(960, np.zeros(480, np.int16))).span == Span(960, 1440)


@given(st.integers(0, 2**32 - 1))
def test_the_same_frames_measure_bit_equal(seed):
    samples = np.random.default_rng(seed).integers(-3000, 3000, 1440).astype(np.int16)
    shifted = np.concatenate((np.zeros(1, np.int16), samples))[1:]  # the same numbers at another alignment
    assert levels(samples) == levels(shifted)


def test_a_rate_that_cannot_hold_the_bands_is_refused():
    with pytest.raises(ValueError, match="8000"):
        LevelMeter(sample_rate=6000, frame_length=180)
