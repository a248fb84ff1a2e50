"""Half the rate: what the lower rate can hold stays, the rest is gone."""

from __future__ import annotations

import numpy as np
import pytest

from detector.audio.decimate import DELAY, halved


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
