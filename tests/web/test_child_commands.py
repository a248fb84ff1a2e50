"""Commands in processes of their own: their words, their end, and what happens where none can be started."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from detector.web.desk.child_commands import MOST_AT_ONCE, Commands, Finished
from detector.web.desk.config_checker import ConfigChecker
from detector.web.desk.refusals import Refused

PYTHON = (sys.executable, "-S", "-c")


def run(program, *arguments, **options):
    return asyncio.run(Commands(PYTHON).run(program, *arguments, **options))


def test_what_a_command_says_and_how_it_ends_is_told():
    done = run("import sys; print('out'); print('sound-detector: why', file=sys.stderr); sys.exit(3)")
    assert (done.code, done.out, done.reason) == (3, "out\n", "why")
    assert run("").reason == "it ended with status 0"
    assert "too little memory" in run("import os; os.kill(os.getpid(), 9)").reason
    assert "too little memory" not in Finished(1, "", "sound-detector: other words").reason


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path):
    noted = tmp_path / "pid"
    program = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; "
        "time.sleep(99)']); open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(99)"
    )

    async def go():
        commands = Commands(PYTHON)
        command = await commands.start(program, str(noted))
        while not (noted.exists() and noted.read_text()):
            await asyncio.sleep(0.01)
        await command.stop()
        return await command.finished()

    done = asyncio.run(go())
    assert done.code < 0
    child, end = int(noted.read_text()), time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < end
        time.sleep(0.01)


def is_running(pid):
    try:
        with Path(f"/proc/{pid}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_limit_of_time_is_said():
    assert run("import time; time.sleep(99)", seconds=0.3).reason == "it took longer than 0 s"


def test_lines_are_handed_over_as_they_come_and_a_long_one_does_no_harm():
    lines = []

    async def go():
        command = await Commands(PYTHON).start(
            "print('x' * 5_000_000); print('last')", on_output=lines.append
        )
        return await command.finished()

    done = asyncio.run(go())
    assert done.code == 0 and len(done.out) <= 4_000_000
    assert lines[-1].endswith("last")


def test_where_no_process_can_be_started_that_is_said():
    async def go():
        await Commands(("/nonexistent/python",)).run("check-config")

    with pytest.raises(Refused, match="no process can be started") as refused:
        asyncio.run(go())
    assert refused.value.status == 503


def test_what_runs_ends_with_the_page(tmp_path):
    async def go():
        commands = Commands(PYTHON)
        command = await commands.start("import time; time.sleep(99)", takes_input=True)
        assert command.is_running
        commands.close()
        done = await command.finished()
        assert not await command.write(b"more")
        command.end_input()
        return done

    assert asyncio.run(go()).code == -9


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="needs priorities")
def test_a_command_has_a_lower_priority():
    program = "import os, time; time.sleep(0.2); print(os.getpriority(os.PRIO_PROCESS, 0))"
    assert int(run(program).out) >= os.getpriority(os.PRIO_PROCESS, 0)


def test_no_more_than_a_few_run_at_once_however_many_tabs_ask(tmp_path):
    program = (
        "import os, sys, time; name = f'{sys.argv[1]}/{os.getpid()}'; open(name, 'w'); time.sleep(0.05);"
        "print(len(os.listdir(sys.argv[1]))); os.unlink(name)"
    )

    async def go():
        commands = Commands(PYTHON)
        return await asyncio.gather(*(commands.run(program, str(tmp_path)) for _ in range(3 * MOST_AT_ONCE)))

    running = [int(done.out) for done in asyncio.run(go())]
    assert len(running) == 3 * MOST_AT_ONCE
    assert max(running) <= MOST_AT_ONCE


def test_ten_tabs_that_ask_for_the_same_settings_are_answered_by_one_check(tmp_path):
    class Counted:
        def __init__(self):
            self.asked = []

        async def run(self, *arguments, **_):
            self.asked.append(arguments[0])
            await asyncio.sleep(0)
            return Finished(0, '{"threshold_on": 0.5}', "")

    async def go():
        commands = Counted()
        checker = ConfigChecker(commands, scratch=tmp_path, shown_as=tmp_path / "config.yaml")
        checks = await asyncio.gather(*(checker.check("a: 1\n") for _ in range(10)))
        thresholds = await asyncio.gather(*(checker.model_threshold("") for _ in range(10)))
        assert all(check is checks[0] for check in checks) and set(thresholds) == {0.5}
        await checker.check("a: 2\n")
        return commands.asked

    assert asyncio.run(go()) == ["check-config", "models", "check-config"]
