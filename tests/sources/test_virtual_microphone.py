"""The real PyAudio: a virtual microphone, and machines without any."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
import soundfile

from tests.support import ROOT
from tests.support.virtualmic import Unavailable, VirtualMicrophone, environment_without_devices

pytest.importorskip("pyaudio", reason="PyAudio is not installed (apt install portaudio19-dev)")

pytestmark = pytest.mark.slow

LIMIT_SECONDS = 60.0
CAPTURE = Path(__file__).with_name("capture.py")
DEVICES = "import sys; from detector.sources.device_list import devices_command as d; d({!r}, {})"


def python(*arguments, environment, **changes):
    """Run Python in the environment of a sound server; a crash or a hang fails the test."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
        **changes,
    )


@contextmanager
def capturing(server, device, out, *endless, rate=16000):
    """Start capture.py and wait until it listens; killed after LIMIT_SECONDS."""
    command = [sys.executable, str(CAPTURE), device, str(rate), str(out), *endless]
    environment = server.environment | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        limit = Timer(LIMIT_SECONDS, child.kill)
        limit.start()
        try:
            assert child.stdout.readline().startswith("listening")
            yield child
        finally:
            limit.cancel()
            child.kill()


@contextmanager
def virtual_microphone(**form):
    try:
        with VirtualMicrophone(**form) as server:
            yield server
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def server():
    with virtual_microphone() as running:
        yield running


def test_the_devices_are_listed_without_a_word_on_standard_error(server):
    done = python("-c", DEVICES.format(1, True), environment=server.environment)
    assert (done.returncode, done.stderr) == (0, "")
    listed = json.loads(done.stdout)
    assert [(entry["index"], entry["name"]) for entry in listed] == [(0, "vmic"), (1, "default")]
    assert [entry["used"] for entry in listed] == [False, True]
    assert all(16000 in entry["rates"] for entry in listed)


@pytest.mark.parametrize("device", ["1", "vmi", ""])
def test_what_is_played_arrives_bit_for_bit(server, tmp_path, device):
    noise = np.random.default_rng(3).integers(1, 8000, 16000).astype(np.int16)
    soundfile.write(tmp_path / "noise.wav", noise, 16000)
    with capturing(server, device, tmp_path / "got.npy") as child:
        server.play(tmp_path / "noise.wav")
        assert child.wait(LIMIT_SECONDS) == 0
    assert np.array_equal(np.trim_zeros(np.load(tmp_path / "got.npy")), noise)


def test_a_tone_from_a_stereo_server_at_48_khz_keeps_pitch_and_level(tmp_path):
    tone = 10_000 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    soundfile.write(tmp_path / "tone.wav", np.rint(np.stack([tone, tone], axis=1)).astype(np.int16), 48000)
    out = tmp_path / "got.npy"
    with virtual_microphone(rate=48000, channels=2) as server, capturing(server, "1", out) as child:
        server.play(tmp_path / "tone.wav")
        assert child.wait(LIMIT_SECONDS) == 0
    got = np.trim_zeros(np.load(tmp_path / "got.npy")).astype(float)
    middle = got[4000:12000]
    assert abs(len(got) - 16000) < 800
    assert np.abs(np.fft.rfft(middle)).argmax() * 16000 / 8000 == 440
    assert middle.std() == pytest.approx(10_000 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("end", [VirtualMicrophone.kill, VirtualMicrophone.unplug])
def test_a_microphone_that_goes_away_is_a_lost_device_and_no_hang(tmp_path, end):
    with virtual_microphone() as server, capturing(server, "1", tmp_path / "got.npy", "endless") as child:
        end(server)
        assert child.stdout.readline().startswith("lost the microphone 'default' stopped delivering")
        assert child.wait(LIMIT_SECONDS) == 0


@pytest.mark.parametrize("device", ["99", "-1", "kitchen"])
def test_a_device_that_is_not_there_is_one_clear_line_and_no_crash(server, tmp_path, device):
    done = python(str(CAPTURE), device, "16000", str(tmp_path / "got.npy"), environment=server.environment)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("error DeviceNotFound no microphone has ")
    assert done.stdout.endswith("expected one of 0 'vmic', 1 'default'\n")


@pytest.mark.parametrize("device", ["", "0", "99", "mic"])
def test_a_machine_without_devices_says_so_and_does_not_crash(tmp_path, device):
    done = python(
        str(CAPTURE),
        device,
        "16000",
        str(tmp_path / "got.npy"),
        environment=environment_without_devices(tmp_path),
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("error DeviceNotFound no microphone found; plug one in")
    assert done.stdout.count("\n") == 1


def test_a_process_without_standard_error_can_list_devices(tmp_path):
    script = f"import os; os.close(2)\n{DEVICES.format(None, True)}"
    done = python("-c", script, environment=environment_without_devices(tmp_path))
    assert (done.returncode, done.stdout) == (0, "[]\n")


def test_standard_error_works_again_afterwards(tmp_path):
    script = f"import os\n{DEVICES.format(None, True)}\nos.write(2, b'still here')"
    done = python("-c", script, environment=environment_without_devices(tmp_path))
    assert done.stderr == "still here"
