"""Whose value wins: the label's own, then the common one, then the model's."""

import math

import pytest

from detector.events.rules import LabelRule, make_rules, raised


def test_the_model_has_the_last_word_where_nobody_else_speaks():
    rules = make_rules([0.3, 0.6], common=LabelRule())
    assert rules.threshold_on.tolist() == pytest.approx([0.3, 0.6])
    assert rules.threshold_off.tolist() == pytest.approx([0.15, 0.3])
    assert rules.min_duration.tolist() == rules.refractory.tolist() == [0, 0]


def test_the_common_rule_wins_over_the_model_and_a_labels_own_over_both():
    common = LabelRule(threshold_on=0.5, threshold_off=0.4, min_duration=10, refractory=20)
    own = LabelRule(threshold_on=0.8, threshold_off=0.1, min_duration=0, refractory=0)
    rules = make_rules([0.3, 0.3], common=common, own={1: own})
    assert rules.threshold_on.tolist() == pytest.approx([0.5, 0.8])
    assert rules.threshold_off.tolist() == pytest.approx([0.4, 0.1])
    assert rules.min_duration.tolist() == [10, 0]
    assert rules.refractory.tolist() == [20, 0]


def test_a_common_off_never_lies_above_a_labels_own_on():
    rules = make_rules([0.3], common=LabelRule(threshold_off=0.6), own={0: LabelRule(threshold_on=0.2)})
    assert rules.threshold_off.tolist() == pytest.approx([0.2])


def test_off_follows_on_where_it_is_not_given():
    rules = make_rules([0.3], common=LabelRule(), own={0: LabelRule(threshold_on=0.8)})
    assert rules.threshold_off.tolist() == pytest.approx([0.4])


def test_a_raised_threshold_asks_for_more_log_odds():
    assert raised(0.3, 0.0) == 0.3
    assert raised(0.5, 0.5) == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert 0.1 < raised(0.1, 0.5) < raised(0.1, 1.0) < 1
    assert raised(raised(0.1, 0.5), -0.5) == pytest.approx(0.1)
    assert [raised(end, 0.5) for end in (0.0, 1.0)] == [0.0, 1.0]


def test_a_threshold_too_small_for_32_bits_still_lies_above_no_score_at_all():
    rules = make_rules([0.5] * 2, common=LabelRule(threshold_on=1e-46), own={1: LabelRule(threshold_off=0.0)})
    assert (rules.threshold_on > 0).all()
    assert (rules.threshold_off < rules.threshold_on).all()
