"""The real program on a terminal: what people see while it listens, and what is left when it has ended."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.program import COMMAND, LIMIT_SECONDS, quiet, speech
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
        try:
            data = os.read(self._reader, 65536)
        except OSError:  # the program has closed its side
            return False
        self.screen.write(data.decode().replace("\r\n", "\n"))
        return bool(data)


@pytest.mark.usefixtures("model")
def test_a_status_line_shows_that_it_listens_and_nothing_of_it_is_left(environment):
    with contextlib.closing(Seated(environment=environment)) as program:
        program.feed(quiet(1.0))
        assert program.wait(lambda line: "gate open" in line).startswith("[")
        program.feed(speech())
        assert "last: Speech, " in program.wait(lambda line: "last: " in line)
        left = program.end()
    assert "\x1b[2m[" in program.screen.getvalue()
    assert [line for line in left if "gate" in line or "last" in line] == []
    assert [line.split()[1] for line in left if not line.startswith("sound-detector: ")] == ["Speech"]


@pytest.mark.usefixtures("model")
def test_a_flag_turns_it_off(environment):
    with contextlib.closing(Seated("--no-status-line", environment=environment)) as program:
        program.feed(speech())
        program.wait(lambda line: " Speech " in line)
        program.end()
    assert "gate" not in program.screen.getvalue()
