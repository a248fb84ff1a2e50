"""The real program with a real broker: killed and started again, paused, asked for what is missing."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.support.mosquitto import Collector, Mosquitto, why_not
from tests.support.program import ALARM, NO_PATTERNS, alarm, quiet, speech

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.usefixtures("model"),
]


@pytest.fixture
def hub(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def seen(hub):
    with contextlib.closing(Collector(hub.port)) as collector:
        collector.wait_until_subscribed()
        yield collector


def test_a_program_that_was_killed_goes_on_and_the_broker_gets_every_event(start, hub, seen, environment):
    listening = ("--input", "-", "--sink", "stdout", "--sink", f"mqtt://{hub.host}", *NO_PATTERNS)
    killed = start(*listening)
    killed.says("mqtt.connected")
    killed.feed(speech())
    killed.event("end")
    seen.wait("/events", lambda payload: b'"end"' in payload)
    killed.feed(alarm())
    killed.event("start", ALARM)
    killed.kill()
    seen.wait("/availability", lambda payload: payload == b"offline")
    again = start(*listening)
    again.says("mqtt.connected")
    again.feed(quiet(1.0))
    again.feed(alarm())
    again.event("end", ALARM)
    assert again.end() == 0
    state = f"{environment['HOME']}/.local/state/sound-detector"
    with contextlib.closing(sqlite3.connect(f"{state}/history.db")) as history:
        kept = {seq for (seq,) in history.execute("SELECT seq FROM messages")}
    seen.wait("/availability", lambda payload: payload == b"offline", count=2)
    came = [event["seq"] for event in seen.json("/events")]
    said = [event["seq"] for event in seen.json("/events") if event.get("resent")]
    assert set(came) == kept
    assert len(came) - len(set(came)) <= len(said)
    (noted,) = Path(state).glob("mqtt-*.json.seq")
    assert [int(number) for number in noted.read_text().split()] == [max(kept)] * 2


def test_what_is_missing_for_mqtt_is_said_before_the_start(run, tmp_path):
    password = tmp_path / "gone"
    sinks = f"sinks=[{{kind: mqtt, target: 'mqtt://ada@hub', password_file: {password}}}]"
    reason = f"password file {password} cannot be read: No such file or directory"
    assert any(f"sinks[0]: {reason}" in line for line in run("check-config", "--set", sinks).err.seen)
    started = run("--input", "-", "--set", sinks)
    assert started.status == 2
    assert reason in started.err.seen[-1]
