"""The real program from its command line to its exit: the bundled recording, formats, signals, commands."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.backends.bundle import load_bundle
from detector.demo import PARTS
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
    speech,
)

pytestmark = pytest.mark.slow

LINE = re.compile(r"[0-9:.]{12}  (start|end  ) {3}\S.{27,}  {1,2}[01]\.\d\d  +-\d+\.\d dBFS(  +\d+\.\d s)?")
ANCESTORS = {
    label.name: label.ancestors | {label.class_id}
    for label in load_bundle(shipped_folder() / "yamnet").spec.labels
}


@pytest.mark.usefixtures("model")
class TestTheBundledRecording:
    def test_gives_a_json_line_for_each_event_on_a_pipe(self, run):
        """Each part of the table, or a kind of it, starts within it; every start has its end; exit 0."""
        program = run("--input", DEMO)
        assert program.status == 0
        said = events(program.out.seen)
        starts = [fields for fields in said if fields["type"] == "start"]
        zero = datetime.fromisoformat(said[0]["start_time"]) - timedelta(seconds=PARTS[0].start_seconds)
        for part in PARTS:
            network_names = [name for name in part.labels if name in ANCESTORS]
            wanted = ANCESTORS[network_names[0]] - above(network_names[0])
            times = [
                (datetime.fromisoformat(fields["start_time"]) - zero).total_seconds()
                for fields in starts
                if wanted & ANCESTORS[fields["label"]]
            ]
            assert any(part.start_seconds - 0.3 < time < part.stop_seconds for time in times), part
        assert sorted(fields["id"] for fields in said if fields["type"] == "end") == sorted(
            f["id"] for f in starts
        )
        assert [fields["seq"] for fields in said] == list(range(1, len(said) + 1))

    def test_is_told_in_aligned_lines_as_text(self, run):
        program = run("--input", DEMO, "--format", "text")
        assert program.status == 0
        assert all(LINE.fullmatch(line) for line in program.out.seen), program.out.seen
        assert any("start" in line and ALARM in line for line in program.out.seen)
        assert len({line.index(" dBFS") for line in program.out.seen}) == 1
        assert "\x1b" not in "".join(program.out.seen)

    def test_is_the_same_as_json_when_asked_for(self, run):
        assert labels(run("--input", DEMO, "--format", "json").out.seen) == labels(
            run("--input", DEMO).out.seen
        )

    def test_runs_alike_with_and_without_the_word_run(self, run):
        assert labels(run("run", "--input", DEMO, "-q").out.seen) == labels(
            run("-q", "--input", DEMO).out.seen
        )

    def test_says_nothing_on_standard_error_but_its_life(self, run):
        program = run("--input", DEMO)
        assert [line.split()[1] for line in program.err.seen] == [
            "daemon.listening",
            "daemon.stopped",
            "daemon.summary",
        ]
        assert run("--input", DEMO, "-q").err.seen == []


def test_ends_when_the_reader_of_its_output_has_gone(model, environment, tmp_path):
    """As `... | sound-detector --input - | head -n 1` does, though the sound goes on."""
    with (
        subprocess.Popen(
            [*COMMAND, "--input", "-", "--sink", "stdout", "-q", "--model", "yamnet"],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as program,
        subprocess.Popen(["head", "-n", "1"], stdin=program.stdout, stdout=subprocess.PIPE) as head,
    ):
        program.stdout.close()
        try:
            program.stdin.write(speech()[: 3 * RATE].tobytes())
            program.stdin.flush()
            line = head.communicate(timeout=LIMIT_SECONDS)[0]
            with contextlib.suppress(BrokenPipeError):  # it may end while we write
                program.stdin.write(alarm().tobytes())
                program.stdin.flush()
            assert json.loads(line)["type"] == "start"
            assert (program.wait(LIMIT_SECONDS), program.stderr.read()) == (0, b"")
        finally:
            program.kill()
            head.kill()


def above(name: str) -> set[str]:
    """The class ids of a label's ancestors alone."""
    own = {label.name: label.class_id for label in load_bundle(shipped_folder() / "yamnet").spec.labels}
    return set(ANCESTORS[name]) - {own[name]}


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
class TestASignal:
    def test_ends_open_events_while_a_recording_plays(self, start, number):
        program = start("--input", DEMO, "--realtime", "--sink", "stdout")
        begun = program.event("start")
        program.send(number)
        assert program.end() == 0
        assert [f["id"] for f in events(program.out.seen) if f["type"] == "end"] == [begun["id"]]
        assert any("daemon.stopped" in line for line in program.err.seen)

    def test_ends_a_wait_for_sound(self, start, number):
        """Standard input stays open and silent; what was open in every sink ends."""
        program = start("--input", "-", "--sink", "stdout", "--sink", "log:events.jsonl")
        program.feed(speech()[: 3 * RATE])
        begun = program.event("start", "Speech")
        program.send(number)
        assert program.process.wait(LIMIT_SECONDS) == 0
        program.end()
        logged = events((Path(program.folder) / "events.jsonl").read_text().splitlines())
        for said in (events(program.out.seen), logged):
            assert [f["type"] for f in said if f.get("id") == begun["id"]] == ["start", "end"]


@pytest.mark.usefixtures("model")
def test_sighup_takes_anew_a_log_file_that_was_moved_away(start, tmp_path):
    program = start("--input", "-", "--sink", "stdout", "--sink", "log:events.jsonl")
    program.feed(speech())
    program.event("end", "Speech")
    log, moved = tmp_path / "events.jsonl", tmp_path / "events.jsonl.old"
    log.rename(moved)
    program.send(signal.SIGHUP)
    program.says("daemon.reloaded")
    program.feed(alarm())
    started = program.event("start", ALARM)
    assert program.end() == 0
    before, after = ([f.get("seq") for f in events(file.read_text().splitlines())] for file in (moved, log))
    assert started["seq"] in after
    said = [seq for seq in before + after if seq is not None]
    assert said == list(range(1, len(events(program.out.seen)) + 1))


@pytest.mark.usefixtures("model")
class TestListen:
    @pytest.fixture
    def daemon(self, start, tmp_path):
        """A daemon that has listened to the alarm, the speech and the alarm, and its socket."""
        program = start(
            *("--input", "-", "--name", "kitchen", "--sink", "stdout"),
            *("--sink", "socket:unix://events.sock", *NO_PATTERNS),
        )
        program.feed(np.concatenate([speech(), alarm()]))
        program.event("end", ALARM)
        program.event("end", "Speech")
        return program

    def test_replays_and_ends_with_the_daemon(self, daemon, start):
        listener = start("listen", "unix://events.sock", "--since", "0", "--json")
        listener.out.wait(lambda line: line == daemon.out.seen[-1])
        assert daemon.end() == 0
        assert listener.end() == 0
        assert listener.out.seen == daemon.out.seen
        assert "listening: kitchen with yamnet" in listener.err.seen[0]
        assert listener.err.seen[-1].endswith("the daemon has ended")

    def test_tells_only_what_was_asked_for(self, daemon, start):
        """The live events after it came, of one label, in JSON though nobody asked for it: it is a pipe."""
        one = start("listen", "unix://events.sock", "--label", ALARM.upper())
        other = start("listen", "unix://events.sock", "--min-score", "0.999")
        for listener in (one, other):
            listener.says("kitchen")
        before = len(daemon.out.seen)
        daemon.feed(alarm())
        one.event("end", ALARM)
        assert daemon.end() == 0
        assert (one.end(), other.end()) == (0, 0)
        wanted = [line for line in daemon.out.seen[before:] if json.loads(line)["label"] == ALARM]
        assert one.out.seen == wanted
        assert other.out.seen == []

    def test_since_leaves_out_what_is_known(self, daemon, start):
        known = len(daemon.out.seen) - 2
        listener = start("listen", "unix://events.sock", "--since", str(known))
        listener.out.wait(lambda line: line == daemon.out.seen[-1])
        daemon.end()
        listener.end()
        assert listener.out.seen == daemon.out.seen[known:]

    def test_finds_this_users_daemon_by_itself(self, start):
        daemon = start("--input", DEMO, "--realtime")
        daemon.says("daemon.listening")
        listener = start("listen", "--json")
        line = listener.out.wait(lambda line: json.loads(line)["type"] == "start")
        assert daemon.out.wait(lambda other: other == line)
        listener.send(signal.SIGINT)
        assert listener.end() == 0


@pytest.mark.parametrize(
    "arguments", [["listen"], ["listen", "unix://nobody.sock"], ["listen", "tcp://127.0.0.1:1"]]
)
def test_listen_says_that_no_daemon_is_there(run, arguments):
    line = fault(run(*arguments), 1)
    assert line.startswith("no daemon answers at ")
    assert line.endswith("start one with `sound-detector`")


def faults_of_settings(program):
    """What `check-config` says on standard error, less what this machine lacks."""
    return [line for line in program.err.seen if not line.startswith("sound-detector: this machine: ")]


class TestTheOtherCommands:
    def test_version(self, run):
        program = run("--version")
        assert (program.status, program.err.seen) == (0, [])
        assert re.fullmatch(r"sound-detector \d+\.\d+\.\d+", program.out.seen[0])

    @pytest.mark.parametrize("command", [[], ["run"], ["listen"], ["devices"], ["models"], ["check-config"]])
    def test_help(self, run, command):
        program = run(*command, "--help")
        assert (program.status, program.err.seen) == (0, [])
        assert program.out.seen[0].startswith("usage: sound-detector")

    def test_help_of_run_is_in_groups_with_examples(self, run):
        said = run("run", "--help").out.seen
        for title in (
            "what to listen to:",
            "how to classify:",
            "what to report:",
            "where events go:",
            "examples:",
        ):
            assert title in said

    def test_what_check_config_prints_loads_again(self, run, tmp_path):
        """The same settings, whatever flags they came from."""
        flags = ["--device", "USB", "--preset", "sure", "--exclude", "Music", "--sink", "log:a b.jsonl"]
        flags += [
            "--set",
            "events.labels.Speech.threshold_on=0.7",
            "--set",
            "events.groups={Pets: [Dog, Cat]}",
        ]
        first = run("check-config", *flags)
        assert (first.status, faults_of_settings(first)) == (0, [])
        (tmp_path / "again.yaml").write_text("\n".join(first.out.seen))
        again = run("check-config", "--config", "again.yaml")
        assert (again.status, faults_of_settings(again)) == (0, [])
        assert [plain(line) for line in again.out.seen[1:]] == [plain(line) for line in first.out.seen[1:]]

    def test_devices_as_json_where_there_are_none(self, run):
        program = run("devices", "--json")
        assert (program.status, program.out.seen, program.err.seen) == (0, ["[]"], [])

    def test_devices_where_there_are_none(self, run):
        assert fault(run("devices"), 1).startswith("no microphone found; plug one in")

    @pytest.mark.usefixtures("model")
    def test_models(self, run):
        listed = run("models", "list", "--json")
        assert "yamnet" in [model["name"] for model in json.loads("".join(listed.out.seen))]
        about = json.loads("".join(run("models", "info", "yamnet", "--json").out.seen))
        assert (about["sample_rate"], about["labels"], about["licence"]) == (16000, 521, "Apache-2.0")
        assert about["files"]["tflite"]["whole"]
        verified = run("models", "verify", "yamnet")
        assert (verified.status, verified.err.seen) == (0, [])
        assert all(line.startswith("ok   ") for line in verified.out.seen)

    def test_models_tells_as_text_too(self, run):
        assert run("models", "list").out.seen[0].split()[:2] == ["NAME", "RATE"]
        assert run("models", "info").status == 0


def plain(line: str) -> str:
    """A line of YAML without its comment."""
    return line.partition("  # ")[0]


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("colour", "level_dbfs"), [("pink", -60), ("pink", -40), ("white", -60), ("white", -40)]
)
def test_stationary_noise_is_no_event(run, tmp_path, colour, level_dbfs):
    """20 s that begin at once, as a recording does."""
    noise = np.random.default_rng(20).standard_normal(20 * RATE)
    if colour == "pink":
        spectrum = np.fft.rfft(noise)
        noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), len(noise))
    noise *= 10 ** (level_dbfs / 20) / np.sqrt(np.mean(noise**2))
    soundfile.write(tmp_path / "noise.wav", noise, RATE, subtype="PCM_16")
    program = run("--input", "noise.wav")
    assert (program.status, program.out.seen) == (0, [])


@pytest.mark.usefixtures("model")
class TestTheDefaultModel:
    """Of a user who has YAMNet and not mn04."""

    @pytest.fixture
    def home(self, tmp_path):
        folder = tmp_path / "yamnet-alone" / "models" / "yamnet"
        folder.mkdir(parents=True)
        (folder / "yamnet.tflite").symlink_to(models_folder() / "yamnet" / "yamnet.tflite")
        return {"SOUND_DETECTOR_HOME": str(folder.parents[1])}

    def test_is_yamnet_alone_and_one_line_says_so(self, run, home):
        program = run("--model", "auto", "--input", DEMO, "-q", variables=home)
        assert program.status == 0
        assert labels(program.out.seen) == labels(run("--input", DEMO, "-q").out.seen)
        (line,) = program.err.seen
        assert line.startswith("sound-detector: model.alone name=yamnet: yamnet+mn04 is not on this machine;")

    def test_asked_for_by_its_name_is_an_error(self, run, home):
        program = run("--model", "yamnet+mn04", "--input", DEMO, variables=home)
        assert fault(program, 1) == "model mn04 is not on this machine; run: sound-detector models pull mn04"
