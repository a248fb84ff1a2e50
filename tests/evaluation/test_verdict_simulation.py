"""The simulation counts what verdicts of the first half change in the second, by the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.datasets.annotations import Annotation
from detector.datasets.truths import Truth
from detector.errors import UnsupportedFormat
from detector.evaluation.class_map import make_class_map
from detector.evaluation.recording_scorer import RecordingScores
from detector.evaluation.verdict_evaluation import VerdictReport, evaluate_verdicts
from detector.evaluation.verdict_report import verdict_files, verdict_json, verdict_text
from detector.evaluation.verdict_simulation import HeardRecording, VerdictFigures, VerdictSimulation
from detector.records import Embedding, Event, Label
from tests.support.fakes import make_label, make_spec

ANIMAL = make_label("Animal")
DOG, COUGH, CAT = make_label("Dog", ANIMAL), make_label("Cough"), make_label("Cat", ANIMAL)
SPEC = make_spec(ANIMAL, DOG, COUGH, CAT, sample_rate=10)
CLASSES = make_class_map(["Dog", "Cough"], SPEC.labels, {}, where="")
SECONDS = 100.0
KINDS = ("Dog", "Cough", "hum")


def event(number: int, label: Label, at: float, sound: str) -> tuple[Event, Event]:
    """Start and end of an event of one second, on this sound."""
    embedding = np.zeros(4, np.float32)
    embedding[KINDS.index(sound)] = 1.0
    onset = round(10 * at)
    start = Event(
        "start", number, label, onset, None, onset + 5, 0.9, 0.9, -20.0, embedding=Embedding("net", embedding)
    )
    return start, replace(start, phase="end", offset=onset + 10, decided=onset + 15, embedding=None)


def heard(*sounds: tuple[Label, float, str]) -> HeardRecording:
    """What the detector called each sound, when [s], and what it was; a hum is not annotated."""
    return HeardRecording(
        SECONDS,
        tuple(Annotation(at, at + 1.0, sound) for _, at, sound in sounds if sound != "hum"),
        tuple(message for number, one in enumerate(sounds, 1) for message in event(number, *one)),
    )


def run(
    recording: HeardRecording, asked: int = 10, *, named: bool = False, ignored: str = ""
) -> VerdictFigures:
    simulation = VerdictSimulation(SPEC.labels, CLASSES, sample_rate=10, ignored={ignored})
    return simulation.run([recording], asked, named=named)


COUGH_AS_DOG = heard((DOG, 10, "Cough"), (DOG, 20, "Dog"), (DOG, 60, "Cough"), (DOG, 80, "Dog"))


def test_a_sound_that_was_called_wrong_is_not_told_again_and_a_right_one_is() -> None:
    figures = run(COUGH_AS_DOG)
    assert figures.given == 2
    assert (figures.wrong, figures.still_wrong) == (1, 0)
    assert (figures.kind_again, figures.kind_still_wrong) == (1, 0)
    assert (figures.right, figures.lost) == (1, 0)


def test_a_verdict_that_names_the_right_label_renames_what_comes_again() -> None:
    figures = run(COUGH_AS_DOG, named=True)
    assert (figures.renamed_right, figures.renamed_wrong) == (1, 0)
    assert (figures.wrong, figures.still_wrong, figures.lost) == (1, 0, 0)


def test_only_the_oldest_events_of_the_first_half_get_verdicts() -> None:
    late = heard((DOG, 10, "Dog"), (DOG, 20, "Cough"), (DOG, 55, "Cough"), (DOG, 60, "Cough"))
    assert (run(late, 1).given, run(late, 1).still_wrong, run(late, 1).kind_again) == (1, 2, 0)
    assert (run(late, 2).given, run(late, 2).still_wrong, run(late, 2).kind_again) == (2, 0, 2)
    assert run(late, 50).given == 2


def test_a_right_event_that_sounds_like_a_wrong_one_is_lost() -> None:
    figures = run(heard((DOG, 10, "hum"), (DOG, 70, "hum"), (COUGH, 71.5, "Dog")))
    assert (figures.right, figures.lost) == (1, 1)  # a dog barks within a second of the second hum


def test_labels_without_a_class_are_wrong_unless_they_are_ignored() -> None:
    recording = heard((CAT, 10, "hum"), (CAT, 60, "hum"), (CAT, 70, "Dog"))
    assert (run(recording).wrong, run(recording).still_wrong) == (2, 1)
    assert run(recording, ignored="Cat").wrong == run(recording, ignored="Cat").given == 0


def test_a_label_above_the_right_one_is_right() -> None:
    assert run(heard((ANIMAL, 60, "Dog"), (ANIMAL, 80, "Cough"))).right == 1


def test_kinds_and_labels_that_were_called_wrong_are_counted_apart() -> None:
    figures = run(heard((DOG, 10, "Cough"), (DOG, 60, "hum"), (DOG, 80, "Cough")))
    assert (figures.label_again, figures.label_still_wrong) == (2, 1)
    assert (figures.kind_again, figures.kind_still_wrong) == (1, 0)


class Scorer:
    """Gives COUGH_AS_DOG for every recording but one."""

    spec = SPEC

    def score(self, path: Path) -> dict[str, RecordingScores]:
        if path.name == "bad":
            raise UnsupportedFormat("bad is not sound")
        empty = np.zeros(0, np.float32)
        return {"as set": RecordingScores(SECONDS, (), empty, empty, COUGH_AS_DOG.messages)}


def report() -> VerdictReport:
    paths = [Path("a"), Path("bad"), Path("b")]
    truths = [Truth(path, path, COUGH_AS_DOG.annotations) for path in paths]
    return evaluate_verdicts(truths, CLASSES, lambda columns: Scorer, SPEC, asked=(1, 5), jobs=1, quiet=True)


def test_every_number_of_verdicts_is_simulated_in_every_recording_that_can_be_read() -> None:
    figures = report()
    assert (figures.recordings, list(figures.unreadable.values())) == (2, ["bad is not sound"])
    assert [(one.asked, one.named, one.given, one.wrong, one.still_wrong) for one in figures.figures] == [
        (1, False, 2, 2, 0),
        (5, False, 4, 2, 0),
        (1, True, 2, 2, 0),
        (5, True, 4, 2, 0),
    ]


def test_the_report_is_a_table_json_and_a_spreadsheet() -> None:
    text = verdict_text(report())
    assert "of a wrong event they say the right label\nverdicts in each recording, at most" in text
    assert "  less [%]" in text and "not read: bad is not sound" in text
    assert json.loads(verdict_json(report()))["verdicts"][1]["kind_still_wrong"] == 0
    head, *rows = str(verdict_files(report())["verdicts.csv"]).splitlines()
    assert head.startswith("verdicts,named,given,right,lost,wrong,still_wrong") and len(rows) == 4


@pytest.mark.parametrize("sounds", [[], [(DOG, 10.0, "Dog")], [(DOG, 90.0, "Dog")]])
def test_a_recording_with_nothing_in_a_half_counts_what_there_is(
    sounds: list[tuple[Label, float, str]],
) -> None:
    figures = run(heard(*sounds))
    assert figures.given + figures.right == len(sounds)
