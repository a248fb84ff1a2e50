"""The watcher of fuzzing processes: what each has done, and why one died, hung or swelled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import ROOT
from benchmarks.fuzz.slot import Progress, Slot
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.worker import save

FAILURES = ROOT / "fuzz-failures"
"""Where inputs with findings are kept; git ignores it."""

NATIVE_HANG_SECONDS = 30.0
"""The worker's own alarm cannot interrupt native code; after this long it is ended from outside."""
MEMORY_MB = 500.0
"""Resident memory of a worker beyond which an input is a finding [MB of 10^6 bytes]."""
_RESTARTS = 20


@dataclass(slots=True)
class Outcome:
    """What became of one target's inputs."""

    tried: int = 0
    accepted: int = 0
    refused: int = 0
    found: int = 0
    slowest_ms: float = 0.0
    memory_mb: float = 0.0
    guided: bool = False
    findings: list[str] = field(default_factory=list)

    def add(self, progress: Progress) -> None:
        """Take in the account of one process."""
        self.tried += progress.tried
        self.accepted += progress.accepted
        self.refused += progress.refused
        self.found += progress.found
        self.slowest_ms = max(self.slowest_ms, progress.slowest_ms)


class Worker:
    """One target's process, and another one in its place when it dies."""

    def __init__(self, target: Target, inputs: int, seed: int, folder: Path, *, guided: bool) -> None:
        self.outcome = Outcome(guided=guided and target.guided)
        self._target = target
        self._inputs = inputs
        self._seed = seed
        self._folder = folder
        self._starts = 0
        self._verdict = ""
        self._start()

    def _start(self) -> None:
        place = self._folder / f"{self._starts}"
        place.mkdir(parents=True)
        self._slot = Slot(place / "slot")
        self._out = (place / "findings").open("w+b")
        command = [sys.executable, "-m", "benchmarks.fuzz.worker", self._target.name]
        command += [str(self._inputs - self.outcome.tried), str(self._seed + self._starts), str(place)]
        # Native decoders and libFuzzer talk to standard error; only the account counts.
        with (place / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                [*command, *(["guided"] if self.outcome.guided else [])],
                cwd=ROOT,
                stdout=self._out,
                stderr=errors,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        self._place = place
        self._moved = time.monotonic()
        self._seen = 0
        self._starts += 1

    @property
    def tried(self) -> int:
        """Inputs so far."""
        return self.outcome.tried + self._slot.read().tried

    def is_done(self) -> bool:
        """Look after the process; True once all inputs were tried."""
        if self._process.poll() is None:
            self._watch()
            return False
        progress = self._slot.read()
        self.outcome.add(progress)
        self._collect(progress)
        self._slot.close()
        if self.outcome.tried >= self._inputs or self._starts > _RESTARTS:
            return True
        self._start()
        return False

    def end(self) -> None:
        """End the process where it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _watch(self) -> None:
        progress = self._slot.read()
        memory = resident_mb(self._process.pid)
        self.outcome.memory_mb = max(self.outcome.memory_mb, memory)
        if progress.tried != self._seen:
            self._seen, self._moved = progress.tried, time.monotonic()
        stuck = time.monotonic() - self._moved
        if stuck > NATIVE_HANG_SECONDS:
            self._verdict = f"hang: nothing was finished for {stuck:.0f} s"
        elif memory > MEMORY_MB:
            self._verdict = f"memory: {memory:.0f} MB"
        if self._verdict:
            self._process.kill()
            self._process.wait()

    def _collect(self, progress: Progress) -> None:
        self._out.seek(0)
        for line in self._out.read().splitlines():
            if not line.startswith(
                b'{"finding"'
            ):  # standard output is for events; no library may write there
                self.outcome.found += 1
                self.outcome.findings.append(
                    f"{self._target.name}: written to standard output: {line!r:.200}"
                )
                continue
            told = json.loads(line)
            kept = FAILURES / Path(told["input"]).name
            FAILURES.mkdir(exist_ok=True)
            shutil.copyfile(told["input"], kept)
            self.outcome.findings.append(f"{self._target.name}: {told['finding']} [{kept.relative_to(ROOT)}]")
        self._out.close()
        if self._process.returncode == 0:
            return
        verdict, self._verdict = self._verdict or self._death(), ""
        self.outcome.found += 1
        self.outcome.tried += 1
        FAILURES.mkdir(exist_ok=True)
        path = save(FAILURES, self._target.name, self._slot.input())
        self.outcome.findings.append(f"{self._target.name}: {verdict} [{path.relative_to(ROOT)}]")

    def _death(self) -> str:
        code = self._process.returncode
        last = (self._place / "errors").read_bytes().decode(errors="replace").strip().splitlines()[-1:]
        ended = f"died of {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        return f"{ended}: {' '.join(last)[:200]}"


def resident_mb(pid: int) -> float:
    """Resident memory of a process; 0 where it has ended or there is no /proc."""
    try:
        pages = int((Path("/proc") / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
