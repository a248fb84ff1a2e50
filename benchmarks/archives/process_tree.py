"""Programs with all of their child processes: what they cost and hold; and killing one of them."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import ROOT
from benchmarks.support.children import environment

POLL_SECONDS = 0.05
WORKER = b"multiprocessing.spawn"
"""In the command line of a process that does tasks, of the plain pool and of Dask alike."""


@dataclass(slots=True)
class Program:
    """A command that runs; its CPU time is that of all its lives and of the children they waited for."""

    command: Sequence[str]
    log: Path
    cpu_seconds: float = 0.0
    status: int | None = None
    _child: subprocess.Popen[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def pid(self) -> int:
        """Of the program itself."""
        return self._child.pid

    def start(self) -> None:
        """Start it (again)."""
        self.status = None
        with self.log.open("ab") as file:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=ROOT,
                env=environment({"OMP_NUM_THREADS": "1"}),
            )

    def has_ended(self) -> bool:
        """Whether it is over; `status` says how."""
        if self.status is None:
            pid, status, used = os.wait4(self._child.pid, os.WNOHANG)
            if pid:
                self._over(status, used.ru_utime + used.ru_stime)
        return self.status is not None

    def kill(self) -> None:
        """End the program at once (SIGKILL), but not its children."""
        self._child.kill()
        _, status, used = os.wait4(self._child.pid, 0)
        self._over(status, used.ru_utime + used.ru_stime)

    def end(self) -> None:
        """Ask the program to end, and wait until it has."""
        if not self.has_ended():
            self._child.terminate()
            run_until_all_end([self])

    def tree(self) -> list[int]:
        """The program and its children, their children and so on."""
        return [self._child.pid, *descendants(self._child.pid)]

    def workers(self) -> list[int]:
        """Those of its children that do tasks."""
        return [pid for pid in descendants(self._child.pid) if WORKER in _read(pid, "cmdline")]

    def _over(self, status: int, cpu_seconds: float) -> None:
        self.status = self._child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds += cpu_seconds


def descendants(pid: int) -> list[int]:
    """Children of a process, their children and so on."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        threads = Path(f"/proc/{parent}/task")
        with contextlib.suppress(OSError):  # it has ended meanwhile
            below = [int(child) for path in threads.glob("*/children") for child in path.read_bytes().split()]
            found += below
            waiting += below
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """Of processes together [MB of 10^6 bytes]: what several share is counted once (PSS)."""

    all: float
    """With libraries and other files; it grows, too, when other programs that use the same ones end."""
    own: float
    """Without files."""

    @classmethod
    def of(cls, pids: Sequence[int]) -> Memory:
        """Of those that run."""
        sums = {b"Pss": 0, b"Pss_Anon": 0}
        for pid in pids:
            for name, value in re.findall(rb"^(Pss|Pss_Anon):\s+(\d+)", _read(pid, "smaps_rollup"), re.M):
                sums[name] += int(value)
        return cls(*(kilobytes * 1024 / 1e6 for kilobytes in sums.values()))


def has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    with contextlib.suppress(OSError):
        return any(link.readlink() == path for link in Path(f"/proc/{pid}/fd").iterdir())
    return False


def run_until_all_end(
    programs: Sequence[Program],
    every_seconds: float = POLL_SECONDS,
    do: Callable[[float], None] = lambda _: None,
) -> float:
    """Wait for all; `do` is called now and then with the seconds gone. Returns the seconds they took."""
    began = time.monotonic()
    while any(program.status is None for program in programs):
        for program in programs:
            program.has_ended()
        do(time.monotonic() - began)
        time.sleep(every_seconds)
    return time.monotonic() - began


def _read(pid: int, name: str) -> bytes:
    """A file of /proc; empty where the process is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
