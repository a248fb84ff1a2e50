"""Several sources in the real program: the events of separate runs, and a camera that comes and goes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.program import ALARM, DEMO, RATE, Program, alarm, demo_samples, events, quiet, speech
from tests.support.rtsp_server import RtspServer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("model")]

Start = Callable[..., Program]

TIMES = ("start_time", "end_time", "time")
SECRET = "zaunkoenig"  # noqa: S105


def comparable(program: Program) -> dict[str, list[dict[str, Any]]]:
    """Source -> its events, without what differs from run to run: numbers, the run, the time of day."""
    found: dict[str, list[dict[str, Any]]] = {}
    for event in events(program.out.seen):
        event["id"] = event["id"].rpartition("-")[2]
        rest = {key: value for key, value in event.items() if key not in ("seq", *TIMES)}
        found.setdefault(event["source"], []).append(rest)
    return found


def test_four_files_in_one_process_have_the_events_of_four_runs(run: Start, tmp_path: Path) -> None:
    """To the last digit of every score."""
    sounds = {
        "attic": alarm(),
        "cellar": np.concatenate([speech(), alarm()]),
        "porch": np.concatenate([quiet(1.13), alarm(), speech()]),
    }
    files = {"demo": DEMO}
    for name, samples in sounds.items():
        files[name] = str(tmp_path / f"{name}.wav")
        soundfile.write(files[name], samples, RATE)
    flags = [part for name, path in files.items() for part in ("--source", f"{name}=file:{path}")]
    together = comparable(run(*flags))
    for name, path in files.items():
        assert together.pop(name) == comparable(run("--input", path, "--name", name))[name]
    assert together == {}


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg not installed (apt install ffmpeg)")
def test_a_camera_with_a_password_comes_and_goes_beside_a_recording(start: Start, tmp_path: Path) -> None:
    """Its sound is told under its name; nobody sees the password; nothing is left behind."""
    sound = np.concatenate([demo_samples(6.7, 10.5), quiet(60)])
    password = f"admin:{SECRET}"
    soundfile.write(tmp_path / "short.wav", quiet(1.0), RATE)
    with RtspServer(sound, password=password) as server:
        address = tmp_path / "porch.url"
        address.write_text(server.url(password))
        address.chmod(0o600)
        socket = f"unix://{tmp_path}/events.sock"
        daemon = start(
            *("--source", "porch=url-file:porch.url", "--source", "file=file:short.wav"),
            *("--sink", "stdout:json", "--sink", f"socket:{socket}"),
        )
        daemon.says("daemon.stopped source='file'")
        daemon.says("daemon.listening source='porch'")
        heard = daemon.event("start", ALARM)
        assert heard["source"] == "porch"
        assert "-porch-" in heard["id"]
        assert (
            SECRET not in subprocess.run(["ps", "axeww"], capture_output=True, text=True, check=True).stdout
        )
        report = start("status", socket, "--json")
        assert report.end() == 0
        values = json.loads(report.out.seen[0])
        assert values["state"] == "listening"
        assert [(each["name"], each["state"]) for each in values["sources"]] == [
            ("porch", "listening"),
            ("file", "stopped"),
        ]
        server.drop()
        assert "the stream has ended" in daemon.says("daemon.device_lost source='porch'")
        daemon.err.wait(lambda line: server.clients == 2 or "daemon.listening source='porch'" in line)
        daemon.send(signal.SIGTERM)
        assert daemon.end() == 0
    assert SECRET not in "".join(daemon.err.seen + daemon.out.seen + report.out.seen)
    children = ["ps", "-o", "args=", "--ppid", str(daemon.process.pid)]
    left = subprocess.run(children, capture_output=True, text=True, check=False)
    assert left.stdout == ""
