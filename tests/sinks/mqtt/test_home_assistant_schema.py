"""What Home Assistant is told, judged by its own code: docs/development.md says where that comes from."""

import json
import os
import shlex
import subprocess

import pytest

from detector.sinks.mqtt.discovery import DeviceFacts, components, discovery_payload
from detector.sinks.mqtt.sound_classes import all_classes
from detector.sinks.mqtt.topics import Topics
from tests.support import ROOT

PYTHON = os.environ.get("SOUND_DETECTOR_HOME_ASSISTANT", "")
LABELS = ["Smoke detector, smoke alarm", "Dog", "Türklingel", "猫", "Bell"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON, reason="SOUND_DETECTOR_HOME_ASSISTANT does not name a Python that has Home Assistant"
    ),
]


def judged(payload):
    """Exit status and lines of the check."""
    script = (ROOT / "tests" / "support" / "home_assistant_schema.py").read_text(encoding="utf-8")
    done = subprocess.run(
        [*shlex.split(PYTHON), "-c", script], input=payload, capture_output=True, timeout=100, check=False
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def told(topics, removed=None):
    facts = DeviceFacts("Kitchen", "1.0", can_pause=True)
    return discovery_payload(topics, facts, components(topics, facts, all_classes(LABELS)), removed or {})


@pytest.mark.parametrize("source", ["", "porch"])
def test_home_assistant_takes_the_device_and_every_entity(source):
    status, lines = judged(told(Topics("home/sounds", "kitchen-pi", source), {"class_cat": "binary_sensor"}))
    assert status == 0, lines
    for entity in ("event sound", "binary_sensor class_turklingel", "sensor level", "switch listen"):
        assert entity in lines
    assert "binary_sensor class_cat: removed" in lines


def test_the_check_finds_a_key_that_home_assistant_does_not_know():
    payload = json.loads(told(Topics("s", "n")))
    payload["cmps"]["level"]["colour"] = "red"
    status, lines = judged(json.dumps(payload).encode())
    assert (status, "unknown key colour" in lines) == (1, True)
