"""Which line answers which onset, and how late it is."""

import json

import pytest

from benchmarks.cost.latency import Line, match, summary
from benchmarks.support.sounds import RATE
from benchmarks.support.soundscape import Onset
from detector.records import Event, Label

ONSETS = [Onset("Dog bark", 1 * RATE), Onset("Rain", 4 * RATE), Onset("Dog bark", 8 * RATE)]


def start(label: str, seconds: float, delay: float = 0.0) -> Line:
    return Line("start", label, round(seconds * RATE), delay)


def test_the_first_right_line_before_the_next_onset_counts() -> None:
    lines = [start("Bark", 1.5, 0.25), start("Dog", 2.0), start("Rain", 5.0), start("Dog", 7.0)]
    result = summary("balanced", ONSETS, lines)
    assert result.found == [0.75, 1.0]
    assert result.classes == {"Dog bark": (2, 1, 0.75), "Rain": (1, 1, 1.0)}


def test_only_starts_answer_but_every_line_has_a_delay() -> None:
    lines = [Line("end", "Rain", 5 * RATE, 0.01), start("Speech", 5.5, 0.02)]
    result = summary("balanced", ONSETS, lines)
    assert result.found == []
    assert result.delays == [0.01, 0.02]


def event(label: str, decided: int) -> Event:
    return Event("start", 1, Label(label, "/m/x", "yamnet"), 0, None, decided, 0.5, 0.5, -30.0)


def line(label: str) -> bytes:
    fields = {"type": "start", "label": label, "time": "1970-01-01T00:01:40.500Z"}
    return json.dumps(fields).encode()


def test_a_line_is_late_by_its_arrival_less_its_time() -> None:
    assert match([(100.75, line("Dog"))], [event("Dog", 3840)]) == [Line("start", "Dog", 3840, 0.25)]


def test_lines_that_are_not_the_recordings_events_are_refused() -> None:
    with pytest.raises(SystemExit, match="1 lines differ from the 1 events"):
        match([(100.75, line("Dog"))], [event("Cat", 3840)])
