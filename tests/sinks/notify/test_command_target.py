"""Commands that succeed, fail, hang, fork, fill their output or ignore SIGTERM."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.config.notify_settings import CommandSettings
from detector.sinks.notify.command_target import CommandTarget
from detector.sinks.notify.notices import event_notice
from tests.support.fakes import LONG
from tests.support.wire_messages import make_message

MESSAGE = make_message(7)
NOTICE = event_notice(MESSAGE, MESSAGE.body, "dogs", ("speak",), more=2)

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks into /proc")


def run(script, *arguments, seconds=LONG, stopping=lambda: False, clock=time.monotonic):
    target = CommandTarget(CommandSettings("speak", ("/bin/sh", "-c", script, *arguments)), seconds, clock)
    return target.deliver(NOTICE, stopping)


def run_out_of_time(script, ready):
    """Run a script, with `ready` as its $0, whose time is over once it has written that file."""
    clock = Clock(ready)
    return run(script, str(ready), seconds=1000.0, clock=clock)


@dataclass
class Clock:
    """Counts seconds; once the file has a line, each look is later than any limit."""

    ready: Path
    jumps: int = 0

    def __call__(self):
        self.jumps += self.ready.exists() and self.ready.read_text().endswith("\n")
        return time.monotonic() + 10_000 * self.jumps


def has_ended(pid):
    """Whether a process ends soon; a zombie has ended."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_the_event_is_on_standard_input_and_its_facts_are_in_a_clean_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SOUND_DETECTOR_TOKEN_FILE", "secret")
    monkeypatch.setenv("ANYTHING", "else")
    out = tmp_path / "out"
    assert run('cat > "$0"; env >> "$0"', str(out)).delivered
    line, *environment = out.read_text().splitlines()
    assert json.loads(line)["seq"] == 7
    variables = dict(line.split("=", 1) for line in environment)
    assert variables["SOUND_DETECTOR_EVENT_CLASS"] == "Dog"
    assert variables["SOUND_DETECTOR_EVENT_ID"] == "run-1"
    assert variables["SOUND_DETECTOR_EVENT_TYPE"] == "start"
    assert variables["SOUND_DETECTOR_EVENT_SCORE"] == "0.9"
    assert variables["SOUND_DETECTOR_EVENT_END"] == ""
    assert variables["SOUND_DETECTOR_EVENT_SOURCE"] == "Mic"
    assert (variables["SOUND_DETECTOR_RULE"], variables["SOUND_DETECTOR_MORE"]) == ("dogs", "2")
    assert not {"ANYTHING", "SOUND_DETECTOR_TOKEN_FILE"} & set(variables)


def test_arguments_reach_the_program_as_they_are():
    assert run('test "$1" = "a b; exit 1"', "sh", "a b; exit 1").delivered


def test_an_exit_status_is_a_failure_with_what_it_said():
    attempt = run("echo no speaker >&2; exit 3")
    assert (attempt.delivered, attempt.again, attempt.detail) == (False, False, "exit status 3: no speaker")


def test_a_program_that_is_not_there_is_a_failure():
    attempt = CommandTarget(CommandSettings("speak", ("/nowhere/speak",))).deliver(NOTICE, lambda: False)
    assert attempt.detail == "/nowhere/speak cannot be started: No such file or directory"


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path):
    pids = tmp_path / "pids"
    attempt = run_out_of_time('sleep 1000 & echo $! $$ > "$0"; wait', pids)
    assert attempt.detail == "it was ended after 1000 s"
    assert all(map(has_ended, pids.read_text().split()))


def test_what_a_program_leaves_running_ends_with_it(tmp_path):
    pid = tmp_path / "pid"
    assert run('sleep 60 & echo $! > "$0"', str(pid)).delivered
    assert has_ended(pid.read_text().strip())


@pytest.mark.slow
def test_one_that_ignores_sigterm_is_killed(tmp_path):
    pids = tmp_path / "pids"
    script = 'trap "" TERM; echo $$ > "$0"; while :; do sleep 0.1; done'
    assert run_out_of_time(script, pids).detail == "it was ended after 1000 s"
    assert has_ended(pids.read_text().strip())


@pytest.mark.slow
@pytest.mark.parametrize(("output", "said"), [(1, ""), (2, ": y")])
def test_one_that_fills_an_output_costs_no_more_than_its_time(tmp_path, output, said):
    script = f'head -c 60000 /dev/zero | tr "\\0" y >&{output}; echo > "$0"; yes >&{output}'
    attempt = run_out_of_time(script, tmp_path / "ready")
    assert attempt.detail.startswith(f"it was ended after 1000 s{said}") and len(attempt.detail) < 400


def test_one_that_reads_nothing_is_no_trouble():
    assert run("exec <&-; exit 0").delivered


def test_where_the_program_is_about_to_end_it_is_cut_short(tmp_path):
    pids = tmp_path / "pids"
    script = 'trap "" TERM; echo $$ > "$0"; while :; do sleep 0.1; done'
    assert not run(script, str(pids), stopping=pids.exists).delivered
    assert has_ended(pids.read_text().strip())
