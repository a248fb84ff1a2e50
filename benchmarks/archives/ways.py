"""The ways in which an archive is analyzed on two workers, and whether they come to the same files."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from benchmarks.archives.process_tree import Program, run_until_all_end

WAYS: dict[str, list[list[str]]] = {
    "pool": [["-j", "2"]],
    "dask": [["--dask", "local[2]"]],
    "shards": [["--shard", "1/2", "-j", "1"], ["--shard", "2/2", "-j", "1"]],
}
"""The flags of each program that runs at the same time."""
RECORD = ".summary.json"
"""Ending of the file that is written last of a recording's."""


def command(archive: Path, out: Path, format: str, *flags: str) -> list[str]:
    """One run of the real program."""
    analyze = [sys.executable, "-m", "detector", "analyze", str(archive), "--format", format, "-q"]
    return [*analyze, "--out", str(out), *flags]


def start(way: str, archive: Path, out: Path, format: str) -> list[Program]:
    """Start all programs of a way; what they say goes beside the results."""
    log = out.with_name(f"{out.name}.log")
    return [Program(command(archive, out, format, *flags), log) for flags in WAYS[way]]


def finish(archive: Path, out: Path, format: str) -> Program:
    """The same command without shards: it does what is left and writes the summary of all."""
    program = Program(command(archive, out, format, "-j", "2"), out.with_name(f"{out.name}.log"))
    run_until_all_end([program])
    return program


def check(programs: list[Program]) -> None:
    """End all where one of them ended otherwise than well."""
    for program in programs:
        if program.status:
            raise SystemExit(f"it ended with {program.status}: {program.log.read_text()[-2000:]}")


def records(out: Path) -> int:
    """Recordings that are done."""
    return len(list(out.rglob(f"*{RECORD}")))


def said(out: Path) -> list[str]:
    """The program's own lines, each once."""
    log = out.with_name(f"{out.name}.log").read_text()
    return sorted({line for line in log.splitlines() if line.startswith("sound-detector:")})


def digest(folder: Path) -> str:
    """Of the names and bytes of all files in a folder."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(f"{path.relative_to(folder)}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
