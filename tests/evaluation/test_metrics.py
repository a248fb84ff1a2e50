"""Figures: perfect is 1, empty is 0, and cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from detector.datasets.annotations import Annotation
from detector.evaluation.clip_metrics import (
    NOTHING,
    answer,
    background_figures,
    clip_figures,
    own_class_detected,
)
from detector.evaluation.matching import (
    ClassEvent,
    DetectedEvent,
    background_false_alarms,
    class_events,
    class_false_alarms,
    delays,
    unmapped_events,
)
from detector.evaluation.recording_scorer import RecordingScores
from detector.evaluation.score_metrics import score_track

CLASSES = ["dog", "rain"]
OF = {"Dog": "dog", "Bark": "dog", "Rain": "rain"}


def event(label, onset, offset, *, decided=None, top_score=0.5):
    return DetectedEvent(label, onset, offset, onset + 1 if decided is None else decided, top_score)


def heard(scores, *events, seconds=5.0):
    rows = np.array(scores, np.float32).reshape(-1, len(CLASSES))
    return RecordingScores(seconds, events, 1.0 + 0.5 * np.arange(len(rows)), rows)


def test_the_mean_of_scores_decides_and_the_highest_event():
    given = answer(
        "dog", "1", heard([[0.9, 0.2], [0.1, 0.9]], event("Bark", 0, 1, top_score=0.9)), CLASSES, OF
    )
    assert (given.by_score, given.by_event, given.detected) == ("rain", "dog", {"dog"})


def test_a_clip_that_was_not_classified_has_no_answer():
    given = answer("dog", None, heard([], event("Cat", 0, 1)), CLASSES, OF)
    assert (given.by_score, given.by_event) == (NOTHING, NOTHING)


def test_in_the_background_silence_is_right_and_every_event_of_a_class_a_false_alarm():
    barks = (event("Bark", 0, 1), event("Dog", 2, 3), event("Cat", 3, 4))
    figures = background_figures([heard([]), heard([], event("Cat", 0, 1)), heard([], *barks)], OF)
    assert (figures.clips, figures.false_alarms) == (3, 2)
    assert figures.quiet == pytest.approx(2 / 3)
    assert figures.per_hour == pytest.approx(2 * 3600 / 15)


def answers(*pairs):
    clips = {
        "dog": heard([[0.9, 0.1]], event("Dog", 0, 1)),
        "rain": heard([[0.1, 0.9]], event("Rain", 0, 1)),
        NOTHING: heard([]),
    }
    return [answer(label, fold, clips[said], CLASSES, OF) for label, said, fold in pairs]


def test_perfect_is_one():
    pytest.importorskip("sklearn")
    all_right = answers(("dog", "dog", "1"), ("rain", "rain", "2"))
    for by_event in (False, True):
        figures = clip_figures(all_right, CLASSES, by_event=by_event)
        assert (figures.accuracy, figures.micro, figures.macro) == (1, (1, 1, 1), (1, 1, 1))
        assert figures.folds == {"1": 1, "2": 1}
    assert own_class_detected(all_right) == 1


def test_a_clip_without_an_answer_lowers_recall_alone():
    pytest.importorskip("sklearn")
    figures = clip_figures(answers(("dog", "dog", "1"), ("dog", NOTHING, "1")), CLASSES, by_event=False)
    assert figures.micro == pytest.approx((1, 0.5, 2 / 3))
    assert figures.nothing == 0.5
    assert figures.confusion.tolist() == [[1, 0, 1], [0, 0, 0]]


def test_events_of_one_class_that_overlap_are_one():
    told = class_events(
        [
            event("Bark", 1, 3, decided=2.5),
            event("Dog", 2, 4, decided=2.2),
            event("Dog", 5, 6),
            event("Cat", 0, 9),
        ],
        OF,
    )
    assert told == [ClassEvent(1, 4, "dog", 2.2), ClassEvent(5, 6, "dog", 6)]


def test_labels_outside_the_truth_are_counted_apart():
    events = [event("Cat", 0, 1), event("Wind", 0, 1), event("Dog", 0, 1)]
    assert [e.label for e in unmapped_events(events, OF, {"Wind"})] == ["Cat"]


def test_an_event_near_a_sound_of_its_class_is_no_stray():
    truth = [Annotation(1.0, 2.0, "dog")]
    told = [
        ClassEvent(2.4, 3, "dog", 3),
        ClassEvent(1, 2, "rain", 2),
        ClassEvent(2.6, 3, "dog", 3),
        ClassEvent(0, 0.5, "dog", 1),
    ]
    assert class_false_alarms(truth, told, 0.5) == [told[1], told[2]]


def test_a_sound_taken_for_another_is_not_the_background():
    truth = [Annotation(1.0, 2.0, "dog")]
    told = [ClassEvent(1, 2, "rain", 2), ClassEvent(2.6, 3, "dog", 3), ClassEvent(0, 0.4, "rain", 1)]
    assert background_false_alarms(truth, told, 0.5) == [told[1], told[2]]


def test_latency_is_from_the_true_onset_to_the_decision():
    truth = [Annotation(1.0, 2.0, "dog"), Annotation(5.0, 6.0, "dog")]
    found = delays(truth, [ClassEvent(1.25, 2, "dog", 2.0), ClassEvent(1.5, 2, "rain", 1.75)], 0.5)
    assert [(delay.latency, delay.onset_error) for delay in found] == [(1.0, 0.25)]


def test_one_event_answers_one_sound():
    truth = [Annotation(1.0, 1.1, "dog"), Annotation(1.2, 1.3, "dog")]
    assert len(delays(truth, [ClassEvent(1.1, 2, "dog", 2.0)], 0.5)) == 1


def figures_of(truth, told, classes=CLASSES):
    pytest.importorskip("sed_eval")
    from detector.evaluation.event_metrics import event_figures

    return event_figures([truth], [told], [10.0], classes)


def test_perfect_events_are_one():
    truth = [Annotation(1.0, 2.0, "dog"), Annotation(5.0, 6.0, "rain")]
    figures = figures_of(truth, [ClassEvent(s.onset, s.offset, s.label, s.onset) for s in truth])
    assert (figures.overall.f1, figures.overall.segment_f1, figures.macro_f1) == (1, 1, 1)
    assert figures.overall.false_alarms == 0


def test_nothing_told_is_zero_and_no_truth_is_none():
    figures = figures_of([Annotation(1.0, 2.0, "dog")], [])
    assert (figures.classes["dog"].f1, figures.classes["dog"].segment_f1) == (0, 0)
    assert np.isnan(figures.classes["rain"].f1)


def test_an_onset_beyond_the_collar_is_a_miss_and_a_false_alarm():
    truth = [Annotation(1.0, 4.0, "dog")]
    inside, outside = ([ClassEvent(onset, 4.0, "dog", 2.0)] for onset in (1.45, 1.55))
    assert figures_of(truth, inside).overall.hits == 1
    missed = figures_of(truth, outside).overall
    assert (missed.hits, missed.false_alarms) == (0, 1)


def test_psds_of_perfect_scores_is_one():
    pytest.importorskip("sed_scores_eval")
    from detector.evaluation.score_metrics import score_figures

    stops = 0.25 * np.arange(1, 41) + 0.375  # windows of 1 s whose centres lie in the hops
    values = np.zeros((40, 2), np.float32)
    values[4:8, 0] = values[20:24, 1] = 0.9
    truth = [Annotation(1.0, 2.0, "dog"), Annotation(5.0, 6.0, "rain")]
    figures = score_figures([truth], [RecordingScores(10.0, (), stops, values)], CLASSES, 1.0, 0.25, 0.25)
    assert figures.psds == {"PSDS1": pytest.approx(1), "PSDS2": pytest.approx(1)}


def test_point_labels_are_judged():
    """Audacity writes labels without a length; the metrics refuse a class that has no other."""
    pytest.importorskip("sed_scores_eval")
    from detector.evaluation.score_metrics import score_figures

    stops = 0.25 * np.arange(1, 41) + 0.375
    values = np.zeros((40, 2), np.float32)
    truth = [Annotation(1.0, 1.0, "dog"), Annotation(10.5, 10.5, "rain")]
    figures = score_figures([truth], [RecordingScores(10.0, (), stops, values)], CLASSES, 1.0, 0.25, 0.25)
    assert figures.classes["PSDS1"].keys() == {"dog"}


def test_a_window_speaks_until_the_next_one_that_follows_within_the_steady_hop() -> None:
    """Windows 1, 2 and 4 hops apart; the last two have a closed gate between them."""
    stops = np.array([0.6, 0.85, 1.35, 2.35])
    one = RecordingScores(2.5, (), stops, np.array([[0.1], [0.2], [0.3], [0.4]], np.float32))
    _, values = score_track(one, 1.0, 0.25, 0.5)
    assert values[:, 0].round(2).tolist() == [0.1, 0.2, 0.2, 0.3, 0, 0, 0, 0.4, 0, 0]


def test_a_window_speaks_for_the_hop_around_its_centre():
    one = RecordingScores(1.0, (), np.array([0.9]), np.array([[0.5, 0.25]], np.float32))
    borders, values = score_track(one, 1.0, 0.25, 0.25)
    assert borders.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert values[:, 0].tolist() == [0, 0.5, 0, 0]
