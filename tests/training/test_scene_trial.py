"""Which threshold held-out scenes and other sounds choose, and how events in scenes are counted."""

from dataclasses import replace

import numpy as np
import pytest

from detector.training.discriminant import NEVER
from detector.training.scene_trial import (
    TrialEvent,
    TrialScene,
    TrialSound,
    choose_threshold,
    class_thresholds,
    count_events,
    strongest,
)

STOPS = np.arange(1, 41) * 0.25
SOUND = TrialSound(0, 2.0, 3.0)


def scene(own: float, other: float = NEVER, quiet: float = NEVER) -> TrialScene:
    """Ten seconds with one sound of class 0, in which these levels are reached; `quiet` long after it."""
    levels = np.full((40, 2), NEVER, np.float32)
    during = (STOPS > 2) & (STOPS < 3.5)
    levels[during] = [own, other]
    levels[(STOPS > 7) & (STOPS < 8)] = [quiet, NEVER]
    return TrialScene(STOPS, levels, (SOUND,), 10.0)


NOTHING = np.zeros(0, np.float32)


def test_two_windows_in_a_row_must_reach_a_level():
    assert strongest(np.array([[1.0], [5.0], [1.0]], np.float32)).tolist() == [1.0]
    assert strongest(np.array([[1.0], [5.0], [4.0]], np.float32)).tolist() == [4.0]


def test_the_lowest_threshold_is_chosen_where_nothing_is_wrong():
    assert choose_threshold([scene(5.0)], NOTHING, 2) == 0


def test_what_is_wrong_raises_the_threshold_over_it():
    for wrong in (scene(9.0, other=3.0), scene(9.0, quiet=3.0)):
        assert choose_threshold([wrong] * 3, NOTHING, 2) == 3.25


def test_what_a_long_window_remembers_of_a_sound_is_no_mistake():
    remembered = scene(9.0)
    remembered.levels[(STOPS > 3.5) & (STOPS < 6)] = [5.0, NEVER]
    assert choose_threshold([remembered] * 3, NOTHING, 2) == 5.25
    assert choose_threshold([replace(remembered, memory_seconds=3.0)] * 3, NOTHING, 2) == 0


def test_other_sounds_raise_the_threshold_until_few_of_them_pass():
    unknown = np.linspace(-5, 5, 1001).astype(np.float32)
    chosen = choose_threshold([scene(9.0)], unknown, 2)
    assert (unknown >= chosen).mean() <= 0.015
    assert (unknown >= chosen - 0.25).mean() > 0.015


def test_more_classes_may_take_more_of_the_other_sounds():
    unknown = np.linspace(-5, 5, 1001).astype(np.float32)
    assert choose_threshold([scene(9.0)], unknown, 10) < choose_threshold([scene(9.0)], unknown, 2)


def test_no_class_loses_all_but_a_twentieth_of_its_sounds_to_the_common_threshold():
    scenes = [scene(own) for own in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert class_thresholds(scenes, [], 2.0, 2).tolist() == [2.0, 2.0]
    assert class_thresholds(scenes, [], 9.0, 2) == pytest.approx([4.8, 9.0])
    assert class_thresholds(scenes, [(0, 1.0), (0, 2.0), (0, 3.0), (1, 9.5)], 9.0, 2) == pytest.approx(
        [2.9, 9.0]
    )


def event(label: int, onset: float, decided: float = 2.6) -> TrialEvent:
    return TrialEvent(label, onset, onset + 1, decided)


def test_events_are_counted_against_the_sounds():
    figures = count_events(
        [
            (scene(5.0), [event(0, 2.1)]),
            (scene(5.0), [event(0, 2.8)]),
            (scene(5.0), [event(1, 2.0), event(0, 7.0)]),
        ]
    )
    assert figures.sounds == 3
    assert figures.found == pytest.approx(2 / 3)
    assert figures.event_f1 == pytest.approx(2 * 1 / (4 + 3))
    assert figures.wrong_per_hour == pytest.approx(2 * 3600 / 30)
    assert figures.latency == pytest.approx(0.6)
    assert figures.classes == {0: pytest.approx(2 / 3)}


def test_without_an_event_there_is_no_latency():
    figures = count_events([(scene(5.0), [])])
    assert (figures.found, figures.wrong_per_hour) == (0.0, 0.0)
    assert np.isnan(figures.latency)
