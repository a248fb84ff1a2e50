"""An archive whose workers, jobs and scheduler are killed (SIGKILL) while it is analyzed.

    python -m benchmarks.archives.faults workers      a worker every 20 s; of shards, a whole job
    python -m benchmarks.archives.faults poison       whichever process opens one of the recordings
    python -m benchmarks.archives.faults scheduler    the Dask scheduler, in the middle

What is there in the end is compared byte by byte with a run in peace.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.archives.process_tree import Program, has_open, run_until_all_end
from benchmarks.archives.recordings import write_archive
from benchmarks.archives.ways import WAYS, check, command, digest, finish, records, said, start
from benchmarks.support.report import machine, table

FORMAT = "jsonl"
CLIPS_SHARE = 0.1
MOST_RUNS = 5
POISON_SECONDS = 0.2
"""Between two looks at what the workers have open."""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("workers", "poison", "scheduler"))
    parser.add_argument("--recordings", type=int, default=60)
    parser.add_argument("--minutes", type=int, default=10, help="of each recording")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills")
    parser.add_argument("--way", choices=tuple(WAYS), action="append", help="default: all that can be")
    parser.add_argument("--folder", type=Path, help="where recordings and results go (default: /tmp)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="archives-", dir=options.folder) as name:
        folder = Path(name)
        archive = folder / "archive"
        hours = options.recordings * options.minutes / 60
        recordings = write_archive(archive, hours, [(options.minutes, CLIPS_SHARE)])[: options.recordings]
        print(table(machine()), flush=True)
        print(f"{len(recordings)} recordings of {options.minutes} minutes.\n", flush=True)
        peace = start("pool", archive, folder / "peace", FORMAT)
        run_until_all_end(peace)
        check(peace)
        what = {"workers": _workers, "poison": _poison, "scheduler": _scheduler}[options.what]
        print(table(what(options, folder, recordings)))


def _workers(options: argparse.Namespace, folder: Path, recordings: list[Path]) -> list[list[str]]:
    rows = [["", "killed", "done by the first run", "runs", "wall [s]", "the files of a run in peace"]]
    for way in options.way or list(WAYS):
        out = folder / way
        programs = start(way, folder / "archive", out, FORMAT)
        kills = _Kills(way, out, programs, options.every, random.Random(options.seed))
        wall = run_until_all_end(programs, do=kills)
        first = f"{records(out)} of {len(recordings)}"
        runs = 1
        while way == "shards" or any(program.status for program in programs):
            runs += 1
            programs = [finish(folder / "archive", out, FORMAT)]
            if not programs[0].status or runs > MOST_RUNS:
                break
        rows.append([way, str(kills.count), first, str(runs), f"{wall:.0f}", _same(folder, out)])
        print(*(f"{way}: {line}" for line in said(out)), sep="\n", flush=True)
    return rows


class _Kills:
    """Kills every few seconds from the first recording that is done; called with the seconds gone."""

    def __init__(
        self, way: str, out: Path, programs: list[Program], every: float, rng: random.Random
    ) -> None:
        self._way, self._out, self._programs, self._every, self._rng = way, out, programs, every, rng
        self._next = 0.0
        self.count = 0

    def __call__(self, seconds: float) -> None:
        running = [program for program in self._programs if program.status is None]
        if not running or seconds < self._next or not records(self._out):
            return
        program = self._rng.choice(running)
        if self._way == "shards":
            program.kill()
            program.start()
        elif workers := program.workers():
            os.kill(self._rng.choice(workers), signal.SIGKILL)
        else:
            return
        self.count += 1
        self._next = seconds + self._every


def _poison(options: argparse.Namespace, folder: Path, recordings: list[Path]) -> list[list[str]]:
    """One recording kills whoever reads it; then that stops, and the same command is given again."""
    poison = recordings[len(recordings) // 2]
    rows = [["", "killed", "status", "done by the first run", "the files of a run in peace, after a second"]]
    for way in options.way or ["pool", "dask"]:
        out = folder / way
        programs = start(way, folder / "archive", out, FORMAT)
        killed: list[int] = []

        def kill(_: float, programs: list[Program] = programs, killed: list[int] = killed) -> None:
            for pid in [pid for program in programs for pid in program.workers()]:
                if pid not in killed and has_open(pid, poison):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

        run_until_all_end(programs, POISON_SECONDS, kill)
        first = f"{records(out)} of {len(recordings)}"
        status = ", ".join(str(program.status) for program in programs)
        print(*(f"{way}: {line}" for line in said(out)), sep="\n", flush=True)
        check([finish(folder / "archive", out, FORMAT)])
        rows.append([way, str(len(killed)), status, first, _same(folder, out)])
    return rows


def _scheduler(options: argparse.Namespace, folder: Path, recordings: list[Path]) -> list[list[str]]:
    """The scheduler is killed when half is done; a new one goes on."""
    out = folder / "cluster"
    rows = [["run", "status", "done after it", "the files of a run in peace"]]
    for number, half in ((1, len(recordings) // 2), (2, len(recordings) + 1)):
        with ExitStack() as stack:
            port = _free_port()
            dask = [str(Path(sys.executable).with_name("dask"))]
            scheduler = Program(
                [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
                folder / f"scheduler-{number}.log",
            )
            where = f"tcp://127.0.0.1:{port}"
            worker = [*dask, "worker", where, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
            workers = Program([*worker, "--death-timeout", "60"], folder / f"workers-{number}.log")
            stack.callback(workers.end)
            stack.callback(scheduler.end)
            program = Program(
                command(folder / "archive", out, FORMAT, "--dask", where), out.with_name("cluster.log")
            )

            def kill(_: float, scheduler: Program = scheduler, half: int = half) -> None:
                if records(out) >= half and not scheduler.has_ended():
                    scheduler.kill()

            run_until_all_end([program], do=kill)
        same = _same(folder, out) if number == 2 else ""
        rows.append([str(number), str(program.status), f"{records(out)} of {len(recordings)}", same])
    print(*said(out), sep="\n", flush=True)
    return rows


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def _same(folder: Path, out: Path) -> str:
    return "yes" if digest(out) == digest(folder / "peace") else "**no**"


if __name__ == "__main__":
    main()
