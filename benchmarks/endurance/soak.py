"""A day of sound at full speed: does memory grow?

`make soak`, or `python -m benchmarks.endurance.soak --hours 24`.

The real program runs with its log file, its event socket and whatever else `run` sets up. Its sound is made
while it goes, so nothing is held; resident memory, file descriptors and threads are looked at every ten
minutes of sound. The verdict: least squares give memory a slope below 1 MB in 24 h after the warm-up,
descriptors and threads stay as they were, every event reached the subscriber, and the program ended with 0.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import ROOT
from benchmarks.endurance.soak_sound import ABOUT, CYCLE_SECONDS, Home
from benchmarks.support.children import environment
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE

SLOPE_LIMIT_MB = 1.0
"""Growth of resident memory in 24 h of sound [MB of 10^6 bytes]."""
WARM_UP_CYCLES = 12
"""Two busy hours: bounded buffers and caches fill; memory is looked at from then on."""
WARM_UP_VISITS = 20
"""In each of those ten minutes, eight subscribers at a time: replays cut up the allocator's memory."""
PATIENCE_SECONDS = 60.0
RELOAD_CYCLES = 12


@dataclass(frozen=True, slots=True)
class Look:
    """What the program holds."""

    hours: float
    """Of sound."""
    memory_mb: float
    descriptors: int
    threads: int


class Subscriber:
    """Reads the event socket all the time and counts."""

    def __init__(self, path: Path) -> None:
        self.events = 0
        self.lost = 0
        """Events that were missing in the count."""
        self._connection = connect(path)
        self._connection.sendall(b"{}\n")
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        newest: int | None = None
        with self._connection.makefile("rb") as lines:
            for line in lines:
                fields = json.loads(line)
                if fields["type"] in ("start", "update", "end"):
                    self.events += 1
                    self.lost += 0 if newest is None else fields["seq"] - newest - 1
                    newest = fields["seq"]
                elif fields["type"] == "dropped":
                    self.lost += fields["count"]


def connect(path: Path) -> socket.socket:
    """Connect once the program listens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return connection


def visit(path: Path, times: int) -> None:
    """Come so many at a time, ask for all that was ever told, read the beginning, go."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(path)) for _ in range(times)]
        for connection in connections:
            connection.settimeout(PATIENCE_SECONDS)
            connection.sendall(b'{"labels": ["Speech"], "since": 0}\n')
        for connection in connections:
            connection.recv(65536)


def look(pid: int, hours: float) -> Look:
    """Ask /proc."""
    status = (Path("/proc") / str(pid) / "status").read_text()
    memory, threads = (re.search(rf"^{name}:\s+(\d+)", status, re.M) for name in ("VmRSS", "Threads"))
    assert memory and threads
    descriptors = len(list((Path("/proc") / str(pid) / "fd").iterdir()))
    return Look(hours, int(memory[1]) * 1024 / 1e6, descriptors, int(threads[1]))


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the program with its state, log and socket in a folder."""
    config = folder / "config.yaml"
    config.write_text(
        f"sinks:\n  - {{kind: log, target: {folder}/events.jsonl, max_bytes: 1000000, backups: 2}}\n"
        f"  - socket:unix://{folder}/events.sock\n"
    )
    state = {name: str(folder) for name in ("STATE_DIRECTORY", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")}
    with (folder / "said").open("wb") as said, (folder / "blocks").open("wb") as blocks:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.endurance.soak_child",
                "run",
                "--config",
                str(config),
                "--quiet",
            ],
            cwd=ROOT,
            env=environment(state | {"OMP_NUM_THREADS": "1"}),
            stdin=subprocess.PIPE,
            stdout=blocks,
            stderr=said,
        )


def soak(hours: float, seed: int, folder: Path) -> tuple[list[Look], Subscriber, Home, int, str]:
    """Play so many hours; what was seen, heard and told, the exit status, and what the program said."""
    from tqdm import tqdm

    program = start(folder)
    assert program.stdin is not None
    path = folder / "events.sock"
    while not path.exists():
        if program.poll() is not None:
            raise SystemExit(f"the program ended: {(folder / 'said').read_text(errors='replace').strip()}")
        time.sleep(0.02)
    subscriber, home = Subscriber(path), Home(seed, time.time())
    looks: list[Look] = []
    with connect(path) as stalled, contextlib.closing(program.stdin):
        stalled.sendall(b"{}\n")  # and never reads
        cycles = WARM_UP_CYCLES + round(hours * 3600 / CYCLE_SECONDS)
        for number in tqdm(range(cycles), unit=" x 10 min", leave=False):
            for data in home.cycle(number, quiet=number >= WARM_UP_CYCLES):
                program.stdin.write(data)
            program.stdin.flush()
            looks.append(look(program.pid, (number + 1 - WARM_UP_CYCLES) * CYCLE_SECONDS / 3600))
            for _ in range(WARM_UP_VISITS if number < WARM_UP_CYCLES else 1):
                visit(path, 8 if number < WARM_UP_CYCLES else 1)
            if number % RELOAD_CYCLES == RELOAD_CYCLES - 1:
                program.send_signal(signal.SIGHUP)
    status = program.wait(PATIENCE_SECONDS)
    subscriber.thread.join(PATIENCE_SECONDS)
    return looks, subscriber, home, status, (folder / "said").read_text(errors="replace")


def slope_mb_per_day(looks: list[Look]) -> float:
    """Least squares."""
    hours, memory = np.array([(seen.hours, seen.memory_mb) for seen in looks]).T
    return float(np.polyfit(hours, memory, 1)[0] * 24)


def main() -> int:
    """Play, print a table and a verdict; 0 where all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=24.0, help="of sound after the warm-up (default 24)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        looks, subscriber, home, status, said = soak(options.hours, options.seed, Path(folder))
        blocks = [int(line) for line in (Path(folder) / "blocks").read_text().split()][2:] or [0]
    seconds = time.monotonic() - began
    warm = looks[WARM_UP_CYCLES - 1 :]
    shown = warm[:: max(1, len(warm) // 8)] + warm[-1:]
    print(
        table(
            [
                ["hours of sound", "resident MB", "descriptors", "threads"],
                *(
                    [f"{seen.hours:.1f}", f"{seen.memory_mb:.2f}", str(seen.descriptors), str(seen.threads)]
                    for seen in dict.fromkeys(shown)
                ),
            ]
        )
    )
    slope = slope_mb_per_day(warm)
    descriptors, threads = {seen.descriptors for seen in warm}, {seen.threads for seen in warm}
    print(
        f"\n{ABOUT}\n\n{home.told.samples / RATE / 3600:.2f} h of sound in {seconds:.0f} s, "
        f"{home.told.samples / RATE / seconds:.0f} times real time; {home.told.lost / RATE:.0f} s\n"
        f"were lost on purpose, the device went away {home.told.away} times. {subscriber.events} events were "
        f"told,\n{subscriber.lost} lost. Memory: {slope:+.2f} MB in 24 h (limit {SLOPE_LIMIT_MB:g}).\n"
        f"Blocks that Python holds after a collection: {blocks[0]} at first, {blocks[-1]} at last, "
        f"{min(blocks)} to {max(blocks)}."
    )
    faults = [
        fault
        for fault, is_so in (
            (f"memory grows by {slope:.2f} MB in 24 h", slope >= SLOPE_LIMIT_MB),
            (f"descriptors vary: {sorted(descriptors)}", len(descriptors) > 1),
            (f"threads vary: {sorted(threads)}", len(threads) > 1),
            ("no events", subscriber.events == 0),
            (f"{subscriber.lost} events lost", subscriber.lost > 0),
            (f"exit status {status}", status != 0),
            (f"it said: {said.strip()[-500:]}", "Traceback" in said),
        )
        if is_so
    ]
    print("Verdict: " + ("; ".join(faults) if faults else "nothing grows, nothing is lost."))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
