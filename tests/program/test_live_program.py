"""The real program is watched, heard and controlled through its socket, and draws what it heard."""

from __future__ import annotations

import base64
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from detector.history.picture_table import event_picture
from tests.support.event_socket import Client
from tests.support.program import Program, alarm, quiet
from tests.support.virtualmic import Unavailable, VirtualMicrophone

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("model")]

CONFIG = """
model: {name: yamnet}
source: {input: "-", name: hall}
history: {path: history.db}
sinks:
  - {kind: stdout, format: json}
  - {kind: socket, target: "unix://SOCKET", sound: true}
"""


def first(client: Client, kind: str, *states: str) -> dict[str, Any]:
    """The next message of this type, with one of these states where some are named."""
    for line in iter(client.read, None):
        if line["type"] == kind and (not states or line["state"] in states):
            return dict(line)
    raise AssertionError("the connection was closed")


def test_watched_heard_reloaded_and_drawn(
    start: Callable[..., Program], environment: dict[str, str], tmp_path: Path
) -> None:
    path = f"{environment['XDG_RUNTIME_DIR']}/events.sock"
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("SOCKET", path))
    program = start("run", "--config", str(config))
    program.says("socket.listening")

    daemon = SimpleNamespace(uri=f"unix://{path}")
    with (
        Client(daemon, {"spectrogram": {"source": "hall"}}) as watching,
        Client(daemon, {"sound": {}}) as listening,
    ):
        program.says("socket.sound_begins source='hall' listeners=1")
        program.feed(quiet(2))
        program.feed(alarm())
        seen = first(watching, "spectrogram")
        assert (seen["source"], seen["bands"], seen["columns"]) == ("hall", 64, 2)
        assert len(base64.b64decode(seen["data"])) == 2 * 64
        heard = first(listening, "sound")
        samples = np.frombuffer(base64.b64decode(heard["data"]), "<i2")
        whole = np.concatenate([quiet(2), alarm()])
        assert (samples == whole[heard["start"] :][: heard["samples"]]).all()
    program.says("socket.sound_ends source='hall' listeners=0")

    with Client(daemon, {"control": {"reload": True}}) as client:
        answer = first(client, "control")
        assert (answer["done"], answer["faults"], answer["needs_restart"]) == (True, [], [])
    config.write_text(config.read_text() + "gate: {mode: sideways}\n")
    with Client(daemon, {"control": {"reload": True}}) as client:
        answer = first(client, "control")
        assert not answer["done"]
        assert "sideways" in " ".join(answer["faults"])

    event = program.event("start")
    assert program.end() == 0
    picture = event_picture(tmp_path / "history.db", event["id"])
    assert picture is not None
    assert picture.height == 64
    assert max(picture.rows) > min(picture.rows) + 40


def test_a_microphone_is_paused_by_its_socket_and_goes_on_by_itself(
    start: Callable[..., Program], environment: dict[str, str]
) -> None:
    """While it is paused nothing is seen of it, and the watcher is told why."""
    pytest.importorskip("pyaudio", reason="PyAudio is not installed (apt install portaudio19-dev)")
    try:
        microphone = VirtualMicrophone()
        microphone.__enter__()
    except Unavailable as reason:
        pytest.skip(str(reason))
    with contextlib.ExitStack() as stack:
        stack.push(microphone)
        path = f"{environment['XDG_RUNTIME_DIR']}/events.sock"
        sink = f"socket:unix://{path}"
        program = start("--device", "1", "--sink", sink, variables=microphone.variables)
        program.says("daemon.listening")
        daemon = SimpleNamespace(uri=f"unix://{path}")
        watching = stack.enter_context(Client(daemon, {"spectrogram": {}}))
        first(watching, "spectrogram")
        with Client(daemon, {"control": {"pause": True}}) as client:
            assert first(client, "control")["done"]
        first(watching, "status", "paused")
        with Client(daemon, {"control": {"pause": False}}) as client:
            assert first(client, "control")["paused"] == []
        first(watching, "status", "listening", "silent")  # nothing is played to it
        first(watching, "spectrogram")
        program.send(signal.SIGTERM)
        assert program.end() == 0
