"""One process that feeds one target: `python -m benchmarks.fuzz.worker TARGET INPUTS SEED FOLDER [guided]`.

FOLDER holds the slot and what is found. With `guided`, atheris (libFuzzer) chooses inputs by the coverage
that they reach; two thirds of its mutations are ours. A finding is one line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FrameType
from typing import TYPE_CHECKING

from benchmarks.fuzz.slot import Progress, Slot

if TYPE_CHECKING:
    from benchmarks.fuzz.target import Judge, Target

HANG_SECONDS = 5.0
"""An input that takes longer hangs the program."""

_KEPT_OF_EACH = 3
"""Inputs saved of findings of one kind."""


class Hang(BaseException):
    """Raised by the alarm; no `except Exception` of the program may swallow it."""


class Feeder:
    """Tries inputs one after the other and keeps the account in the slot."""

    def __init__(self, judge: Judge, name: str, folder: Path) -> None:
        self._judge = judge
        self._name = name
        self._folder = folder
        self._slot = Slot(folder / "slot")
        self._kinds: Counter[str] = Counter()
        self.progress = Progress()
        signal.signal(signal.SIGALRM, _hang)

    def __call__(self, data: bytes) -> None:
        """Try one input."""
        done = self.progress
        length = self._slot.put_input(data)
        began = time.monotonic_ns()
        self._slot.write(done._replace(length=length))
        accepted, finding = False, ""
        signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS)
        try:
            accepted = self._judge(data)
        except Hang:
            finding = f"hang: no answer within {HANG_SECONDS:.0f} s"
        except Exception as error:
            finding = str(error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.progress = Progress(
            tried=done.tried + 1,
            accepted=done.accepted + (accepted and not finding),
            refused=done.refused + (not accepted and not finding),
            found=done.found + bool(finding),
            slowest_ms=max(done.slowest_ms, (time.monotonic_ns() - began) / 1e6),
        )
        self._slot.write(self.progress)
        if finding:
            self._keep(data, finding)

    def _keep(self, data: bytes, finding: str) -> None:
        kind = ": ".join(finding.split(": ")[:2])[:80]
        self._kinds[kind] += 1
        if self._kinds[kind] <= _KEPT_OF_EACH:
            path = save(self._folder, self._name, data)
            print(json.dumps({"finding": finding, "input": str(path)}), flush=True)


def save(folder: Path, name: str, data: bytes) -> Path:
    """Keep an input in a file that is named after its target."""
    path = folder / f"{slug(name)}-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


def slug(name: str) -> str:
    """A target's name as part of a file's name."""
    return re.sub("[^A-Za-z0-9.]+", "-", name).strip("-")


def _hang(number: int, frame: FrameType | None) -> None:
    raise Hang


def feed_mutations(target: Target, feed: Callable[[bytes], None], inputs: int, seed: int) -> None:
    """Try the seeds, at most half of the inputs, then mutations; the same ones for the same `seed`."""
    from benchmarks.fuzz.mutations import mutate

    seeds = [bytes(data) for data in target.seeds()]
    known_inputs = min(len(seeds), -(-inputs // 2))
    for number in range(inputs):
        random = Random(f"{seed} {target.name} {number}")
        known = number < known_inputs
        feed(seeds[number] if known else mutate(random.choice(seeds), random, seeds, target.words))


def feed_guided(target: Target, feeder: Feeder, inputs: int, seed: int, folder: Path) -> None:
    """Let libFuzzer choose; it has no way back, so the process ends here."""
    import atheris

    from benchmarks.fuzz.mutations import MAX_BYTES, mutate

    seeds = [bytes(data) for data in target.seeds()]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(data)

    def one(data: bytes) -> None:
        feeder(data)
        if feeder.progress.tried >= inputs:
            sys.stdout.flush()
            os._exit(0)

    def mutator(data: bytes, longest: int, number: int) -> bytes:
        random = Random(number)
        way = random.randrange(3)
        if way == 0:
            return bytes(atheris.Mutate(data, longest))
        return mutate(data if way == 1 else random.choice(seeds), random, seeds, target.words)[:longest]

    # libFuzzer's own alarm and memory limit are off: the feeder and the watcher have theirs.
    options = [f"-seed={seed % 2**31 or 1}", "-timeout=0", "-rss_limit_mb=0", "-verbosity=0", "-reload=0"]
    options += ["-handle_segv=0", "-handle_bus=0", "-handle_abrt=0", "-handle_fpe=0", "-handle_ill=0"]
    atheris.Setup(
        [sys.argv[0], *options, f"-max_len={MAX_BYTES}", "-len_control=0", str(corpus)],
        one,
        custom_mutator=mutator,
    )
    atheris.Fuzz()


def main() -> int:
    """Feed one target."""
    name, inputs, seed, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    guided = "guided" in sys.argv[5:]
    if guided:
        import atheris

        with atheris.instrument_imports(include=["detector"]):
            from benchmarks.fuzz.targets import TARGETS
    else:
        from benchmarks.fuzz.targets import TARGETS
    from benchmarks.fuzz.target import Judge

    target = TARGETS[name]
    scratch = folder / "scratch"
    scratch.mkdir()
    with Judge(target, scratch) as judge:
        feeder = Feeder(judge, name, folder)
        if guided:
            feed_guided(target, feeder, inputs, seed, folder)
        feed_mutations(target, feeder, inputs, seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
