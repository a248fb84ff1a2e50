"""What windows share is worked out once, and no window can tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.audio.decimate import DELAY, halved
from detector.audio.growing import GrowingHalver, GrowingLogMel
from detector.audio.logmel import LogMel, LogMelParams
from detector.records import Span, Window

CENTRED = LogMelParams(
    32000, frame=80, hop=32, fft=128, bands=8, low_hz=0, high_hz=15000, log_offset=1e-5, power=2,
    preemphasis=0.97, centred=True,
)  # fmt: skip
PLAIN = LogMelParams(16000, frame=40, hop=16, fft=64, bands=6, low_hz=125, high_hz=7500, log_offset=1e-3)
LENGTH = 960
SOUND = (0.1 * np.random.default_rng(0).standard_normal(8 * LENGTH)).astype(np.float32)
SHIFTS = st.lists(st.sampled_from([-64, 0, 16, 32, 33, 64, 320, 800, 960, 2000]), min_size=1, max_size=8)
TOLERANCE = 1e-4
"""Of a logarithm: matrices of another height are multiplied in another order."""


def window_at(start: int, sound: NDArray[np.float32] = SOUND, gain: float = 1.0, stream: int = 0) -> Window:
    return Window(Span(start, start + LENGTH), sound[start : start + LENGTH], gain, stream)


@pytest.mark.parametrize("params", [CENTRED, PLAIN])
@given(shifts=SHIFTS)
def test_each_patch_is_that_of_its_window_alone(params: LogMelParams, shifts: list[int]) -> None:
    growing, alone = GrowingLogMel(params), LogMel(params)
    for start in np.cumsum([64, *shifts]):
        window = window_at(min(max(int(start), 0), 7 * LENGTH))
        np.testing.assert_allclose(growing(window), alone(window.samples), atol=TOLERANCE)


@pytest.mark.parametrize("params", [CENTRED, PLAIN])
def test_the_gain_may_change_from_window_to_window(params: LogMelParams) -> None:
    growing, alone = GrowingLogMel(params), LogMel(params)
    for start, gain in ((0, 1.0), (64, 1.5), (128, 0.5), (128, 1.2)):
        window = window_at(start, gain=gain)
        np.testing.assert_allclose(growing(window), alone(window.amplified()), atol=TOLERANCE)


@pytest.mark.parametrize("params", [CENTRED, PLAIN])
def test_other_sound_at_the_next_place_is_not_mixed_with_the_last(params: LogMelParams) -> None:
    """Another recording begins where the one before ended, or a gap lies between."""
    growing, other = GrowingLogMel(params), SOUND[::-1].copy()
    growing(window_at(0))
    window = window_at(64, other)
    np.testing.assert_allclose(growing(window), LogMel(params)(window.samples), atol=TOLERANCE)


@given(shifts=SHIFTS)
def test_half_the_rate_is_that_of_its_window_alone(shifts: list[int]) -> None:
    halver = GrowingHalver(count=300)
    for start in np.cumsum([64, *shifts]):
        window = window_at(min(max(int(start), 0), 7 * LENGTH))
        wanted = halved(window.samples[-2 * (300 + DELAY) :])
        np.testing.assert_allclose(halver(window), wanted, atol=1e-7)


def test_half_the_rate_of_other_sound_is_not_mixed_with_the_last() -> None:
    halver, other = GrowingHalver(count=300), SOUND[::-1].copy()
    halver(window_at(0))
    window = window_at(64, other)
    np.testing.assert_allclose(halver(window), halved(window.samples[-2 * (300 + DELAY) :]), atol=1e-7)


@pytest.mark.parametrize("make", [lambda: GrowingLogMel(CENTRED), lambda: GrowingHalver(count=300)])
@given(starts=st.lists(st.sampled_from([64, 128, 192, 960]), min_size=1, max_size=6))
def test_a_stream_gets_to_the_last_bit_what_it_gets_alone(
    make: Callable[[], GrowingLogMel | GrowingHalver], starts: list[int]
) -> None:
    """Beside it another stream is at the same places, with the same sound or with other sound."""
    alone, shared = make(), make()
    for start in np.cumsum(starts):
        shared(window_at(int(start), stream=1))
        shared(window_at(int(start), SOUND[::-1].copy(), stream=2))
        np.testing.assert_array_equal(shared(window_at(int(start))), alone(window_at(int(start))))
