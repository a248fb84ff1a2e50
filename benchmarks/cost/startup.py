"""Cold start: from exec until the daemon listens, beside the bare loop and bare PyAudio.

Every start is a new process; its files are in the page cache.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.support import children
from benchmarks.support.children import Running, bare_loop
from benchmarks.support.daemon_setup import DEFAULT, YAMNET, DaemonSetup
from benchmarks.support.report import middle, table
from tests.support.virtualmic import VirtualMicrophone

IMPORTS: dict[str, str] = {
    "python -c pass, to its exit": "pass",
    "the same, importing numpy": "import numpy",
    "the same, importing numpy and LiteRT": "import numpy, ai_edge_litert.interpreter",
    "the same, importing the daemon's modules": (
        "import detector.cli.main, detector.config.loading, detector.assemble.service"
    ),
}
ANSWER = "bare loop on a recording, to its first answer"
ALONE_OPENED = "PyAudio alone, to the device opened"
ALONE_BLOCK = "PyAudio alone, to its first block"


def listening(daemon: DaemonSetup) -> str:
    """Name of a daemon's start on a recording."""
    return f"{daemon.name} on a recording in real time, to listening"


def opened(daemon: DaemonSetup) -> str:
    """Name of its way to an open microphone."""
    return f"{daemon.name} at the microphone, to the device opened"


def first_block(daemon: DaemonSetup) -> str:
    """Name of its way to the microphone's first block."""
    return f"{daemon.name} at the microphone, to listening (its first block)"


@dataclass(frozen=True, slots=True)
class StartUp:
    """What was started -> seconds, one value for each repeat."""

    seconds: dict[str, list[float]]

    def median(self, what: str) -> float | None:
        """None where it was not measured."""
        return median(self.seconds[what]) if what in self.seconds else None

    def difference(self) -> float | None:
        """How much later than PyAudio alone the daemon has its first block [s]."""
        own, alone = self.median(first_block(DEFAULT)), self.median(ALONE_BLOCK)
        return None if own is None or alone is None else own - alone

    def table(self) -> str:
        """One row for each."""
        rows = [["seconds from exec", "median (least)"]]
        return table([*rows, *([what, middle(values, 2)] for what, values in self.seconds.items())])


def measure(folder: Path, repeats: int, microphone: VirtualMicrophone | None) -> StartUp:
    """Start everything `repeats` times, taking turns; without a microphone, what needs none."""
    result: dict[str, list[float]] = {}
    quiet = str(folder / "quiet.wav")

    def add(names: Sequence[str], command: list[str], markers: Sequence[str], live: bool) -> None:
        more = microphone.variables if live and microphone else None
        with Running(command, more) as program:
            for name, seconds in zip(names, program.seconds_until(*markers), strict=True):
                result.setdefault(name, []).append(seconds)

    for _ in range(repeats):
        for name, code in IMPORTS.items():
            wall = children.run([sys.executable, "-c", code]).wall_seconds
            result.setdefault(name, []).append(wall)
        add([ANSWER], bare_loop(quiet), ["ready"], False)
        for daemon in (DEFAULT, YAMNET):
            command = daemon.command("--input", quiet, "--realtime")
            add([listening(daemon)], command, ["daemon.listening"], False)
            if microphone:
                names, markers = [opened(daemon), first_block(daemon)], ["source.opened", "daemon.listening"]
                add(names, daemon.command("--device", "1"), markers, True)
        if microphone:
            add([ALONE_OPENED, ALONE_BLOCK], bare_loop(model=False), ["opened", "ready"], True)
    return StartUp(result)
