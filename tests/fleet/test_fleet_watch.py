"""What cannot be right in a fleet is said in one line, and not again and again."""

from __future__ import annotations

import json
import logging

import pytest

from detector.fleet.fleet_event import NodeFact, event_of
from detector.fleet.fleet_watch import AGAIN_SECONDS, SILENCE_SECONDS, FleetWatch
from tests.support.fleet_events import HEARD, PREFIX, payload, topic


class Watched:
    """A watch, its clock, and what it said."""

    def __init__(self, caplog):
        self._watch, self._caplog, self.now, self.utc = FleetWatch(), caplog, 0.0, HEARD
        caplog.set_level(logging.INFO, "detector")

    def said(self):
        lines = [record.getMessage() for record in self._caplog.records]
        self._caplog.clear()
        return lines

    def comes(self, *events, stats=()):
        """Events, and what a daemon said of itself."""
        facts = [NodeFact("hall", "", "stats", json.dumps(one)) for one in stats]
        self._watch.look(events, facts, utc=self.utc, now=self.now)

    def connects(self):
        self._watch.connected(self.now)

    def after(self, seconds):
        self.now += seconds
        self._watch.look_at_silence("mqtt://broker", self.now)


@pytest.fixture
def watched(caplog):
    return Watched(caplog)


def event(start_time):
    return event_of(topic(), payload(1, start_time=start_time), prefix=PREFIX)


def test_a_broker_that_delivers_nothing_is_told_once_until_something_comes(watched):
    watched.connects()
    watched.after(SILENCE_SECONDS - 1)
    assert watched.said() == []
    watched.after(1.0)
    watched.after(1000.0)
    (line,) = watched.said()
    assert line.startswith("collect.silent broker=mqtt://broker: expected something") and "--prefix" in line
    watched.comes(stats=[{"run": "a"}])
    watched.after(SILENCE_SECONDS)
    assert len(watched.said()) == 1


def test_without_a_connection_nothing_is_expected(watched):
    watched.after(1000.0)
    assert watched.said() == []


@pytest.mark.parametrize("wrong", ["1976-11-28T12:00:00Z", "2076-11-28T12:00:00Z"])
def test_a_clock_that_is_years_wrong_is_told_once_an_hour(watched, wrong):
    watched.comes(event(wrong), event(wrong))
    (line,) = watched.said()
    assert "collect.clock node=hall" in line and wrong[:10] in line and "set that machine's clock" in line
    watched.now += AGAIN_SECONDS
    watched.comes(event(wrong))
    assert len(watched.said()) == 1


def test_events_of_a_long_outage_are_not_blamed_on_a_clock(watched):
    watched.utc = HEARD + 90 * 86_400
    watched.comes(event("2026-08-01T14:03:22.500Z"))
    assert watched.said() == []


@pytest.mark.parametrize("key", ["run", "generation"])
def test_two_daemons_of_one_name_are_told(watched, key):
    for value in "abab":
        watched.comes(stats=[{key: value}])
    (line,) = watched.said()
    assert "collect.two_daemons node=hall: expected one daemon" in line and "`node` of its own" in line


def test_a_daemon_that_starts_again_and_again_is_one_daemon(watched):
    for run in ("a", "a", "b", "c", "c", "d"):
        watched.comes(stats=[{"run": run}, {"run": run}])
    watched.comes(stats=[{}, {}])
    assert watched.said() == []
