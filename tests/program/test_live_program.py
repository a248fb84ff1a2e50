"""The real program is watched, heard and controlled through its socket, and draws what it heard."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from detector.history.picture_table import event_picture
from tests.support.event_socket import Client
from tests.support.program import Program, alarm, quiet

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("model")]

CONFIG = """
model: {name: yamnet}
source: {input: "-", name: hall}
history: {path: history.db}
sinks:
  - {kind: stdout, format: json}
  - {kind: socket, target: "unix://SOCKET", sound: true}
"""


def first(client: Client, kind: str) -> dict[str, Any]:
    """The first message of this type."""
    found: dict[str, Any] = next(line for line in iter(client.read, None) if line["type"] == kind)
    return found


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
