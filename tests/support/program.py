"""The real program in a process of its own, read and waited for with deadlines."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import soundfile

from detector.demo import recording_path
from tests.support import ROOT

DATA = Path(os.environ.get("SOUND_DETECTOR_DATA") or ROOT.parent / "shared" / "data")

LIMIT_SECONDS = 240.0
"""What takes longer hangs."""

RATE = 16000
ALARM = "Smoke detector, smoke alarm"
SMOKE_T3 = "Smoke alarm (T3)"
"""What the alarm of the bundled recording is called once its rhythm is known."""
NO_PATTERNS = ("--set", "alarms.patterns=false")
"""For tests of the network's events: its alarm keeps its label, and ends as soon as it is not heard."""
COMMAND = (sys.executable, "-m", "detector")

DEMO = str(recording_path())


HEARING = ("run", "analyze", "evaluate", "calibrate")
"""Commands that hear with a model."""


def with_yamnet(arguments: Sequence[str]) -> list[str]:
    """Name YAMNet where a command hears and names no model: the default depends on the machine."""
    command = arguments[0] if arguments and not arguments[0].startswith("-") else "run"
    if command not in HEARING or {"--model", "--config", "--help", "-h", "--version"} & {*arguments}:
        return list(arguments)
    return [*arguments, "--model", "yamnet"]


class Lines:
    """What came through one pipe so far, line by line, and a way to wait for the next."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.seen: list[str] = []
        self._stream = stream
        self._more = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait(self, wanted: Callable[[str], bool]) -> str:
        """Return the first line that is wanted, also one that came earlier."""
        deadline = time.monotonic() + LIMIT_SECONDS
        with self._more:
            while not (found := [line for line in self.seen if wanted(line)]):
                assert not self._ended, f"it ended before that line; it said: {self.seen}"
                assert self._more.wait(deadline - time.monotonic()), f"hangs; it said: {self.seen}"
        return found[0]

    def all(self) -> list[str]:
        """Wait for the pipe's end."""
        self._thread.join(LIMIT_SECONDS)
        assert not self._thread.is_alive(), "the pipe stays open"
        return self.seen

    def _read(self) -> None:
        for line in self._stream:
            with self._more:
                self.seen.append(line.decode().removesuffix("\n"))
                self._more.notify_all()
        self._stream.close()
        with self._more:
            self._ended = True
            self._more.notify_all()


class Program:
    """One running process; `kill` leaves nothing of it behind."""

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.stdin = self.process.stdin
        self.folder = folder
        self.status: int | None = None
        self.out = Lines(self.process.stdout)
        self.err = Lines(self.process.stderr)

    def says(self, text: str) -> str:
        """Wait for a line with this text on standard error."""
        return self.err.wait(lambda line: text in line)

    def event(self, kind: str, *labels: str) -> dict[str, Any]:
        """Wait for an event of this type, with one of these labels where some are named, as JSON."""

        def wanted(line: str) -> bool:
            fields = json.loads(line)
            return fields["type"] == kind and (not labels or fields["label"] in labels)

        return dict(json.loads(self.out.wait(wanted)))

    def feed(self, samples: np.ndarray) -> None:
        """Write int16 samples to standard input, and leave it open."""
        self.stdin.write(samples.astype("<i2").tobytes())
        self.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Close standard input and wait for the exit status."""
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.status = self.process.wait(LIMIT_SECONDS)
        self.out.all()
        self.err.all()
        return self.status

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self.process.kill()
        self.process.wait(LIMIT_SECONDS)
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.out.all()
        self.err.all()


def demo_samples(start_seconds: float = 0.0, stop_seconds: float = 21.0) -> np.ndarray:
    """A stretch of the bundled recording, int16 at RATE."""
    samples, rate = soundfile.read(DEMO, dtype="int16")
    assert rate == RATE
    return np.asarray(samples[round(start_seconds * RATE) : round(stop_seconds * RATE)])


def fault(program: Program, status: int) -> str:
    """The one line on standard error of a program that was to end with this exit status."""
    assert program.status == status, program.err.seen
    assert len(program.err.seen) == 1, program.err.seen
    (line,) = program.err.seen
    assert line.startswith("sound-detector: ")
    return line.removeprefix("sound-detector: ")


def speech() -> np.ndarray:
    """The recording's first part and quiet enough after it that its event ends."""
    return np.concatenate([demo_samples(0.0, 6.9), quiet(2.5)])


def alarm() -> np.ndarray:
    """The second part, likewise."""
    return np.concatenate([demo_samples(6.3, 15.2), quiet(2.5)])


def quiet(seconds: float) -> np.ndarray:
    """The recording's faint noise."""
    return np.resize(demo_samples(6.3, 6.9), round(seconds * RATE))


def events(lines: list[str]) -> list[dict[str, Any]]:
    """Parse JSON lines."""
    return [json.loads(line) for line in lines]


def labels(lines: list[str], kind: str = "start") -> list[str]:
    """The labels of all events of a type, in order."""
    return [fields["label"] for fields in events(lines) if fields["type"] == kind]
