"""The linear discriminant: what a level means, and when a class passes a threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.training.discriminant import NEVER, SLOPE, fit_discriminant, moments, passing_levels

FEATURES = 6


def others(seed: int = 0, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (4000, FEATURES)).astype(np.float32)


def test_level_0_is_half_way_and_1_is_a_standard_deviation_of_the_others():
    mean = np.zeros((1, FEATURES))
    mean[0, 2] = 6.0
    rows = others()
    fitted = fit_discriminant(mean, [moments(rows)], [1.0])
    assert fitted.levels(np.float32(mean / 2))[0, 0] == pytest.approx(0, abs=0.1)
    assert fitted.levels(rows).std() == pytest.approx(1, abs=0.05)
    assert fitted.levels(np.float32(mean))[0, 0] == pytest.approx(3, abs=0.2)


def test_a_direction_in_which_other_sounds_vary_says_less():
    rows = others()
    rows[:, 0] *= 10
    mean = np.zeros((1, FEATURES))
    mean[0, :2] = 5.0
    weights = fit_discriminant(mean, [moments(rows)], [1.0]).weights[0]
    assert weights[1] > 3 * weights[0]


def test_groups_count_by_their_weight_not_by_their_size():
    near, far = others(1), others(2)[:50] + np.float32(4)
    mean = np.full((1, FEATURES), 8.0)
    alike = fit_discriminant(mean, [moments(near), moments(far)], [1.0, 1.0])
    repeated = fit_discriminant(mean, [moments(near), moments(np.tile(far, (20, 1)))], [1.0, 1.0])
    assert alike.weights == pytest.approx(repeated.weights, rel=1e-4)


@given(
    st.lists(st.floats(-8, 12), min_size=1, max_size=5),
    st.floats(-6, 12),
)
def test_a_class_passes_a_threshold_exactly_where_its_score_there_is_at_least_half(levels, threshold):
    row = np.array([levels], np.float32)
    passing = passing_levels(row)[0]
    odds = SLOPE * np.append(row[0].astype(np.float64) - threshold, 0.0)
    scores = np.exp(odds - odds.max())
    scores /= scores.sum()
    for level, score in zip(passing, scores, strict=False):
        if abs(level - threshold) > 1e-3:
            assert (level > threshold) == (score > 0.5)


def test_only_the_highest_class_passes_anything():
    assert passing_levels(np.array([[5.0, 1.0]], np.float32))[0, 1] == NEVER
