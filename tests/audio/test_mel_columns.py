"""Columns of the live spectrogram: the same for every cutting, and in decibels of the band."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.logmel import LogMelParams, mel_weights
from detector.audio.mel_columns import BANDS, LOW_HERTZ, ColumnStream, MelColumns
from detector.records import Block
from tests.support.fakes import cut

RATE = 16000
COLUMNS = MelColumns(sample_rate=RATE)
NOISE = np.random.default_rng(5).normal(0, 2000, 2 * RATE).astype(np.int16)


def sine(hertz, amplitude=32767.0, rate=RATE):
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype(np.int16)


def decibels(columns):
    return columns / 2 - 120


def centre(band, rate=RATE):
    """The frequency at which a band has its greatest weight [Hz]."""
    params = LogMelParams(rate, 1, 1, 8192, BANDS, LOW_HERTZ, 8000.0, 0.0)
    return np.argmax(mel_weights(params)[:, band]) * rate / 8192


@pytest.mark.parametrize("band", [4, 20, 40, 62])
@pytest.mark.parametrize("rate", [16000, 32000])
def test_a_full_scale_sine_in_the_middle_of_a_band_shows_there_with_its_level(band, rate):
    columns = MelColumns(sample_rate=rate)(sine(centre(band, rate), rate=rate))
    assert columns.shape == (19, BANDS)
    assert (columns.argmax(axis=1) == band).all()
    # -3 dB of the sine; a low band is hardly wider than what 64 ms can tell apart
    assert decibels(columns[:, band]) == pytest.approx(-3.5 if band > 10 else -4.5, abs=1.5)


def test_ten_decibels_are_twenty_steps():
    loud, quiet = (
        COLUMNS(sine(centre(20), amplitude))[:, 20].astype(int) for amplitude in (20000, 2000 * 10**0.5)
    )
    assert np.abs(loud - quiet - 20).max() <= 1


def test_silence_is_zero_and_too_few_samples_are_no_column():
    assert not COLUMNS(np.zeros(RATE, np.int16)).any()
    assert COLUMNS(np.zeros(COLUMNS.frame - 1, np.int16)).shape == (0, BANDS)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5000))
def test_any_cutting_gives_the_same_columns(length):
    stream = ColumnStream(COLUMNS, together=2)
    ready = [pair for block in cut(NOISE, length, start=77) for pair in stream.push(block)]
    whole = COLUMNS(NOISE)
    got = np.concatenate([columns for _, columns in ready])
    assert len(got) == len(whole) - len(whole) % 2
    assert (got == whole[: len(got)]).all()
    first, hop = 77 + COLUMNS.frame + COLUMNS.hop, COLUMNS.hop
    assert [stop for stop, _ in ready] == [first + 2 * hop * n for n in range(len(ready))]


def test_behind_a_gap_the_columns_begin_anew():
    stream = ColumnStream(COLUMNS, together=2)
    stream.push(Block(0, NOISE[:1500]))
    ready = stream.push(Block(50_000, NOISE[:4000]))
    assert [stop for stop, _ in ready] == [50_000 + COLUMNS.frame + n * COLUMNS.hop for n in (1, 3)]
    assert (ready[0][1] == COLUMNS(NOISE)[:2]).all()
