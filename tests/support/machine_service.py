"""The service on a booted machine (`machine.py`): what tests ask systemd and the journal there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.demo import recording_path
from detector.files.data_folders import models_folder
from tests.support.machine import Machine, Unavailable, missing, until

CONFIG = "etc/sound-detector/config.yaml"
DROP_INS = "etc/systemd/system/sound-detector.service.d"

RECORDING = """\
source: {input: /srv/recording.flac, realtime: true, name: recording}
sinks: [stdout:text, socket]
"""
"""Settings for what `lay_recording` put there."""


class Service:
    """`systemctl` and `journalctl` inside the machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.root = machine.root

    def systemctl(self, *arguments: str) -> None:
        done = self.machine.run("systemctl", *arguments)
        assert done.returncode == 0, done.stdout

    def show(self, name: str) -> str:
        return self.machine.run(
            "systemctl", "show", "--property", name, "--value", "sound-detector"
        ).stdout.strip()

    def journal(self, *arguments: str) -> str:
        return self.machine.run("journalctl", "--no-pager", "--unit=sound-detector", *arguments).stdout

    def start(self, *, config: str, drop_in: str = "", wait: bool = True) -> None:
        """Start with these settings and this addition to the unit; waits for READY."""
        self.machine.run("systemctl", "stop", "sound-detector")
        (self.root / CONFIG).write_text(config)
        (self.root / DROP_INS / "test.conf").write_text(drop_in)
        self.systemctl("daemon-reload")
        self.machine.run("systemctl", "reset-failed", "sound-detector")
        self.systemctl(*(() if wait else ("--no-block",)), "start", "sound-detector")

    def until_state(self, state: str, *, seconds: float = 20) -> None:
        until(lambda: self.show("ActiveState") == state, seconds=seconds, what=f"the service is {state}")

    def until_status(self, *parts: str, seconds: float = 20) -> str:
        """The status once it has one of these texts in it."""
        return until(
            lambda: text if any(part in (text := self.show("StatusText")) for part in parts) else "",
            seconds=seconds,
            what=f"a status with {' or '.join(parts)}, but {self.show('StatusText')!r}",
        )

    def until_restarted(self, times: int, *, seconds: float = 30) -> None:
        until(lambda: int(self.show("NRestarts")) >= times, seconds=seconds, what=f"restart number {times}")


def service_python() -> str:
    """An interpreter that a service can see: the system's, else the one this runs on."""
    for candidate in ("/usr/bin/python3", str(Path(sys.base_prefix, "bin", "python3").resolve())):
        if candidate.startswith(("/root/", "/home/")) or not Path(candidate).exists():
            continue
        test = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
        if subprocess.run([candidate, "-c", test], capture_output=True, check=False).returncode == 0:
            return candidate
    raise Unavailable("there is no Python 3.11 or newer outside the home folders (apt install python3-venv)")


def skip(reason: str) -> None:
    """Skip, unless somebody asked for exactly these tests."""
    if os.environ.get("SOUND_DETECTOR_TEST_SYSTEMD") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@contextmanager
def machine_and_model() -> Iterator[tuple[Machine, Path]]:
    """A machine that was made and not booted, and the model for it; skips where one of them cannot be had."""
    model = models_folder() / "yamnet" / "yamnet.tflite"
    if not model.exists():
        skip("the model is not here: sound-detector models pull yamnet")
    if reason := missing():
        skip(reason)
    machine = Machine()
    try:
        machine.make()
        yield machine, model
    except Unavailable as error:
        skip(str(error))
    finally:
        machine.close()


def lay_recording(root: Path, *, times: int) -> None:
    """The bundled recording of 21 s, so many times, where `RECORDING` looks for it."""
    path = root / "srv/recording.flac"
    if not path.exists():
        samples, rate = soundfile.read(recording_path(), dtype="int16")
        soundfile.write(path, np.tile(samples, times), rate)
        path.chmod(0o644)
