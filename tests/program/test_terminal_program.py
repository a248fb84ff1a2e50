"""The real program on a terminal: what people see while it listens, and what is left when it has ended."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from tests.support.program import COMMAND, LIMIT_SECONDS, RATE, demo_samples, quiet, speech
from tests.support.terminals import FakeTerminal

pytestmark = pytest.mark.slow


class Seated:
    """The program with raw sound on standard input, and everything that it writes on one terminal."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self._reader, terminal = pty.openpty()
        self.screen = FakeTerminal()
        self.process = subprocess.Popen(
            [*COMMAND, "--input", "-", "--model", "yamnet", *arguments],
            env=environment | {"TERM": "xterm"},
            stdin=subprocess.PIPE,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)

    def feed(self, samples: np.ndarray) -> None:
        self.process.stdin.write(samples.astype("<i2").tobytes())
        self.process.stdin.flush()

    def wait(self, seen: Callable[[str], bool]) -> str:
        """The first line on the screen that is wanted."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not (found := [line for line in self.screen.lines if seen(line)]):
            assert time.monotonic() < deadline, f"hangs; it shows: {self.screen.lines}"
            assert self._read(), f"ended; it shows: {self.screen.lines}"
        return found[0]

    def end(self) -> list[str]:
        """Close standard input; the lines that are left."""
        self.process.stdin.close()
        while self._read():
            pass
        assert self.process.wait(LIMIT_SECONDS) == 0
        return [line for line in self.screen.lines if line]

    def close(self) -> None:
        self.process.kill()
        self.process.wait(LIMIT_SECONDS)
        os.close(self._reader)

    def _read(self) -> bool:
        if not select.select([self._reader], [], [], 1.0)[0]:
            return True
        data = read_some(self._reader)
        self.screen.write(data.decode().replace("\r\n", "\n"))
        return bool(data)


def read_some(reader: int) -> bytes:
    """What was written on the terminal meanwhile; nothing once all programs have closed it."""
    try:
        return os.read(reader, 65536)
    except OSError:
        return b""


@pytest.mark.usefixtures("model")
def test_a_status_line_shows_that_it_listens_and_nothing_of_it_is_left(environment):
    with contextlib.closing(Seated(environment=environment)) as program:
        program.feed(quiet(1.0))
        assert program.wait(lambda line: "gate open" in line).startswith("[")
        program.feed(speech())
        assert "last: Speech, " in program.wait(lambda line: "last: " in line)
        left = program.end()
    assert "\x1b[2m[" in program.screen.getvalue()
    assert [line for line in left if any(word in line for word in ("gate", "last", "ago"))] == []
    assert [line.split()[1] for line in left if not line.startswith("sound-detector: ")] == ["Speech"]


@pytest.mark.usefixtures("model")
def test_a_flag_turns_it_off(environment):
    with contextlib.closing(Seated("--no-status-line", environment=environment)) as program:
        program.feed(speech())
        program.wait(lambda line: " Speech " in line)
        program.end()
    assert "gate" not in program.screen.getvalue()


@pytest.mark.usefixtures("model")
@pytest.mark.skipif(
    not (shutil.which("setsid") and shutil.which("bash")), reason="needs setsid (util-linux) and bash"
)
def test_in_the_background_of_a_shell_nothing_is_written_over_what_is_typed(environment, tmp_path):
    """Events are, once; what is written again and again is not."""
    soundfile.write(tmp_path / "speech.wav", np.concatenate([demo_samples(0.0, 3.0), quiet(4.0)]), RATE)
    job = shlex.join([*COMMAND, "--input", "speech.wav", "--realtime", "--model", "yamnet", "-q"])
    reader, terminal = pty.openpty()
    screen = FakeTerminal()
    with subprocess.Popen(
        ["setsid", "--ctty", "bash", "-c", f"set -m; {job} & wait"],
        cwd=tmp_path,
        env=environment | {"TERM": "xterm"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as shell:
        os.close(terminal)
        while data := read_some(reader):
            screen.write(data.decode().replace("\r\n", "\n"))
        assert shell.wait(LIMIT_SECONDS) == 0
    os.close(reader)
    assert "gate" not in screen.getvalue()
    assert screen.getvalue().count("Speech") <= 4
    lines = [line for line in screen.lines if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert [line.split()[1] for line in lines] == ["Speech"]
