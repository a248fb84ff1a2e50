"""`sound-detector analyze` beside the bare loop: times real time on a busy recording, and memory by length.

    python -m benchmarks.cost.analyze [--minutes 30] [--repeats 3]

CPU seconds of the program and all its workers, from start to exit, on one recording, so on one core; the two
take turns. The peak memory is the largest process's, for a short and a long recording.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import ROOT
from benchmarks.cost import recordings
from benchmarks.support.children import bare_loop, environment
from benchmarks.support.report import middle, table

SAME_HOP = 3840
HALF = 7800
WANTED = 150
"""Times real time, per core, on a busy recording."""


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost.analyze", description=__doc__)
    parser.add_argument("--minutes", type=int, default=30, help="length of each recording")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    seconds = 60 * arguments.minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        about = recordings.write_all(folder, seconds)
        short = folder / "short"
        short.mkdir()
        recordings.write_all(short, 60)
        print(f"{about}\n{arguments.minutes} minutes each.\n")
        print(_speeds(folder, seconds, arguments.repeats))
        rows = [["busy recording", "highest resident MB of a process"]]
        for length, path in (("1 minute", short), (f"{arguments.minutes} minutes", folder)):
            for what in ((), ("--format", "scores", "--report")):
                _, peak = _cost(_analyze(path / "busy.wav", folder / f"{length}{len(what)}", *what))
                rows.append([f"{length} {' '.join(what)}", f"{peak:.0f}"])
        print(f"\n{table(rows)}")


def _speeds(folder: Path, seconds: int, repeats: int) -> str:
    programs: dict[str, Callable[[Path, Path], list[str]]] = {
        "analyze": lambda path, out: _analyze(path, out),
        "bare loop, hop 0.24 s": lambda path, out: bare_loop(str(path), hop=SAME_HOP),
        "bare loop, 50 % overlap": lambda path, out: bare_loop(str(path), hop=HALF),
    }
    speeds: dict[tuple[str, str], list[float]] = {}
    for repeat in range(repeats):
        for name, command in programs.items():
            for recording in ("quiet", "busy"):
                path = folder / f"{recording}.wav"
                cpu, _ = _cost(command(path, folder / f"{recording}{repeat}"))
                speeds.setdefault((name, recording), []).append(seconds / cpu)
    rows = [["times real time, per core", "quiet", "busy"]]
    rows += [[name, *(middle(speeds[name, r], 0) for r in ("quiet", "busy"))] for name in programs]
    reached = median(speeds["analyze", "busy"])
    return f"{table(rows)}\n\nWanted on the busy one: {WANTED}, reached: {reached:.0f}."


def _analyze(path: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "detector", "analyze", str(path), "--out", str(out), "-q", *more]


def _cost(command: list[str]) -> tuple[float, float]:
    """CPU seconds of a command and its children, and the highest resident memory of any of them [MB].

    A process of its own in between, because what is asked about children is of all that ever ended.
    """
    asking = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", asking, *command],
        check=True,
        cwd=ROOT,
        env=environment({"OMP_NUM_THREADS": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    cpu, peak = map(float, ended.stdout.split())
    return cpu, peak


if __name__ == "__main__":
    main()
