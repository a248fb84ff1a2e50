"""Bad input to the real program: one clear line, the right exit status, no traceback, no crash, no hang."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from detector.files.data_folders import models_folder
from detector.modelstore.folders import shipped_folder
from tests.support.program import (
    ALARM,
    COMMAND,
    DEMO,
    LIMIT_SECONDS,
    NO_PATTERNS,
    RATE,
    alarm,
    events,
    fault,
    labels,
    quiet,
    speech,
)
from tests.support.virtualmic import Unavailable, VirtualMicrophone

pytestmark = pytest.mark.slow


def waits(program):
    """The line that says what the program waits for; it is then ended, and ends well."""
    line = program.err.wait(lambda text: "daemon.waiting" in text)
    program.send(signal.SIGTERM)
    assert program.end() == 0
    return line


TWO_MICROPHONES = """\
pcm.!default { type pulse  hint.show on  hint.description "default" }
ctl.!default { type pulse }
pcm.left { type pulse  device "mic"  hint { show on description "Left microphone" } }
pcm.leftover { type pulse  device "mic"  hint { show on description "Another microphone" } }
"""


@pytest.fixture(scope="module")
def server():
    """A sound server with a microphone at index 0 and 1."""
    try:
        with VirtualMicrophone() as running:
            yield running
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.usefixtures("model")
class TestDevices:
    @pytest.fixture(autouse=True)
    def needs_pyaudio(self):
        pytest.importorskip("pyaudio", reason="PyAudio is not installed (apt install portaudio19-dev)")

    @pytest.mark.parametrize("device", ["99", "kitchen"])
    def test_that_is_not_there(self, server, start, device):
        line = waits(start("-q", "--device", device, variables=server.variables))
        assert "no microphone has " in line
        assert device in line
        assert "expected one of 0 'vmic', 1 'default'" in line

    def test_with_a_negative_index(self, server, run):
        line = fault(run("-q", "--device", "-1", variables=server.variables), 2)
        assert "source.device" in line
        assert "got -1" in line

    def test_named_so_that_two_match(self, server, run, tmp_path):
        (tmp_path / "two.conf").write_text(TWO_MICROPHONES)
        variables = server.variables | {"ALSA_CONFIG_PATH": str(tmp_path / "two.conf")}
        line = fault(run("-q", "--device", "eft", variables=variables), 2)
        assert line.startswith("several microphones have 'eft' in its name: 0 'left', 1 'leftover'")
        assert line.endswith("give more of the name, or the index")

    @pytest.mark.parametrize("arguments", [[], ["--device", "0"], ["--device", "99"], ["--device", "USB"]])
    def test_on_a_machine_without_any(self, start, arguments):
        assert "no microphone found; plug one in" in waits(start("-q", *arguments))


class TestFilesThatCannotBeRead:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "cannot read it.wav: No such file or directory; expected a sound file"),
            (b"", "it.wav is empty (0 bytes); expected a sound file"),
            (
                b"this is not a sound\n" * 100,
                "cannot decode it.wav: Format not recognised; expected WAV, FLAC, ",
            ),
            (b"RIFF\x24\x7d\x00\x00WAVEfmt ", "cannot decode it.wav: "),
        ],
        ids=["missing", "empty", "text", "cut off in the header"],
    )
    @pytest.mark.usefixtures("model")
    def test_are_one_line(self, run, tmp_path, content, said):
        if content is not None:
            (tmp_path / "it.wav").write_bytes(content)
        program = run("-q", "--input", "it.wav")
        assert fault(program, 1).startswith(said)
        assert program.out.seen == []

    @pytest.mark.usefixtures("model")
    def test_no_samples(self, run, tmp_path):
        soundfile.write(tmp_path / "it.wav", np.zeros(0, np.int16), RATE)
        assert fault(run("-q", "--input", "it.wav"), 1) == "it.wav holds 0 samples; expected at least one"

    @pytest.mark.usefixtures("model")
    def test_nothing_on_standard_input(self, run):
        line = fault(run("-q", "--input", "-", "--sink", "stdout"), 1)
        assert line.startswith(
            "stdin ended before the first sample; expected raw signed 16-bit little-endian"
        )


@pytest.mark.usefixtures("model")
class TestFilesOfOtherForms:
    @pytest.mark.parametrize(
        ("rate", "channels", "subtype"),
        [(8000, 1, "PCM_16"), (96000, 1, "PCM_16"), (RATE, 6, "PCM_16"), (RATE, 1, "PCM_24")],
    )
    def test_are_heard_as_well(self, run, tmp_path, rate, channels, subtype):
        samples = alarm() / 32768
        if rate != RATE:
            samples = soxr.resample(samples, RATE, rate)
        soundfile.write(
            tmp_path / "it.wav", np.repeat(samples[:, None], channels, axis=1), rate, subtype=subtype
        )
        program = run("-q", "--input", "it.wav", *NO_PATTERNS)
        assert (program.status, program.err.seen) == (0, [])
        # At 8 kHz its first name is Fire alarm, which is corrected.
        assert labels(program.out.seen, "end") == [ALARM]

    def test_with_nan_and_infinity_are_heard_around_them(self, run, tmp_path):
        samples = (alarm() / 32768).astype(np.float32)
        samples[2 * RATE : 2 * RATE + 5] = np.nan
        samples[3 * RATE] = np.inf
        samples[3 * RATE + 1] = -np.inf
        soundfile.write(tmp_path / "it.wav", samples, RATE, subtype="FLOAT")
        program = run("-q", "--input", "it.wav")
        assert "source.not_finite source=it.wav: NaN or infinite samples are read as silence" in fault(
            program, 0
        )
        assert ALARM in labels(program.out.seen)

    def test_truncated_are_heard_as_far_as_they_go(self, run, tmp_path):
        soundfile.write(tmp_path / "whole.wav", alarm(), RATE, subtype="PCM_16")
        whole = (tmp_path / "whole.wav").read_bytes()
        (tmp_path / "it.wav").write_bytes(whole[: len(whole) // 2])
        program = run("-q", "--input", "it.wav")
        assert "source.truncated source=it.wav" in fault(program, 0)
        assert ALARM in labels(program.out.seen)
        assert sorted(labels(program.out.seen)) == sorted(labels(program.out.seen, "end"))


class TestModels:
    def test_unknown(self, run):
        assert fault(run("-q", "--model", "yamnett", "--input", DEMO), 2).startswith(
            "there is no model 'yamnett'"
        )

    def test_not_pulled(self, run, tmp_path):
        program = run("-q", "--input", DEMO, variables={"SOUND_DETECTOR_HOME": str(tmp_path / "empty")})
        line = fault(program, 1)
        assert line == "model yamnet is not on this machine; run: sound-detector models pull yamnet"

    @pytest.mark.usefixtures("model")
    def test_with_one_flipped_byte(self, run, tmp_path):
        folder = tmp_path / "store" / "models" / "yamnet"
        folder.mkdir(parents=True)
        content = bytearray((models_folder() / "yamnet" / "yamnet.tflite").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "yamnet.tflite").write_bytes(content)
        variables = {"SOUND_DETECTOR_HOME": str(tmp_path / "store")}
        line = fault(run("-q", "--input", DEMO, variables=variables), 1)
        assert "yamnet.tflite" in line
        assert "sha256" in line
        assert "run: sound-detector models pull yamnet" in line
        verified = run("models", "verify", "yamnet", variables=variables)
        assert verified.status == 1
        assert verified.out.seen[0].startswith("BAD  ")

    @pytest.mark.usefixtures("model")
    def test_whose_labels_do_not_match_its_outputs(self, run, tmp_path):
        shutil.copytree(
            shipped_folder() / "yamnet", tmp_path / "mine", ignore=shutil.ignore_patterns("*.tflite")
        )
        rows = (tmp_path / "mine" / "labels.csv").read_text().splitlines(keepends=True)
        (tmp_path / "mine" / "labels.csv").write_text("".join(rows[:-1]))
        line = fault(run("-q", "--model", "./mine", "--input", DEMO), 1)
        assert "gives 521 scores, but model yamnet has 520 labels" in line


class TestSettings:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "events:\n  presett: sure\n",
                "config.yaml:2: events.presett: unknown key: did you mean `preset`?",
            ),
            ("gate:\n  vad_mode: loud\n", "config.yaml:2: gate.vad_mode: expected "),
            (
                "events:\n  threshold_on: 0.3\n  threshold_off: 0.3\n",
                "config.yaml:3: events.threshold_off: expected threshold_off below threshold_on, ",
            ),
            (
                "windows:\n  hop_seconds: -0.24\n",
                "config.yaml:2: windows.hop_seconds: expected 0.03..10 s, got -0.24",
            ),
            ("events:\n  include: [Dgo]\nmodel: {name: yamnet}\n", "config.yaml:2: events.include"),
            ("events: [\n", "config.yaml:"),
        ],
        ids=["unknown key", "wrong type", "off >= on", "negative hop", "unknown label", "no YAML"],
    )
    @pytest.mark.parametrize("command", ["run", "check-config"])
    @pytest.mark.usefixtures("model")
    def test_with_one_fault_are_one_line_with_its_place(self, run, tmp_path, command, text, said):
        (tmp_path / "config.yaml").write_text(text)
        source = ["--input", DEMO]
        assert fault(run(command, "--config", "config.yaml", *source), 2).startswith(said)

    def test_with_several_faults_are_told_in_one_go(self, run, tmp_path):
        (tmp_path / "config.yaml").write_text("nope: 1\nwindows:\n  hop_seconds: -1\ngate:\n  mode: 7\n")
        program = run("--config", "config.yaml")
        assert program.status == 2
        assert sorted(line.split(":")[2] for line in program.err.seen) == ["1", "3", "5"]

    def test_that_are_not_there(self, run):
        assert "nowhere.yaml" in fault(run("--config", "nowhere.yaml"), 2)

    @pytest.mark.parametrize(
        "arguments",
        [["--hop", "-1"], ["--preset", "certain"], ["--sink", "carrier-pigeon"], ["--set", "gate.mode"]],
    )
    def test_of_flags(self, run, arguments):
        assert "expected" in fault(run("--input", DEMO, *arguments), 2)

    @pytest.mark.parametrize(
        "arguments",
        [["--loud"], ["fly"], ["models"], ["listen", "--min-score", "2"], ["listen", "--since", "x"]],
    )
    def test_of_the_command_line_itself(self, run, arguments):
        """argparse tells the usage first."""
        program = run(*arguments)
        assert program.status == 2
        assert program.err.seen[0].startswith("usage: ")
        assert len([line for line in program.err.seen if ": error: " in line]) == 1
        assert not any("Traceback" in line for line in program.err.seen)


SOCKET = ("--sink", "stdout", "--sink", "socket:unix://events.sock")


@pytest.fixture
def listening(start):
    """Start a daemon that waits for more sound on standard input, and whose socket is open."""

    def starting(*arguments: str):
        program = start("--input", "-", *arguments)
        program.feed(quiet(1.0))
        program.says("daemon.listening")
        return program

    return starting


@pytest.mark.usefixtures("model")
class TestASocket:
    def test_of_a_live_daemon_is_left_to_it(self, listening, start, run, tmp_path):
        first = listening(*SOCKET)
        line = fault(run("-q", "--input", DEMO, *SOCKET), 1)
        assert line == (
            "socket unix://events.sock is in use: sound-detector is running already; "
            "`sound-detector listen unix://events.sock` shows its events; "
            "to run another one, give it a socket: --sink socket:unix://PATH"
        )
        with subscribed(tmp_path) as lines:
            first.feed(alarm())
            assert next_start(lines) == ALARM
        assert first.end() == 0

    def test_of_a_dead_daemon_is_taken_over(self, listening, tmp_path):
        first = listening(*SOCKET)
        first.send(signal.SIGKILL)
        first.process.wait(LIMIT_SECONDS)
        assert (tmp_path / "events.sock").is_socket()
        second = listening(*SOCKET)
        with subscribed(tmp_path) as lines:
            second.feed(alarm())
            assert next_start(lines) == ALARM
        assert second.end() == 0
        assert not (tmp_path / "events.sock").exists()

    def test_is_not_put_in_the_place_of_a_file(self, run, tmp_path):
        (tmp_path / "events.sock").write_text("precious")
        line = fault(run("-q", "--input", DEMO, *SOCKET), 1)
        assert line.endswith("the file there is not a socket; choose another path")
        assert (tmp_path / "events.sock").read_text() == "precious"

    def test_hears_garbage_and_answers_while_others_get_their_events(self, listening, tmp_path):
        """Not JSON, half a line, 1 MB lines with and without an end: each is answered, none stops others."""
        daemon = listening(*SOCKET)
        with contextlib.ExitStack() as clients:
            good = clients.enter_context(subscribed(tmp_path))
            half = clients.enter_context(subscribed(tmp_path, b'{"labels": ["Do'))
            for said in (
                b"\x00\xff\xfe\n",
                b"GET / HTTP/1.1\r\n\r\n",
                b"x" * 1_000_000 + b"\n",
                b"[" * 1_000_000,
            ):
                refused = clients.enter_context(subscribed(tmp_path, said))
                assert json.loads(next(refused))["type"] == "error"
            cut = clients.enter_context(subscribed(tmp_path, b'{"labels"', then_end=True))
            assert json.loads(next(cut))["type"] == "error"
            daemon.feed(alarm())
            assert next_start(good) == ALARM
            assert next_start(half) == ALARM
        assert daemon.end() == 0
        assert not any("Traceback" in line or "(warning)" in line for line in daemon.err.seen)


@contextlib.contextmanager
def subscribed(folder: Path, request: bytes = b"{}\n", *, then_end: bool = False):
    """Connect, read the hello and send a request; gives the lines that follow."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(LIMIT_SECONDS)
        here = Path.cwd()
        os.chdir(folder)  # a socket's path has 107 bytes
        try:
            connection.connect("events.sock")
        finally:
            os.chdir(here)
        with connection.makefile("rb") as lines:
            assert json.loads(next(lines))["type"] == "hello"
            with contextlib.suppress(ConnectionError):  # it may have heard enough
                connection.sendall(request)
            if then_end:
                connection.shutdown(socket.SHUT_WR)
            yield lines


def next_start(lines) -> str:
    """The label of the next event that begins."""
    return next(fields["label"] for fields in map(json.loads, lines) if fields["type"] == "start")


@pytest.mark.usefixtures("model")
class TestALog:
    @pytest.mark.parametrize("path", ["file/events.jsonl", "/proc/nobody/events.jsonl", "."])
    def test_that_can_never_be_written_is_one_line(self, run, tmp_path, path):
        (tmp_path / "file").write_text("")
        line = fault(run("-q", "--input", DEMO, "--sink", f"log:{path}"), 1)
        assert line.startswith(f"log:{path}")
        assert line.endswith("choose another path")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_on_a_full_disk_is_told_once_and_nobody_else_loses_anything(self, run):
        program = run(
            "--input", DEMO, "--sink", "log:/dev/full", "--sink", "stdout", "--sink", "log:events.jsonl"
        )
        assert program.status == 1
        assert "messages could not be written to log:/dev/full" in program.err.seen[-1]
        told = [line for line in program.err.seen if "sink_failed" in line]
        assert len(told) == 1
        assert "sink=log:/dev/full" in told[0]
        assert "No space left on device" in told[0]
        logged = events((program.folder / "events.jsonl").read_text().splitlines())
        assert events(program.out.seen) == [fields for fields in logged if fields["type"] != "status"]
        assert ALARM in labels(program.out.seen)

    def test_goes_on_when_the_disk_has_room_again(self, small_disk, start):
        """Every line of the log is whole, and what was lost is counted."""
        log, ballast = small_disk / "events.jsonl", small_disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        program = start("--input", "-", "--sink", "stdout", "--sink", f"log:{log}")
        program.feed(speech())
        program.says("No space left on device")
        program.event("end", "Speech")
        ballast.unlink()
        program.feed(alarm())
        assert program.end() == 1
        assert f"messages could not be written to log:{log}" in program.err.seen[-1]
        assert any("dispatch.sink_recovered" in line for line in program.err.seen), program.err.seen
        logged = [f["seq"] for f in events(log.read_text().splitlines()) if "seq" in f]
        said = [fields["seq"] for fields in events(program.out.seen)]
        assert said == list(range(1, len(said) + 1))
        assert logged
        assert logged == said[-len(logged) :]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "sound-detector-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("closed", "arguments", "status"),
    [
        (">&-", ("--input", str(DEMO), "--sink", "stdout"), 0),
        ("2>&-", ("--input", str(DEMO), "--sink", "stdout"), 0),
        ("<&-", ("--input", "-", "--sink", "stdout"), 1),
        (">/dev/full", ("--input", str(DEMO), "--sink", "stdout"), 1),
    ],
)
def test_a_standard_stream_that_is_closed_or_full_is_no_traceback(run, closed, arguments, status):
    program = run(*arguments, command=("sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND))
    assert program.status == status
    said = "".join(program.err.seen)
    assert "Traceback" not in said
    assert "sink_recovered" not in said
