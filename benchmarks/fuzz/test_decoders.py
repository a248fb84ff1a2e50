"""Damaged sound, in processes of its own: a decoder that crashes must not take the tests with it."""

import pytest

from benchmarks.fuzz.audio import TARGETS
from benchmarks.fuzz.run import fuzz
from benchmarks.fuzz.watch import FAILURES

pytestmark = pytest.mark.slow


def test_damaged_sound_is_played_as_far_as_it_goes_or_refused():
    inputs = 200 * len(TARGETS)
    outcomes = fuzz(TARGETS, inputs, seed=7, jobs=2, guided=False)
    assert {name: outcome.findings for name, outcome in outcomes.items() if outcome.found} == {}, FAILURES
    assert sum(outcome.tried for outcome in outcomes.values()) >= inputs
    assert all(outcome.accepted and outcome.refused for outcome in outcomes.values())


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_same_seed_tries_the_same_inputs(target):
    one, two = (fuzz([target], 40, seed=3, jobs=1, guided=False)[target.name] for _ in range(2))
    assert (one.accepted, one.refused) == (two.accepted, two.refused)
