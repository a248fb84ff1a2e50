"""The whole way: a clip is played, the real PyAudio hears it, a subscriber of the socket is told."""

from __future__ import annotations

import re
import signal
import sys

import pytest
import soundfile

from tests.support.program import ALARM, RATE, ROOT, demo_samples, events
from tests.support.virtualmic import Unavailable, VirtualMicrophone

pytest.importorskip("pyaudio", reason="PyAudio is not installed (apt install portaudio19-dev)")

pytestmark = pytest.mark.slow

SUBSCRIBER = """\
import json, os, socket

path = os.environ["XDG_RUNTIME_DIR"] + "/sound-detector/events.sock"
connection = socket.socket(socket.AF_UNIX)
connection.connect(path)
request = {"labels": ["Dog", "Smoke detector, smoke alarm"], "min_score": 0.4}
connection.sendall(json.dumps(request).encode() + b"\\n")  # without a request, all messages come
for line in connection.makefile(encoding="utf-8"):
    message = json.loads(line)
    if message["type"] == "start":
        print(message["start_time"], message["label"], message["score"])
"""
"""The example of docs/protocol.md."""


@pytest.fixture(params=[(16000, 1), (48000, 2)], ids=["16 kHz mono", "48 kHz stereo"])
def microphone(request):
    rate, channels = request.param
    try:
        with VirtualMicrophone(rate=rate, channels=channels) as running:
            yield running
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_the_subscriber_is_the_example_of_the_protocols_text():
    assert SUBSCRIBER in (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("model")
def test_a_sound_at_the_microphone_becomes_a_line_of_a_subscriber(microphone, start, tmp_path):
    """`--device 1` and no sink named: standard output and the user's own socket tell the same event."""
    soundfile.write(tmp_path / "alarm.wav", demo_samples(6.7, 10.5), RATE)
    daemon = start("--device", "1", "-v", variables=microphone.variables)
    daemon.says("daemon.listening source='default'")
    subscriber = start(
        variables=microphone.variables | {"PYTHONUNBUFFERED": "1"},
        command=(sys.executable, "-I", "-S", "-u", "-c", SUBSCRIBER),
    )
    daemon.says("socket.connected")
    microphone.play(tmp_path / "alarm.wav")
    line = subscriber.out.wait(lambda line: ALARM in line)
    told = daemon.event("start", ALARM)
    assert line == f"{told['start_time']} {ALARM} {told['score']}"
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line)
    daemon.send(signal.SIGTERM)
    assert daemon.end() == 0
    assert subscriber.end() == 0
    assert told["source"] == "default"
    assert [f["label"] for f in events(daemon.out.seen) if f["type"] == "end" and f["id"] == told["id"]] == [
        ALARM
    ]


@pytest.mark.usefixtures("model")
def test_a_muted_microphone_is_told_in_the_log_and_with_what_to_do(microphone, start):
    """A loudspeaker that plays nothing: its monitor delivers zeros."""
    daemon = start("--device", "1", "-q", variables=microphone.variables)
    line = daemon.says("daemon.silent source='default'")
    assert "is the microphone muted?" in line
    assert "`sound-detector devices` lists them" in line
    daemon.send(signal.SIGTERM)
    assert daemon.end() == 0
    assert daemon.err.seen == [line]
