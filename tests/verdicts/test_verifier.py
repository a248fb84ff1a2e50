"""Verdicts veto or rename events like those they were given on, and no others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.verdicts.event_verdict import EventVerdict
from detector.verdicts.verifier import Outcome, Verifier


def sound(kind: int) -> NDArray[np.float32]:
    """An embedding that no other kind is near to."""
    values = np.zeros(16, np.float32)
    values[2 * kind : 2 * kind + 2] = 1.0, 0.5
    return values


def verdict(event_id: str, said: str, kind: int, *, label: str = "Dog", at: float = 0.0) -> EventVerdict:
    return EventVerdict(event_id, label, said, at, sound(kind), "yamnet")


def test_without_verdicts_every_event_is_kept() -> None:
    judgement = Verifier([]).judge("Dog", sound(0))
    assert (judgement.outcome, judgement.label, judgement.verdicts) == (Outcome.KEEP, "Dog", 0)


def test_a_wrong_one_vetoes_near_sounds_of_its_label_alone() -> None:
    verifier = Verifier([verdict("a", "wrong", 0)])
    assert verifier.judge("Dog", 3 * sound(0)).outcome is Outcome.VETO
    assert verifier.judge("Dog", sound(1)).outcome is Outcome.KEEP
    assert verifier.judge("Cat", sound(0)).outcome is Outcome.KEEP


def test_a_right_one_that_is_nearer_keeps_the_event() -> None:
    verifier = Verifier([verdict("a", "wrong", 0), verdict("b", "right", 1, at=1.0)])
    between = sound(0) + 2 * sound(1)
    assert verifier.judge("Dog", between).outcome is Outcome.KEEP
    assert verifier.judge("Dog", sound(0)).outcome is Outcome.VETO


def test_a_label_renames() -> None:
    judgement = Verifier([verdict("a", "Cough", 0)]).judge("Dog", sound(0))
    assert (judgement.outcome, judgement.label, judgement.nearest) == (Outcome.RENAME, "Cough", "a")


def test_the_newest_of_two_that_disagree_wins() -> None:
    given = [verdict("a", "wrong", 0, at=2.0), verdict("b", "Cough", 0, at=1.0)]
    assert Verifier(given).judge("Dog", sound(0)).outcome is Outcome.VETO
    assert Verifier(given[::-1]).judge("Dog", sound(0)).outcome is Outcome.VETO


def test_silence_is_near_to_nothing() -> None:
    nothing = np.zeros(16, np.float32)
    silent = EventVerdict("a", "Dog", "wrong", 0.0, nothing, "yamnet")
    assert Verifier([silent]).judge("Dog", nothing).outcome is Outcome.KEEP
