"""What becomes of a sound's messages from its start to its end, by the verdicts in force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detector.records import Alternative, Embedding, Event, Label, Phase
from detector.verdicts.event_verdict import EventVerdict
from detector.verdicts.verdict_book import VerdictBook
from detector.verdicts.verdict_stage import VerdictStage
from tests.support.fakes import make_label

DOG, COUGH, CAT = make_label("Dog"), make_label("Cough"), make_label("Cat")
LABELS = (DOG, COUGH, CAT)


def sound(kind: int) -> NDArray[np.float32]:
    values = np.zeros(8, np.float32)
    values[kind] = 1.0
    return values


def event(
    phase: Phase, label: Label = DOG, *, kind: int = 0, network: str = "yamnet", bare: bool = False
) -> Event:
    embedding = None if phase == "end" or bare else Embedding(network, sound(kind))
    others = (Alternative(COUGH if label == DOG else DOG, 0.4), Alternative(CAT, 0.2))
    return Event(phase, 1, label, 0, None, 100, 0.9, 0.95, -20.0, others, embedding=embedding)


def verdict(said: str, label: Label = DOG, kind: int = 0, number: int = 1) -> EventVerdict:
    return EventVerdict(f"run-{number}", label.name, said, float(number), sound(kind), "yamnet")


def stage(*verdicts: EventVerdict, labels: tuple[Label, ...] = LABELS) -> VerdictStage:
    book = VerdictBook()
    book.exchange(verdicts, labels)
    return VerdictStage(book)


def told(events: list[Event]) -> list[tuple[str, str, str | None]]:
    return [
        (each.phase, each.label.name, None if each.verdict is None else each.verdict.outcome)
        for each in events
    ]


def test_without_verdicts_events_come_out_as_they_were() -> None:
    events = [event("start"), event("update", COUGH), event("end", COUGH)]
    assert stage().push(events) == events


def test_a_vetoed_sound_stays_vetoed_to_its_end() -> None:
    vetoed = stage(verdict("wrong")).push([event("start"), event("update"), event("end")])
    assert told(vetoed) == [("start", "Dog", "veto"), ("update", "Dog", "veto"), ("end", "Dog", "veto")]
    assert vetoed[0].verdict is not None
    assert (vetoed[0].verdict.verdicts, vetoed[0].verdict.nearest) == (1, "run-1")


def test_a_correction_is_judged_anew_and_starts_a_sound_that_was_vetoed() -> None:
    events = [event("start"), event("update", CAT), event("update", CAT), event("end", CAT)]
    out = stage(verdict("wrong")).push(events)
    assert told(out) == [
        ("start", "Dog", "veto"),
        ("start", "Cat", None),
        ("update", "Cat", None),
        ("end", "Cat", None),
    ]
    assert out[1].earlier == ()


def test_a_correction_that_is_vetoed_leaves_the_label_that_people_know() -> None:
    out = stage(verdict("wrong")).push([event("start", CAT, kind=1), event("update", DOG), event("end", DOG)])
    assert told(out) == [("start", "Cat", None), ("update", "Cat", None), ("end", "Cat", None)]
    assert out[0].embedding is not None and out[1].embedding is None
    assert all(other.label != CAT for each in out[1:] for other in each.alternatives)


def test_a_renamed_sound_has_the_heard_label_first_among_its_alternatives() -> None:
    out = stage(verdict("Cough")).push([event("start"), event("end")])
    assert told(out) == [("start", "Cough", "rename"), ("end", "Cough", "rename")]
    assert [other.label for other in out[0].alternatives] == [DOG, CAT]
    assert out[0].verdict is not None and out[0].verdict.heard == DOG


def test_a_correction_after_a_rename_names_the_label_that_was_told_before() -> None:
    out = stage(verdict("Cough")).push([event("start"), event("update", CAT, kind=1), event("end", CAT)])
    assert told(out) == [("start", "Cough", "rename"), ("update", "Cat", None), ("end", "Cat", None)]
    assert out[1].earlier == (COUGH,)


def test_at_its_end_a_vetoed_sound_is_not_told_any_more() -> None:
    out = stage(verdict("wrong")).push([event("start"), event("end", CAT)])
    assert told(out) == [("start", "Dog", "veto"), ("end", "Cat", "veto")]


def test_the_same_id_may_begin_again() -> None:
    judged = stage(verdict("wrong"))
    judged.push([event("start"), event("end")])
    assert told(judged.push([event("start", kind=1)])) == [("start", "Dog", None)]


def test_other_networks_and_events_without_an_embedding_pass() -> None:
    judged = stage(verdict("wrong"))
    assert told(judged.push([event("start", network="mn04")])) == [("start", "Dog", None)]
    assert told(judged.push([replace(event("start", bare=True), id=2)])) == [("start", "Dog", None)]


def test_a_network_that_was_trained_anew_is_another_one() -> None:
    longer = replace(verdict("wrong", number=2), embedding=np.ones(12, np.float32))
    judged = stage(verdict("wrong"), longer)
    assert told(judged.push([event("start")])) == [("start", "Dog", "veto")]
    shorter = replace(event("start"), id=2, embedding=Embedding("yamnet", np.ones(5, np.float32)))
    assert told(judged.push([shorter])) == [("start", "Dog", None)]


def test_verdicts_on_labels_that_the_model_lacks_are_without_effect() -> None:
    book = VerdictBook()
    lost = [verdict("Espresso machine"), verdict("wrong", make_label("Drill"), number=2)]
    assert book.exchange([*lost, verdict("wrong", COUGH, number=3)], LABELS) == lost
    assert told(VerdictStage(book).push([event("start")])) == [("start", "Dog", None)]


def test_verdicts_may_be_exchanged_while_a_sound_goes_on() -> None:
    book = VerdictBook()
    judged = VerdictStage(book)
    assert told(judged.push([event("start")])) == [("start", "Dog", None)]
    book.exchange([verdict("wrong")], LABELS)
    assert told(judged.push([event("end"), replace(event("start"), id=2)])) == [
        ("end", "Dog", None),
        ("start", "Dog", "veto"),
    ]
