"""Lines about one thing are few, the last word is said all the same, and what was left out is counted."""

import logging

import pytest

from detector.cli.logs import REPEAT_SECONDS, RepeatLimit
from tests.support.fakes import HandClock


class Log:
    """A log whose clock is set by hand, and what it says."""

    def __init__(self):
        self.clock, self.said, self._calls = HandClock(), [], []
        self._limit = RepeatLimit(self._write, clock=self.clock, later=self._later)

    def _write(self, record):
        self.said.append(record.getMessage())

    def _later(self, seconds, call):
        self._calls.append((self.clock.now + seconds, call))

    def log(self, text, *values, level=logging.WARNING):
        record = logging.LogRecord("detector", level, "file", 1, text, values, None)
        if self._limit.filter(record):
            self._write(record)

    def pass_by(self, seconds):
        self.clock.now += seconds
        due = [call for end, call in self._calls if end <= self.clock.now]
        self._calls = [(end, call) for end, call in self._calls if end > self.clock.now]
        for call in due:
            call()


@pytest.fixture
def log():
    return Log()


def test_about_one_thing_a_line_a_minute_is_written_and_says_how_many_were_left_out(log):
    for second in range(600):
        log.log("source.samples_lost source=%s seconds=%.3f", "Mic", second)
        log.pass_by(1.0)
    assert 10 <= len(log.said) <= 11
    assert log.said[0] == "source.samples_lost source=Mic seconds=0.000"
    assert log.said[1].endswith("(58 more like it)")


def test_the_last_word_about_a_thing_is_said_when_its_minute_is_over(log):
    for number in range(3):
        log.log("dispatch.sink_lost sink=%s lost=%d", "a", number)
        log.pass_by(1.0)
    log.pass_by(REPEAT_SECONDS)
    assert log.said == [
        "dispatch.sink_lost sink=a lost=0",
        "dispatch.sink_lost sink=a lost=2 (1 more like it)",
    ]
    log.pass_by(REPEAT_SECONDS)
    log.log("dispatch.sink_lost sink=%s lost=%d", "a", 7)
    assert log.said[2:] == ["dispatch.sink_lost sink=a lost=7"]


def test_other_things_and_what_was_asked_for_are_not_held_back(log):
    for _ in range(9):
        log.log("daemon.%s source=%r", "waiting", "x")
    log.log("daemon.%s source=%r", "listening", "x")
    log.log("%s sink=%s", "dispatch.sink_failed", "a")
    log.log("%s sink=%s", "dispatch.sink_failed", "b")
    assert len(log.said) == 4
    for _ in range(100):
        log.log("daemon.reloaded")
        log.log("metrics.request %s", "x", level=logging.DEBUG)
    assert len(log.said) == 204


def test_a_number_does_not_make_another_thing(log):
    for seconds in range(100):
        log.log("history.clock_stepped seconds=%+.0f", seconds)
    assert log.said == ["history.clock_stepped seconds=+0"]


def test_many_things_are_not_remembered_for_ever(log):
    for number in range(5000):
        log.log("socket.refused peer=%s", f"{number}")
        log.log("socket.refused peer=%s", f"{number}")
    assert len(log.said) == 5000
