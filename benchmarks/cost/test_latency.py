"""Which line answers which onset, and how late it is; a daemon's lines are the events expected of it."""

import json

import pytest

from benchmarks.cost.latency import Line, match, play, summary
from benchmarks.support.daemon_setup import DEFAULT, YAMNET, DaemonSetup, PlayedRecording
from benchmarks.support.sounds import RATE
from benchmarks.support.soundscape import Onset
from detector.demo import recording_path
from detector.errors import ModelError
from detector.records import Event, Label

ONSETS = [Onset("Dog bark", 1 * RATE), Onset("Rain", 4 * RATE), Onset("Dog bark", 8 * RATE)]


def start(label: str, seconds: float, delay: float = 0.0) -> Line:
    return Line("start", label, seconds, delay)


def test_the_first_right_line_before_the_next_onset_counts() -> None:
    lines = [start("Bark", 1.5, 0.25), start("Dog", 2.0), start("Rain", 5.0), start("Dog", 7.0)]
    result = summary(DEFAULT, ONSETS, lines)
    assert result.found == [0.75, 1.0]
    assert result.classes == {"Dog bark": (2, 1, 0.75), "Rain": (1, 1, 1.0)}


def test_only_starts_answer_but_every_line_has_a_delay() -> None:
    lines = [Line("end", "Rain", 5.0, 0.01), start("Speech", 5.5, 0.02)]
    result = summary(DEFAULT, ONSETS, lines)
    assert result.found == []
    assert result.delays == [0.01, 0.02]


def event(label: str, decided: int) -> Event:
    return Event("start", 1, Label(label, "/m/x", "yamnet"), 0, None, decided, 0.5, 0.5, -30.0)


def line(label: str) -> bytes:
    fields = {"type": "start", "label": label, "time": "1970-01-01T00:01:40.500Z"}
    return json.dumps(fields).encode()


def test_a_line_is_late_by_its_arrival_less_its_time() -> None:
    expected = PlayedRecording([event("Dog", 3840)], 16000)
    assert match([(100.75, line("Dog"))], expected, DEFAULT) == [Line("start", "Dog", 0.24, 0.25)]


def test_samples_are_counted_at_the_models_rate() -> None:
    expected = PlayedRecording([event("Dog", 3840)], 32000)
    assert match([(100.75, line("Dog"))], expected, DEFAULT) == [Line("start", "Dog", 0.12, 0.25)]


def test_lines_that_are_not_the_recordings_events_are_refused() -> None:
    with pytest.raises(SystemExit, match="daemon, home: 1 lines differ from the 1 events"):
        match([(100.75, line("Dog"))], PlayedRecording([event("Cat", 3840)], 16000), DEFAULT)


def test_the_settings_are_those_of_the_daemons_own_command() -> None:
    settings = DaemonSetup("mn04", "alert").settings()
    assert (settings.model.name, settings.model.heads, settings.events.preset) == ("mn04", (), "alert")


@pytest.mark.slow
@pytest.mark.parametrize("daemon", [DEFAULT, YAMNET, DaemonSetup("yamnet", "alert")], ids=str)
def test_a_daemon_writes_the_events_that_are_expected_of_it(daemon: DaemonSetup) -> None:
    try:
        expected = daemon.play(recording_path())
    except ModelError as error:
        pytest.skip(str(error))
    lines = match(play(recording_path(), [daemon])[daemon], expected, daemon)
    assert 0 < lines[0].decided_seconds < lines[-1].decided_seconds < 25
