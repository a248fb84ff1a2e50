"""Laws of altered copies: what is chosen happens, in its range; the same generator gives the same copy."""

from __future__ import annotations

import numpy as np
import pytest

from detector.errors import ConfigError
from detector.training.augmentation import (
    ON_SAMPLES,
    Augmentations,
    alter,
    coloured_noise,
    mixed,
    shifted,
    stretched,
)

RATE = 16_000
CLASSES = ("bell", "dog", "rain")


def tone(hertz: float, seconds: float = 0.5) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def pitch(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples))


def nothing(rng: np.random.Generator) -> None:
    return None


def test_stretching_changes_the_length_and_keeps_the_pitch() -> None:
    pytest.importorskip("librosa", reason="librosa is not installed")
    fast = stretched(tone(1000), 1.25)
    assert len(fast) == pytest.approx(0.8 * 0.5 * RATE, abs=2)
    assert pitch(fast) == pytest.approx(1000, rel=0.01)


def test_shifting_changes_the_pitch_and_keeps_the_length() -> None:
    pytest.importorskip("librosa", reason="librosa is not installed")
    high = shifted(tone(1000), RATE, 2)
    assert len(high) == len(tone(1000))
    assert pitch(high) == pytest.approx(1000 * 2 ** (2 / 12), rel=0.01)


@pytest.mark.parametrize("snr_db", [0.0, 6.0, 20.0])
def test_what_is_mixed_in_lies_as_far_below_as_asked(snr_db: float) -> None:
    own, other = tone(1000), tone(3000) * 0.01
    added = mixed(own, other, snr_db) - own
    assert 10 * np.log10(np.mean(own**2) / np.mean(added**2)) == pytest.approx(snr_db, abs=1e-3)


def test_silence_stays_silent() -> None:
    assert not mixed(np.zeros(100, np.float32), tone(1000)[:100], 3).any()


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_its_colour(slope: float) -> None:
    noise = coloured_noise(1 << 16, slope, np.random.default_rng(1))
    power = np.abs(np.fft.rfft(noise)) ** 2
    low, high = power[1000:2000].mean(), power[10_000:20_000].mean()
    assert np.log10(low / high) == pytest.approx(slope, abs=0.1)
    assert np.mean(noise**2) == pytest.approx(1, rel=1e-3)


def test_the_same_generator_gives_the_same_copy_and_another_another() -> None:
    names = frozenset({"gain", "noise", "background"})
    one, same, other = (
        alter(tone(800), RATE, names, np.random.default_rng(seed), lambda rng: tone(200, 0.2))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.dtype == np.float32
    assert np.abs(one).max() <= 1


def test_what_is_not_chosen_does_not_happen() -> None:
    for names in (frozenset(), frozenset({"mixup", "specaugment"})):
        np.testing.assert_array_equal(
            alter(tone(800), RATE, names, np.random.default_rng(1), nothing), tone(800)
        )


def test_without_background_there_is_none_to_mix() -> None:
    altered = alter(tone(800), RATE, frozenset({"background"}), np.random.default_rng(0), nothing)
    np.testing.assert_array_equal(altered, tone(800))


def test_classes_may_have_their_own() -> None:
    chosen = Augmentations.of(["noise", "dog=pitch", "rain=stretch", "dog=stretch"], CLASSES)
    assert chosen.by_class == (
        {"noise"},
        {"noise", "pitch", "stretch"},
        {"noise", "stretch"},
    )
    both = np.array([0, 1, 1], np.float32)
    assert chosen.for_targets(both) == {"noise", "stretch"}
    assert chosen.for_targets(np.zeros(3, np.float32)) == frozenset()


@pytest.mark.parametrize("choice", ["echo", "dog=echo", "cat=noise", "=noise=", ""])
def test_an_unknown_name_or_class_is_refused_with_what_there_is(choice: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown; expected .*stretch|there is no class 'cat'"):
        Augmentations.of([choice], CLASSES)


def test_every_name_that_works_on_samples_does_something() -> None:
    pytest.importorskip("librosa", reason="librosa is not installed")
    for name in ON_SAMPLES:
        copies = [
            alter(tone(800), RATE, frozenset({name}), np.random.default_rng(seed), lambda rng: tone(200))
            for seed in range(4)
        ]
        assert any(not np.array_equal(copy, tone(800)) for copy in copies), name
