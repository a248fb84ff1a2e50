"""Child processes and what they cost: CPU time, memory, the moment at which a line came.

Everything is asked of Linux: `wait4` for a child that has ended, `/proc` for one that runs.
"""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from benchmarks import ROOT
from detector.backends.bundle import load_bundle
from detector.files.data_folders import models_folder
from detector.modelstore import find
from detector.modelstore.store import file_path

BARE_MODEL = "yamnet"
"""The network that the bare loop runs."""
PATIENCE_SECONDS = 30.0
Name = TypeVar("Name")


def bare_loop(*arguments: str, hop: int = 3840, model: bool = True) -> list[str]:
    """Command of the bare loop; without `model` it only reads."""
    given = ["--model", str(file_path(load_bundle(find(BARE_MODEL)), "tflite"))] if model else []
    return [sys.executable, "-m", "benchmarks.cost.bareloop", "--hop", str(hop), *given, *arguments]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's variables without the user's settings; the models are found whatever $HOME is."""
    kept = {name: value for name, value in os.environ.items() if name != "SOUND_DETECTOR_CONFIG"}
    return kept | {"SOUND_DETECTOR_HOME": str(models_folder().parent)} | dict(more or {})


@dataclass(frozen=True, slots=True)
class Ended:
    """A child that has run to its end."""

    cpu_seconds: float
    """User and system time, of all its threads."""
    wall_seconds: float
    """From exec to exit."""
    said: str
    """What it wrote to standard error."""


def run(command: Sequence[str]) -> Ended:
    """Run a command to its end; what it writes to standard output is thrown away."""
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, cwd=ROOT, env=environment()
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}: {said.strip()}")
    return Ended(usage.ru_utime + usage.ru_stime, wall, said)


class Running:
    """A child that runs until it is left; its standard error joins its standard output unless told not to."""

    def __init__(
        self, command: Sequence[str], more: Mapping[str, str] | None = None, *, join: bool = True
    ) -> None:
        self.began = time.monotonic()
        self._child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if join else subprocess.DEVNULL,
            cwd=ROOT,
            env=environment(more),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.terminate()
        self._child.wait(PATIENCE_SECONDS)
        self.output.close()

    @property
    def output(self) -> IO[bytes]:
        """What it says."""
        assert self._child.stdout is not None
        return self._child.stdout

    def seconds_until(self, *markers: str) -> list[float]:
        """Seconds from exec until lines with these words came, in this order."""
        seconds: list[float] = []
        said = ""
        with selectors.DefaultSelector() as selector:
            selector.register(self.output, selectors.EVENT_READ)
            while len(seconds) < len(markers):
                data = b""
                if selector.select(PATIENCE_SECONDS):
                    data = os.read(self.output.fileno(), 65536)
                now = time.monotonic() - self.began
                said += data.decode(errors="replace")
                if not data:
                    raise SystemExit(f"{markers[len(seconds)]!r} was expected of a child, it said: {said}")
                while len(seconds) < len(markers) and markers[len(seconds)] in said:
                    seconds.append(now)
        return seconds

    def cpu_seconds(self) -> float:
        """User and system time so far, in steps of the clock's tick (10 ms)."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory at its highest and now [MB of 10^6 bytes]."""
        status = self._proc("status")
        highest, now = (re.search(rf"^{name}:\s+(\d+) kB", status, re.M) for name in ("VmHWM", "VmRSS"))
        assert highest and now
        return int(highest[1]) * 1024 / 1e6, int(now[1]) * 1024 / 1e6

    def _proc(self, name: str) -> str:
        return (Path("/proc") / str(self._child.pid) / name).read_text()


def stamped_lines(outputs: Mapping[Name, IO[bytes]]) -> Iterator[tuple[Name, float, bytes]]:
    """Which output a line came from, when it arrived [UTC seconds], and the line; until all are closed."""
    rest = dict.fromkeys(outputs, b"")
    with selectors.DefaultSelector() as selector:
        for name, output in outputs.items():
            selector.register(output, selectors.EVENT_READ, name)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, 65536)
                now = time.time()
                if not data:
                    selector.unregister(key.fileobj)
                *lines, rest[key.data] = (rest[key.data] + data).split(b"\n")
                yield from ((key.data, now, line) for line in lines)
