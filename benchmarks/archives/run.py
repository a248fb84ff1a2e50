"""An archive on two workers: by the plain pool, by Dask, in two shards; what that costs, memory over time.

    python -m benchmarks.archives.run compare --hours 10 --repeats 3      CPU, wall and results, by turns
    python -m benchmarks.archives.run whole --hours 200 --way dask        completeness, memory over time

All ways write the same files; that is checked byte by byte. `benchmarks.archives.faults` kills what runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.archives.process_tree import Memory, Program, run_until_all_end
from benchmarks.archives.recordings import ABOUT, write_archive
from benchmarks.archives.ways import WAYS, check, digest, finish, records, start
from benchmarks.support.children import bare_loop
from benchmarks.support.report import machine, middle, table

OVERHEAD_LIMIT = 0.10
LOOK_SECONDS = 5.0
TELL_LOOKS = 12
"""A line on standard error after so many looks."""
WARM_UP = 0.1
"""Share of the time in which memory may still grow."""
BARE_HOP = 3840
HOP_SECONDS = 0.24


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("compare", "whole"))
    parser.add_argument("--hours", type=float, default=10.0, help="of sound")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--way", choices=tuple(WAYS), action="append", help="default: all")
    parser.add_argument("--format", default="jsonl", help="of analyze")
    parser.add_argument("--folder", type=Path, help="where recordings and results go (default: /tmp)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="archives-", dir=options.folder) as name:
        folder = Path(name)
        print(ABOUT, "\n", table(machine()), sep="\n", flush=True)
        {"compare": _compare, "whole": _whole}[options.what](options, folder)


def _compare(options: argparse.Namespace, folder: Path) -> None:
    """The ways take turns, so that other load on the machine falls on all of them alike."""
    archive = folder / "archive"
    recordings = write_archive(archive, options.hours)
    ways = options.way or list(WAYS)
    walls: dict[str, list[float]] = {}
    cpus: dict[str, list[float]] = {}
    results = set()
    for repeat in range(options.repeats):
        bare = Program(bare_loop(str(archive / ".bases" / "30.flac"), hop=BARE_HOP), folder / "bare.log")
        run_until_all_end([bare])
        cpus.setdefault("bare", []).append(bare.cpu_seconds / 0.5)
        for way in ways:
            out = folder / f"{way}-{repeat}"
            programs = start(way, archive, out, options.format)
            walls.setdefault(way, []).append(run_until_all_end(programs))
            cpus.setdefault(way, []).append(sum(program.cpu_seconds for program in programs))
            check(programs)
            if way == "shards":
                finish(archive, out, options.format)
            results.add(digest(out))
            print(f"{way}: {walls[way][-1]:.1f} s, CPU {cpus[way][-1]:.1f} s", file=sys.stderr, flush=True)
    rows = [["", "wall [s]", "CPU [s]", "CPU over the pool"]]
    for way in ways:
        pairs = zip(cpus[way], cpus.get("pool", cpus[way]), strict=True)
        over = median(cpu / pool - 1 for cpu, pool in pairs)
        rows.append([way, middle(walls[way]), middle(cpus[way]), f"{100 * over:+.1f} %"])
    print(
        f"{len(recordings)} recordings, {options.hours:g} h; medians of {options.repeats} (and the least).\n"
    )
    print(table(rows))
    print(f"Bare loop, hop {HOP_SECONDS} s: {middle(cpus['bare'])} CPU s for an hour of sound. ", end="")
    print(
        f"Different results: {len(results)} (wanted: 1). Wanted over the pool: {100 * OVERHEAD_LIMIT:.0f} %."
    )


def _whole(options: argparse.Namespace, folder: Path) -> None:
    """One way after the other, with a look at the memory of all processes every few seconds."""
    archive = folder / "archive"
    recordings = write_archive(archive, options.hours)
    memory = ["memory [MB]", "own [MB]", "growth of it"]
    rows = [["", "done", "wall [s]", "CPU [s]", "times real time a CPU", *memory, "files"]]
    for way in options.way or ["dask"]:
        out = folder / way
        programs = start(way, archive, out, options.format)
        looks = _Looks(way, out, programs)
        wall = run_until_all_end(programs, do=looks)
        check(programs)
        if way == "shards":
            finish(archive, out, options.format)
        cpu = sum(program.cpu_seconds for program in programs)
        done = f"{records(out)} of {len(recordings)}"
        speed = f"{3600 * options.hours / cpu:.0f}"
        rows.append([way, done, f"{wall:.0f}", f"{cpu:.0f}", speed, *looks.memory(wall), digest(out)[:12]])
        print(looks.table())
    print(f"{options.hours:g} h of sound; memory is of all processes (PSS), without the first tenth.")
    print("Own memory is without what is mapped from files.\n")
    print(table(rows))


class _Looks:
    """Looks at the memory of programs; called now and then with the seconds gone."""

    def __init__(self, way: str, out: Path, programs: list[Program]) -> None:
        self._way, self._out, self._programs = way, out, programs
        self._looks: list[tuple[float, Memory, int]] = []

    def __call__(self, seconds: float) -> None:
        if seconds < len(self._looks) * LOOK_SECONDS:
            return
        memory = Memory.of([pid for program in self._programs for pid in program.tree()])
        self._looks.append((seconds, memory, records(self._out)))
        if len(self._looks) % TELL_LOOKS == 1:
            megabytes = f"{memory.all:.1f} MB, own {memory.own:.1f} MB"
            line = f"{self._way}: {seconds:.0f} s, {megabytes}, {self._looks[-1][2]} done"
            print(line, file=sys.stderr, flush=True)

    def memory(self, wall: float) -> tuple[str, str, str]:
        """Least and most memory, the same without files, and how much this grows by least squares."""
        warm = [look for look in self._looks if WARM_UP * wall <= look[0] <= wall - LOOK_SECONDS]
        own = [memory.own for _, memory, _ in warm]
        slope, _ = np.polyfit([done for _, _, done in warm], own, 1)
        return _span([memory.all for _, memory, _ in warm]), _span(own), f"{1e3 * slope:+.1f} kB a recording"

    def table(self) -> str:
        """Ten of the looks."""
        every = max(1, len(self._looks) // 10)
        rows = [
            [f"{seconds:.0f}", f"{memory.all:.1f}", f"{memory.own:.1f}", str(done)]
            for seconds, memory, done in self._looks[::every]
        ]
        return table([["seconds", "memory of all processes [MB]", "own [MB]", "recordings done"], *rows])


def _span(megabytes: Sequence[float]) -> str:
    return f"{min(megabytes):.1f} to {max(megabytes):.1f}, median {median(megabytes):.1f}"


if __name__ == "__main__":
    main()
