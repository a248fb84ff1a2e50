"""The real program tells of an alarm: by a command, and by a webhook to a server on loopback."""

from __future__ import annotations

import json

import pytest

from tests.support.program import ALARM, DEMO, RATE, alarm
from tests.support.web_server import status, web_server

pytestmark = pytest.mark.slow

CONFIG = """\
model: {{name: yamnet, runtime: tflite}}
notify:
  webhooks: [{{name: server, url: "{url}"}}]
  commands: [{{name: note, argv: [/bin/sh, -c, 'echo "$SOUND_DETECTOR_TEXT" > "$0"', "{said}"]}}]
  rules:
    - {{name: alarms, labels: [alarms]}}
"""


@pytest.mark.usefixtures("model")
def test_an_alarm_that_comes_through_a_pipe_is_told(start, tmp_path):
    said = tmp_path / "said"
    with web_server(status(204)) as server:
        config = tmp_path / "config.yaml"
        config.write_text(CONFIG.format(url=server.url, said=said))
        program = start("--config", str(config), "--input", "-", "--rate", str(RATE), "--sink", "stdout")
        program.feed(alarm())
        event = program.event("start", ALARM)
        assert program.end() == 0
    ((_, headers, body),) = server.requests
    assert json.loads(body) == event
    assert headers["idempotency-key"] == f"{event['id']}/alarms"
    assert said.read_text().startswith(f"{ALARM} (0.")


@pytest.mark.usefixtures("model")
def test_a_recording_at_full_speed_tells_nobody(run, tmp_path):
    said = tmp_path / "said"
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:1/", said=said))
    assert run("--config", str(config), "--input", DEMO, "--sink", "stdout").status == 0
    assert not said.exists()
