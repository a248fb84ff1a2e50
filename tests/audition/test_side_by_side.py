"""Pipelines beside each other: each gives what it would give alone, and the networks score a window once."""

from __future__ import annotations

import numpy as np
import pytest

from detector.assemble.variants import gated_and_ungated
from detector.audition.side_by_side import (
    GATED,
    KEPT_SCORES,
    UNGATED,
    RecentScores,
    SharedClassifier,
    run_recording,
)
from detector.config.settings import GateSettings, Settings
from detector.errors import DeviceLost, SourceError
from detector.records import Scores, Span, Window
from tests.support.fakes import FakeClassifier, FakeSource, cut, make_spec

RATE = 16000
SPEC = make_spec("Bell", threshold_on=0.5)
SETTINGS = Settings(gate=GateSettings(mode="level"))


def loud_is_bell(window):
    return [0.9 if np.abs(window.samples).max() > 0.1 else 0.0]


def sound():
    """Ten seconds of faint noise with a loud second at 6 s."""
    samples = np.random.default_rng(1).normal(0, 30, 10 * RATE)
    samples[6 * RATE : 7 * RATE] += 8000 * np.sin(np.arange(RATE))
    return samples.astype(np.int16)


def blocks():
    return cut(sound(), 1600)


@pytest.fixture(scope="module")
def both():
    """The classifier, and what both pipelines gave."""
    classifier = FakeClassifier(SPEC, loud_is_bell)
    return classifier, run_recording(FakeSource(blocks()), classifier, gated_and_ungated(SETTINGS))


def alone(name):
    """What one pipeline gives without the other."""
    classifier = FakeClassifier(SPEC, loud_is_bell)
    pipeline = gated_and_ungated(SETTINGS)[name](classifier)
    events = [event for block in blocks() for event in pipeline.push(block)] + pipeline.flush()
    return events, classifier.stops


@pytest.mark.parametrize("name", [GATED, UNGATED])
def test_each_gives_what_it_gives_alone(both, name):
    events, stops = alone(name)
    _, (length, outputs) = both
    assert length == 10 * RATE
    assert outputs[name].events == events
    assert [scores.span.stop for scores in outputs[name].scores] == stops
    assert {event.label.name for event in events} == {"Bell"}


def test_a_window_is_scored_once_for_both(both):
    classifier, (_, outputs) = both
    assert len(outputs[GATED].scores) < len(outputs[UNGATED].scores)
    assert sorted(classifier.stops) == [scores.span.stop for scores in outputs[UNGATED].scores]


def test_the_source_is_closed_when_it_fails():
    source = FakeSource([*blocks()[:3], DeviceLost("unplugged")])
    with pytest.raises(SourceError, match="unplugged"):
        run_recording(source, FakeClassifier(SPEC, loud_is_bell), gated_and_ungated(SETTINGS))
    assert len(source.closed_by) == 1


def test_memory_does_not_grow_with_the_stream():
    recent = RecentScores()
    for stop in range(KEPT_SCORES + 2):
        recent.add(stop, Scores(Span(stop - 1, stop), np.zeros(1, np.float32)))
    assert 1 not in recent
    assert 2 in recent
    assert recent[KEPT_SCORES + 1].span.stop == KEPT_SCORES + 1
    with pytest.raises(KeyError):
        recent[1]


def test_a_window_that_is_no_longer_kept_is_scored_again():
    classifier = FakeClassifier(make_spec("Bell", window=1), lambda window: [0.5])
    shared = SharedClassifier(classifier)
    windows = [
        Window(Span(stop - 1, stop), np.zeros(1, np.float32)) for stop in (*range(1, KEPT_SCORES + 2), 1)
    ]
    for window in windows:
        assert shared.scores(window).span == window.span
    assert classifier.stops.count(1) == 2
    shared.close()
    assert not classifier.closed
