"""The container image in a container: started as docs/packages.md says, read only and without rights.

`make test-image` runs them on what `make image` built; on the Home Assistant app only if that was built too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from tests.support.machine import until

SECONDS = 300.0
"""For one command."""

IMAGE = os.environ.get("SOUND_DETECTOR_TEST_IMAGE", "")
"""The name of the image."""
APP = "sound-detector-home-assistant-app"
DEMO = "/opt/sound-detector/venv/lib/python3.13/site-packages/detector/demo/demo.flac"
COMPOSED = (
    *("--network", "none", "--read-only", "--tmpfs", "/tmp"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
)
"""What packaging/oci/compose.yaml allows."""


def runner() -> str | None:
    return next((name for name in ("podman", "docker") if shutil.which(name)), None)


def missing() -> str | None:
    if not IMAGE:
        return "it runs an image that was built: make image, make test-image (docs/packages.md)"
    if runner() is None:
        return "podman and docker are missing"
    return None if has_image(IMAGE) else f"there is no image {IMAGE}: make image"


def has_image(name: str) -> bool:
    return run("image", "inspect", name).returncode == 0


def run(*arguments: str, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [runner() or "", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


def check(*arguments: str) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=missing() or "")]


@pytest.fixture
def volume() -> Iterator[str]:
    name = f"sound-detector-test-{uuid.uuid4().hex[:8]}"
    check("volume", "create", name)
    yield name
    check("volume", "rm", name)


@pytest.fixture
def daemon(volume: str) -> Iterator[str]:
    """A container that waits for a microphone; its name."""
    check("run", "--detach", "--name", volume, *COMPOSED, "--volume", f"{volume}:/data", IMAGE)
    yield volume
    run("rm", "--force", volume)


def inspected(name: str) -> dict[str, object]:
    (found,) = json.loads(check("inspect", name))
    assert isinstance(found, dict)
    return found


def test_it_reports_the_bundled_recording():
    said = check("run", "--rm", *COMPOSED, IMAGE, "run", "--demo", "--sink", "stdout:text")
    assert "Smoke alarm (T3)" in said
    assert "Speech" in said


def test_without_a_microphone_it_waits_and_is_healthy(daemon: str):
    until(lambda: run("exec", daemon, "sound-detector", "status").returncode == 0, seconds=60, what="healthy")
    until(lambda: "no microphone found" in check("logs", daemon), seconds=60, what="the reason")
    said = check("logs", daemon)
    assert len([line for line in said.splitlines() if "daemon.waiting" in line]) == 1
    config = inspected(daemon)["Config"]
    assert isinstance(config, dict)
    test = config["Healthcheck"]["Test"]
    assert test in (["CMD", "sound-detector", "status"], ["CMD-SHELL", "sound-detector status"])


def test_it_is_no_root_has_no_rights_and_writes_to_its_volume_alone(daemon: str):
    until(
        lambda: run("exec", daemon, "test", "-e", "/data/history.db").returncode == 0, seconds=60, what="it"
    )
    assert check("exec", daemon, "stat", "-c", "%u %G %a", "/data/history.db").split() == [
        "990",
        "audio",
        "640",
    ]
    status = check("exec", daemon, "cat", "/proc/1/status")
    assert "\nUid:\t990\t990\t990\t990\n" in status
    assert "\nCapEff:\t0000000000000000\n" in status
    assert run("exec", daemon, "touch", "/opt/sound-detector/file").returncode != 0
    assert run("exec", daemon, "touch", "/etc/sound-detector/file").returncode != 0


def test_told_to_stop_it_stops_by_itself(daemon: str):
    until(lambda: run("exec", daemon, "sound-detector", "status").returncode == 0, seconds=60, what="healthy")
    check("stop", "--time", "120", daemon)
    state = inspected(daemon)["State"]
    assert isinstance(state, dict)
    assert state["ExitCode"] == 0


def test_the_next_container_finds_the_history_in_the_volume(volume: str):
    given = ("run", "--rm", *COMPOSED, "--volume", f"{volume}:/data", IMAGE)
    check(*given, "run", "--input", DEMO, "--set", "history.enabled=true")
    kept = check(*given, "history", "--since", "2020-01-01")
    assert "Smoke alarm (T3)" in kept


def test_the_app_runs_the_same_program_and_says_what_it_needs():
    if not has_image(APP):
        pytest.skip(f"there is no image {APP}: make image IMAGE=home-assistant-app")
    said = check("run", "--rm", *COMPOSED, APP, "sound-detector", "run", "--demo", "--sink", "stdout:text")
    assert "Smoke alarm (T3)" in said
    # What the Supervisor mounts is not there; with its options and without its broker it ends with one line.
    start = "echo '{}' >/data/options.json && exec python /opt/sound-detector/start.py"
    ended = run("run", "--rm", *COMPOSED, "--tmpfs", "/data", APP, "sh", "-c", start)
    assert ended.returncode == 1
    assert "the Supervisor names no MQTT broker" in ended.stdout
    assert "Traceback" not in ended.stdout
    # The Supervisor's sound server is reached through this.
    check("run", "--rm", *COMPOSED, APP, "sh", "-c", "ls /usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so")
