"""Several channels to one: what sounds in any of them is heard, whatever the others do."""

import numpy as np
import pytest

from detector.sources.downmix import Downmix

RATE = 16000


def noise(seconds=1.0, seed=1):
    return np.random.default_rng(seed).normal(0, 0.1, round(RATE * seconds)).astype(np.float32)


def mixed(*channels):
    downmix = Downmix(sample_rate=RATE, channels=len(channels))
    return downmix.push(np.stack(channels, axis=1)), downmix.fault


def rms(samples):
    return float(np.sqrt(np.mean(np.square(samples[RATE // 10 :]))))


def test_channels_that_agree_are_averaged():
    left = noise()
    right = left + noise(seed=2) / 4
    got, fault = mixed(left, right)
    assert np.allclose(got, (left + right) / 2)
    assert fault == ""


@pytest.mark.parametrize("channels", [2, 6, 16])
def test_channels_that_have_nothing_in_common_are_averaged(channels):
    sounds = [noise(seed=seed) for seed in range(channels)]
    got, fault = mixed(*sounds)
    assert np.allclose(got, np.mean(sounds, axis=0), atol=1e-6)
    assert fault == ""


@pytest.mark.parametrize("louder", [1.0, 0.9])
def test_antiphase_is_heard(louder):
    sound = noise()
    got, fault = mixed(sound, -louder * sound)
    assert rms(got) == pytest.approx(rms(sound), rel=0.01)
    assert "antiphase" in fault


@pytest.mark.parametrize(("channels", "live"), [(2, 0), (2, 1), (16, 5)])
def test_dead_channels_cost_no_level(channels, live):
    sounds = [np.zeros(RATE, np.float32)] * channels
    sounds[live] = noise()
    got, fault = mixed(*sounds)
    assert rms(got) == pytest.approx(rms(sounds[live]), rel=0.01)
    assert "silent and left out" in fault


@pytest.mark.parametrize(
    ("quieter", "told"), [(1000, "silent and left out"), (100, "channel 4 is far louder than the other 15")]
)
def test_one_live_channel_among_noisy_ones_is_heard(quieter, told):
    sounds = [noise(seed=seed) / quieter for seed in range(16)]
    sounds[3] = noise()
    got, fault = mixed(*sounds)
    assert rms(got) == pytest.approx(rms(sounds[3]), rel=0.05)
    assert told in fault


def test_noise_of_many_channels_is_no_antiphase():
    """Sixteen microphones, one of which is a little louder: their mean is 12 dB quieter than each."""
    sounds = [noise(seed=seed) for seed in range(16)]
    sounds[3] *= 2
    got, fault = mixed(*sounds)
    assert np.allclose(got, np.mean(sounds, axis=0), atol=1e-6)
    assert fault == ""


def test_silence_has_no_fault():
    assert mixed(*[np.zeros(RATE, np.float32)] * 2)[1] == ""


def test_how_the_stream_is_cut_makes_no_difference():
    sound = noise()
    stereo = np.stack([sound, -sound], axis=1)
    whole = Downmix(sample_rate=RATE, channels=2).push(stereo)
    cut = Downmix(sample_rate=RATE, channels=2)
    parts = [cut.push(part) for part in np.array_split(stereo, 97)]
    assert np.allclose(np.concatenate(parts), whole, atol=1e-6)
