"""Fuzzing of every input that a stranger controls: `make fuzz`, or `python -m benchmarks.fuzz.run`.

Each target is fed in a process of its own, so that a crash in a native decoder, a hang or a hunger for
memory is a finding like any other. Allowed is: to take the input, or to refuse it with a DetectorError of
one printable line for each fault. Whatever else happens is counted, its input is saved in fuzz-failures/,
and the exit status is 1. Where atheris is installed, coverage leads on the targets that are Python;
elsewhere, and without it, inputs are seeded mutations. `--replay FILE` tries a saved input again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from benchmarks.fuzz.slot import Progress
from benchmarks.fuzz.target import Finding, Judge, Target
from benchmarks.fuzz.targets import TARGETS
from benchmarks.fuzz.watch import Outcome, Worker
from benchmarks.fuzz.worker import slug
from benchmarks.support.report import table

_LOOK_SECONDS = 0.05


def fuzz(targets: Sequence[Target], inputs: int, seed: int, *, jobs: int, guided: bool) -> dict[str, Outcome]:
    """Share the inputs out and try them, `jobs` targets at a time."""
    from tqdm import tqdm

    whole = sum(target.share for target in targets)
    waiting = [(target, -(-inputs * target.share // whole)) for target in targets]
    waiting.sort(key=lambda item: item[1])
    outcomes: dict[str, Outcome] = {}
    running: dict[str, Worker] = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        bar = tqdm(
            total=sum(share for _, share in waiting),
            unit=" inputs",
            unit_scale=True,
            leave=False,
            disable=None,
        )
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    target, share = waiting.pop()
                    place = Path(folder) / f"{len(waiting)}"
                    running[target.name] = Worker(target, share, seed, place, guided=guided)
                bar.set_description(", ".join(running))
                time.sleep(_LOOK_SECONDS)
                for name in [name for name, worker in running.items() if worker.is_done()]:
                    outcomes[name] = running.pop(name).outcome
                tried = sum(outcome.tried for outcome in outcomes.values())
                bar.update(tried + sum(worker.tried for worker in running.values()) - bar.n)
        finally:
            for worker in running.values():
                worker.end()
            bar.close()
    return {target.name: outcomes[target.name] for target in targets}


def rows(outcomes: dict[str, Outcome]) -> Iterable[list[str]]:
    """The table, with its head and its sum."""
    yield [
        "input",
        "led by",
        "tried",
        "accepted",
        "refused",
        "other exceptions, hangs, crashes",
        "slowest ms",
        "MB",
    ]
    for name, outcome in outcomes.items():
        lead = "coverage" if outcome.guided else "seeds"
        yield [name, lead, *_figures(outcome)]
    whole = Outcome()
    for outcome in outcomes.values():
        whole.add(
            Progress(outcome.tried, outcome.accepted, outcome.refused, outcome.found, outcome.slowest_ms)
        )
        whole.memory_mb = max(whole.memory_mb, outcome.memory_mb)
    yield ["**all**", "", *_figures(whole)]


def _figures(outcome: Outcome) -> list[str]:
    counts = (outcome.tried, outcome.accepted, outcome.refused, outcome.found)
    return [*(str(count) for count in counts), f"{outcome.slowest_ms:.0f}", f"{outcome.memory_mb:.0f}"]


def replay(path: Path) -> int:
    """Try one saved input in this process, with whatever it does to it."""
    name = next((name for name in TARGETS if path.name.startswith(slug(name))), None)
    if name is None:
        raise SystemExit(
            f"{path.name}: expected a file name that begins with one of: {', '.join(map(slug, TARGETS))}"
        )
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, Judge(TARGETS[name], Path(folder)) as judge:
        try:
            accepted = judge(path.read_bytes())
        except Finding as finding:
            print(f"{name}: {finding}")
            return 1
    print(f"{name}: {'accepted' if accepted else 'refused in words'}")
    return 0


def main() -> int:
    """Fuzz and print a table; 1 where anything was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--inputs", type=int, default=100_000, help="how many, over all targets (default 100000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed tries other inputs (default 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="only this one; repeatable")
    parser.add_argument("--no-atheris", action="store_true", help="seeded mutations only")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="try one saved input again")
    options = parser.parse_args()
    if options.replay is not None:
        return replay(options.replay)
    guided = find_spec("atheris") is not None and not options.no_atheris
    engine = (
        f"atheris {metadata.version('atheris')}"
        if guided
        else "none (atheris is not installed or not wanted)"
    )
    began = time.monotonic()
    targets = [TARGETS[name] for name in options.target or TARGETS]
    outcomes = fuzz(targets, options.inputs, options.seed, jobs=options.jobs, guided=guided)
    seconds = time.monotonic() - began
    print(table(rows(outcomes)))
    found = [line for outcome in outcomes.values() for line in outcome.findings]
    print(f"\nCoverage: {engine}. Seed {options.seed}, {seconds:.0f} s, {options.jobs} processes.")
    print("Nothing was found." if not found else f"\n{len(found)} findings were saved:\n" + "\n".join(found))
    return 1 if any(outcome.found for outcome in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
