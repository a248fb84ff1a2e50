"""Laws of what is done to patches while a network learns."""

from __future__ import annotations

import numpy as np

from detector.training.networks.batches import LOWEST_CUT, filtered, spec_augmented
from detector.training.networks.cnn import FRONT_END

SILENCE = np.log(np.float32(FRONT_END.log_offset))


def patches(count: int = 64) -> np.ndarray:
    return np.random.default_rng(0).normal(-3, 1, size=(count, 20, FRONT_END.bands)).astype(np.float32)


def test_another_microphone_leaves_silence_silent_and_low_bands_audible() -> None:
    silent = np.full((8, 20, FRONT_END.bands), SILENCE)
    np.testing.assert_allclose(filtered(silent, FRONT_END, np.random.default_rng(1)), silent, atol=1e-5)
    heard = filtered(patches(), FRONT_END, np.random.default_rng(1))
    lowest = int(LOWEST_CUT * FRONT_END.bands)
    assert (heard[:, :, :lowest] > SILENCE + 1).all()
    cut = np.isclose(heard[:, :, -1], SILENCE, atol=1e-5).all(axis=1)
    assert 0.1 < cut.mean() < 0.5, "some microphones hear nothing in the highest band"


def test_another_microphone_is_the_same_for_all_of_a_clip() -> None:
    given = patches()
    apart = filtered(given, FRONT_END, np.random.default_rng(2))[:, :, 0] - given[:, :, 0]
    assert (apart.std(axis=1) < 0.01).all()
    assert apart[:, 0].std() > 0.3, "each clip has its own"


def test_masks_cover_a_part_by_its_mean() -> None:
    given = patches()
    masked = spec_augmented(given, np.random.default_rng(3))
    changed = masked != given
    assert 0 < changed.mean() < 0.5
    means = np.broadcast_to(given.mean(axis=(1, 2), keepdims=True), given.shape)
    np.testing.assert_array_equal(masked[changed], means[changed])
