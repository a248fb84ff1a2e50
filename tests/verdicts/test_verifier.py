"""Verdicts veto or rename events like those they were given on, and no others."""

from __future__ import annotations

import numpy as np
import pytest
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


def near(cosine: float, *, side: int = 0) -> NDArray[np.float32]:
    """An embedding whose square roots are at this cosine to those of `near(1.0)`."""
    roots = np.zeros(16, np.float32)
    roots[0], roots[1 + side] = cosine, np.sqrt(1 - cosine**2)
    return roots**2


def said(*verdicts: tuple[str, float]) -> Verifier:
    """Verdicts on Dog at these cosines to `near(1.0)`."""
    return Verifier(
        [
            EventVerdict(str(number), "Dog", what, float(number), near(cosine, side=number), "yamnet")
            for number, (what, cosine) in enumerate(verdicts)
        ]
    )


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ([("wrong", 0.65)], Outcome.VETO),
        ([("wrong", 0.63)], Outcome.KEEP),
        ([("wrong", 0.63)] * 10, Outcome.KEEP),
        ([("wrong", 0.85), ("right", 0.85)], Outcome.KEEP),
        ([("wrong", 0.85), ("right", 0.83)], Outcome.VETO),
        ([("wrong", 0.85), ("right", 0.83), ("right", 0.83)], Outcome.KEEP),
        ([("wrong", 0.85), *[("right", 0.5)] * 10], Outcome.VETO),
        ([("Cough", 0.86)], Outcome.RENAME),
        ([("Cough", 0.84)], Outcome.VETO),
        ([("Cough", 0.90), ("Cat", 0.95)], Outcome.RENAME),
        ([("Dog", 0.95), ("wrong", 0.95)], Outcome.KEEP),
    ],
)
def test_the_nearest_one_against_a_label_decides_unless_it_is_outweighed(
    verdicts: list[tuple[str, float]], outcome: Outcome
) -> None:
    assert said(*verdicts).judge("Dog", near(1.0)).outcome is outcome


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        (0.5, 0.5, Outcome.VETO),
        (0.9, 0.5, Outcome.VETO),
        (0.5, 0.7, Outcome.VETO),
        (0.5, 0.95, Outcome.KEEP),
        (None, 0.95, Outcome.VETO),
        (0.5, None, Outcome.VETO),
        (0.0, 1.0, Outcome.KEEP),
    ],
)
def test_an_event_that_scores_much_higher_than_a_wrong_one_is_kept(
    before: float | None, now: float | None, outcome: Outcome
) -> None:
    given = EventVerdict("a", "Dog", "wrong", 0.0, near(0.8), "yamnet", before)
    assert Verifier([given]).judge("Dog", near(1.0), now).outcome is outcome


def test_how_much_a_right_one_scored_changes_nothing() -> None:
    wrong = EventVerdict("a", "Dog", "wrong", 0.0, near(0.8), "yamnet", 0.9)
    for score in (0.1, 0.9, None):
        right = EventVerdict("b", "Dog", "right", 0.0, near(0.7, side=1), "yamnet", score)
        assert Verifier([wrong, right]).judge("Dog", near(1.0), 0.9).outcome is Outcome.VETO


def test_it_tells_how_many_say_so_and_the_nearest_of_them() -> None:
    judgement = said(("wrong", 0.8), ("Cat", 0.75), ("wrong", 0.9), ("right", 0.3)).judge("Dog", near(1.0))
    assert (judgement.outcome, judgement.verdicts, judgement.nearest) == (Outcome.VETO, 2, "2")
    judgement = said(("Cough", 0.9), ("Cat", 0.95)).judge("Dog", near(1.0))
    assert (judgement.label, judgement.verdicts, judgement.nearest) == ("Cat", 1, "1")


def test_a_thousand_verdicts_on_other_sounds_change_nothing() -> None:
    rng = np.random.default_rng(0)
    others = rng.gamma(0.3, size=(1000, 1024)).astype(np.float32)
    given = [
        EventVerdict(str(n), "Dog", "wrong", float(n), sound, "yamnet") for n, sound in enumerate(others)
    ]
    unlike = np.zeros(1024, np.float32)
    unlike[:10] = 1.0
    verifier = Verifier(given)
    assert verifier.judge("Dog", unlike).outcome is Outcome.KEEP
    assert verifier.judge("Dog", others[7]).outcome is Outcome.VETO


def test_silence_is_near_to_nothing() -> None:
    nothing = np.zeros(16, np.float32)
    silent = EventVerdict("a", "Dog", "wrong", 0.0, nothing, "yamnet")
    assert Verifier([silent]).judge("Dog", nothing).outcome is Outcome.KEEP
