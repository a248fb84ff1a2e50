"""Laws of conversion: cutting makes no difference, nothing to do changes nothing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.sources.conversion import Converter


def noise(frames, channels=1, seed=0):
    return np.random.default_rng(seed).integers(-32768, 32768, (frames, channels)).astype(np.int16)


def convert(samples, cuts=(), **forms):
    converter = Converter(**forms)
    edges = sorted({0, len(samples), *(cut % (len(samples) + 1) for cut in cuts)})
    parts = [converter.push(samples[a:b]) for a, b in pairwise(edges)]
    return np.concatenate([*parts, converter.flush()])


def tone(rate, hertz=440.0, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


@given(
    rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000]),
    channels=st.integers(1, 3),
    frames=st.integers(1, 4000),
    cuts=st.lists(st.integers(0, 4000), max_size=8),
)
@settings(deadline=None, max_examples=60)
def test_any_cutting_gives_the_same_samples(rate, channels, frames, cuts):
    forms = {"input_rate": rate, "output_rate": 16000, "channels": channels}
    whole, cut = (convert(noise(frames, channels), c, **forms) for c in ((), cuts))
    assert len(whole) == len(cut)
    assert np.abs(whole.astype(int) - cut).max(initial=0) <= 1


@given(frames=st.integers(0, 3000), cuts=st.lists(st.integers(0, 3000), max_size=8))
def test_mono_at_the_wanted_rate_passes_untouched(frames, cuts):
    samples = noise(frames)
    assert np.array_equal(
        convert(samples, cuts, input_rate=16000, output_rate=16000, channels=1), samples[:, 0]
    )


def test_sixteen_bits_survive_the_way_through_float():
    samples = np.arange(-32768, 32768).astype(np.int16)
    got = convert(
        (samples / 32768).astype(np.float32)[:, None], input_rate=16000, output_rate=16000, channels=1
    )
    assert np.array_equal(got, samples)


@given(rate=st.integers(1000, 200_000), frames=st.integers(1, 5000))
@settings(deadline=None, max_examples=60)
def test_the_duration_is_kept(rate, frames):
    got = convert(noise(frames), input_rate=rate, output_rate=16000, channels=1)
    assert abs(len(got) - frames * 16000 / rate) <= 1


@given(left=st.integers(-32768, 32767), right=st.integers(-32768, 32767))
def test_mono_is_the_mean_of_the_channels(left, right):
    samples = np.array([[left, right]] * 5, np.int16)
    got = convert(samples, input_rate=16000, output_rate=16000, channels=2)
    assert np.array_equal(got, np.rint([(left + right) / 2] * 5))


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
def test_a_tone_keeps_its_pitch_and_level_at_any_rate(rate):
    samples = np.rint(10_000 * tone(rate)).astype(np.int16)
    got = convert(samples[:, None], input_rate=rate, output_rate=16000, channels=1)
    middle = slice(2000, 14000)
    assert np.abs(got[middle] - 10_000 * tone(16000)[middle]).max() < 30


def test_what_the_model_cannot_hear_is_filtered_out():
    samples = np.rint(10_000 * tone(48000, hertz=15_000)).astype(np.int16)
    got = convert(samples[:, None], input_rate=48000, output_rate=16000, channels=1)
    assert np.abs(got[2000:14000]).max() < 30


def test_beyond_full_scale_is_clipped_not_wrapped():
    samples = np.array([2.0, 1.0, -1.0, -2.0, 1e38, -1e38], np.float32)[:, None]
    got = convert(samples, input_rate=16000, output_rate=16000, channels=1)
    assert got.tolist() == [32767, 32767, -32768, -32768, 32767, -32768]


def test_a_resampled_square_at_full_scale_does_not_wrap():
    square = np.where(tone(44100, 100.0) >= 0, 32767, -32768).astype(np.int16)
    got = convert(square[:, None], input_rate=44100, output_rate=16000, channels=1).astype(int)
    assert got.reshape(-1, 160)[:, 20:60].min() > 20_000


def test_not_a_number_and_infinity_become_silence_and_are_counted():
    converter = Converter(input_rate=16000, output_rate=16000, channels=2)
    samples = np.array([[np.nan, 0.5], [np.inf, -np.inf], [0.5, 0.5]], np.float32)
    assert converter.push(samples).tolist() == [8192, 0, 16384]
    assert converter.non_finite == 3


def test_one_infinite_sample_does_not_spoil_its_neighbours_when_resampling():
    samples = np.zeros((8000, 1), np.float32)
    samples[4000] = np.inf
    assert not convert(samples, input_rate=8000, output_rate=16000, channels=1).any()


def test_held_sound_is_the_resamplers_look_ahead():
    converter = Converter(input_rate=48000, output_rate=16000, channels=1)
    got = len(converter.push(noise(4800)))
    assert converter.held_seconds == pytest.approx(0.1 - got / 16000)
    converter.flush()
    assert converter.held_seconds == 0


def test_after_a_flush_the_stream_begins_anew():
    converter = Converter(input_rate=48000, output_rate=16000, channels=1)
    first = np.concatenate([converter.push(noise(4800)), converter.flush()])
    again = np.concatenate([converter.push(noise(4800)), converter.flush()])
    assert np.array_equal(first, again)
