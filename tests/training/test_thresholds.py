"""Thresholds separate what was held out, and keep strangers and the background silent."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.training.thresholds import (
    ABOVE_BACKGROUND,
    MAX_THRESHOLD,
    MIN_THRESHOLD,
    MIN_UNTESTED,
    best_f1,
    choose_thresholds,
    strength,
)

NOBODY = np.zeros((0, 2), np.float32)


def test_a_strength_is_what_two_windows_in_a_row_reach() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.6], [0.3, 0.7]], np.float32)
    assert strength(scores).tolist() == np.array([0.2, 0.6], np.float32).tolist()


def test_a_clip_of_one_window_or_none_has_a_strength_too() -> None:
    assert strength(np.array([[0.5, 0.4]], np.float32)).tolist() == np.array([0.5, 0.4], np.float32).tolist()
    assert strength(np.zeros((0, 2), np.float32)).tolist() == [0, 0]


def test_classes_that_lie_apart_are_separated_in_the_middle() -> None:
    known = np.array([[0.9, 0.0], [0.8, 0.0], [0.2, 0.0], [0.1, 0.0]], np.float32)
    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    assert np.isclose(choose_thresholds(known, targets, NOBODY, None)[0], 0.5)


def test_strangers_push_a_threshold_up() -> None:
    known = np.array([[0.9, 0.0], [0.8, 0.0], [0.2, 0.0]], np.float32)
    targets = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    unknown = np.array([[0.6, 0.0], [0.7, 0.0]], np.float32)
    assert choose_thresholds(known, targets, unknown, None)[0] > 0.7


def test_where_nothing_but_the_classes_was_tried_out_a_class_needs_half_the_score() -> None:
    known = np.array([[0.3, 0.0], [0.2, 0.9]], np.float32)
    targets = np.array([[1, 0], [0, 1]], np.float32)
    assert choose_thresholds(known, targets, NOBODY, None)[0] == MIN_UNTESTED
    unknown = np.array([[0.1, 0.0]], np.float32)
    assert choose_thresholds(known, targets, unknown, None)[0] < MIN_UNTESTED
    nothing = np.array([[1, 0], [0, 0]], np.float32)
    assert choose_thresholds(known, nothing, NOBODY, None)[0] < MIN_UNTESTED


def test_the_background_stays_silent_whatever_that_costs() -> None:
    known = np.array([[0.9, 0.0], [0.5, 0.0], [0.6, 0.9]], np.float32)
    targets = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert choose_thresholds(known, targets, NOBODY, 1)[0] >= 0.6 + ABOVE_BACKGROUND - 1e-6


# A threshold between 0 and a subnormal score would be 0 in single precision.
SCORES = st.lists(st.floats(0, 1, width=32, allow_subnormal=False), max_size=20)


@given(SCORES, SCORES)
def test_no_other_threshold_has_a_better_f1(positive: list[float], negative: list[float]) -> None:
    right, wrong = np.array(positive, np.float32), np.array(negative, np.float32)

    def f1(threshold: float) -> float:
        told = (right >= threshold).sum()
        return 2 * told / (told + (wrong >= threshold).sum() + len(right)) if len(right) else 0.0

    best = best_f1(right, wrong, np.ones(len(wrong)))
    assert all(f1(best) >= f1(other) - 1e-9 for other in np.linspace(0.001, 0.999, 37))


def test_thresholds_stay_within_reason() -> None:
    known = np.array([[1.0, 0.0], [1.0, 0.001]], np.float32)
    targets = np.array([[1, 0], [0, 1]], np.float32)
    chosen = choose_thresholds(known, targets, NOBODY, None)
    assert ((chosen >= MIN_THRESHOLD) & (chosen <= MAX_THRESHOLD)).all()
