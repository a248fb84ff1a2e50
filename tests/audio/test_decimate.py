"""Half the rate: what the lower rate can hold stays, the rest is gone."""

from __future__ import annotations

import numpy as np
import pytest

from detector.audio.decimate import DELAY, HalvedStream, halved
from detector.records import Block
from tests.support.fakes import cut


def sine(hertz: float, samples: int = 8000) -> np.ndarray:
    return np.sin(2 * np.pi * hertz / 32000 * np.arange(samples)).astype(np.float32)


@pytest.mark.parametrize("hertz", [50.0, 440.0, 3000.0, 7000.0, 7500.0])
def test_what_fits_is_every_second_sample(hertz: float) -> None:
    sound = sine(hertz)
    np.testing.assert_allclose(halved(sound), sound[DELAY:-DELAY:2], atol=0.002)


@pytest.mark.parametrize("hertz", [8500.0, 9000.0, 12000.0, 15990.0])
def test_what_does_not_fit_is_60_db_down(hertz: float) -> None:
    assert np.sqrt(np.mean(np.square(halved(sine(hertz))))) < 1e-3 * np.sqrt(0.5)


@pytest.mark.parametrize("samples", [2 * DELAY + 1, 2 * DELAY + 2, 500, 501, 31200 + 2 * DELAY])
def test_length(samples: int) -> None:
    assert len(halved(np.zeros(samples, np.float32))) == (samples - 2 * DELAY + 1) // 2
    assert halved(np.zeros(samples, np.float32)).dtype == np.float32


@pytest.mark.parametrize("length", [64, 119, 1000, 3840])
def test_any_cutting_gives_the_same_stream_of_half_the_rate(length: int) -> None:
    sound = np.rint(20000 * sine(1234.0)).astype(np.int16)
    stream = HalvedStream()
    low = [low for block in cut(sound, length, start=7) if (low := stream.push(block)) is not None]
    assert [block.start for block in low[1:]] == [block.stop for block in low[:-1]]
    assert low[0].start == (7 + DELAY) // 2
    got = np.concatenate([block.samples for block in low])
    whole = np.rint(halved(sound.astype(np.float32)))
    assert len(got) == len(whole)
    np.testing.assert_allclose(got, whole, atol=1)


def test_behind_a_gap_the_stream_begins_anew() -> None:
    sound = np.full(1000, 1000, np.int16)
    stream = HalvedStream()
    stream.push(Block(0, sound))
    low = stream.push(Block(5000, sound))
    assert low is not None
    assert low.start == (5000 + DELAY) // 2
    assert len(low.samples) == (1000 - 2 * DELAY + 1) // 2
