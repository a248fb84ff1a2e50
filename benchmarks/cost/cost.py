"""CPU time and memory of the whole daemon beside the bare loop: at full speed, and live at a microphone."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.cost.bareloop import WINDOW
from benchmarks.support import children
from benchmarks.support.children import Running, bare_loop
from benchmarks.support.daemon_setup import DEFAULT, YAMNET
from benchmarks.support.report import middle, table
from benchmarks.support.sounds import RATE
from detector.config.settings import WindowSettings
from tests.support.virtualmic import VirtualMicrophone

SAME_HOP = round(WindowSettings().hop_seconds * RATE)
"""The daemon's default hop, for the bare loop [samples]."""
HALF = WINDOW // 2
"""Half of YAMNet's window [samples]."""

Command = Callable[[Path], list[str]]

PROGRAMS: dict[str, Command] = {
    DEFAULT.name: lambda path: DEFAULT.command("--input", str(path)),
    YAMNET.name: lambda path: YAMNET.command("--input", str(path)),
    "bare loop, hop 0.24 s": lambda path: bare_loop(str(path), hop=SAME_HOP),
    "bare loop, 50 % overlap": lambda path: bare_loop(str(path), hop=HALF),
}
DAEMON, LIGHT, SAME, OVERLAP = PROGRAMS


@dataclass(frozen=True, slots=True)
class FullSpeed:
    """CPU seconds per hour of sound: (program, recording) -> one value for each repeat."""

    per_hour: dict[tuple[str, str], list[float]]
    start_up: dict[str, list[float]]
    """Program -> CPU seconds for next to nothing, which `per_hour` does not contain."""
    windows: dict[str, int]
    """Recording -> windows that the daemon with the default model classified."""
    seconds: int
    """Length of each recording."""

    def ratio(self, recording: str, other: str, own: str = DAEMON) -> float:
        """The daemon's cost as a share of another's: the median over the repeats."""
        pairs = zip(self.per_hour[own, recording], self.per_hour[other, recording], strict=True)
        return median([own / others for own, others in pairs])

    def table(self) -> str:
        """All programs and both recordings."""
        rows = [["CPU seconds per hour of sound", "quiet", "busy", "start-up, once"]]
        for name in PROGRAMS:
            costs = [middle(self.per_hour[name, recording]) for recording in ("quiet", "busy")]
            rows.append([name, *costs, middle(self.start_up[name], 2)])
        for own, other in ((DAEMON, SAME), (LIGHT, SAME), (DAEMON, OVERLAP)):
            ratios = [f"{self.ratio(recording, other, own):.2f}" for recording in ("quiet", "busy")]
            rows.append([f"{own} / {other}", *ratios, ""])
        possible = self.seconds * RATE // SAME_HOP
        shares = [f"{self.windows[recording]} of {possible}" for recording in ("quiet", "busy")]
        return table([*rows, ["windows that the daemon classified", *shares, ""]])


def at_full_speed(folder: Path, seconds: int, repeats: int) -> FullSpeed:
    """Measure every program on quiet.wav and busy.wav of that length, taking turns."""
    result = FullSpeed({(p, r): [] for p in PROGRAMS for r in ("quiet", "busy")}, {}, {}, seconds)
    for _ in range(repeats):
        for name, command in PROGRAMS.items():
            # The least of three: a start-up too dear would make the rest look cheap.
            start_up = min(children.run(command(folder / "tiny.wav")).cpu_seconds for _ in range(3))
            result.start_up.setdefault(name, []).append(start_up)
            for recording in ("quiet", "busy"):
                ended = children.run(command(folder / f"{recording}.wav"))
                result.per_hour[name, recording].append((ended.cpu_seconds - start_up) * 3600 / seconds)
                if name == DAEMON:
                    result.windows[recording] = _windows(ended.said)
    return result


@dataclass(frozen=True, slots=True)
class Live:
    """One minute at the microphone, all programs side by side."""

    cpu: dict[str, float] = field(default_factory=dict)
    """Program -> CPU seconds per hour."""
    highest: dict[str, float] = field(default_factory=dict)
    """Program -> highest resident memory [MB]."""
    resident: dict[str, float] = field(default_factory=dict)
    """Program -> resident memory at the end [MB]."""

    def table(self) -> str:
        """All programs."""
        rows = [["live", "CPU seconds per hour", "highest resident MB", "resident MB at the end"]]
        for name, cpu in self.cpu.items():
            rows.append([name, f"{cpu:.1f}", f"{self.highest[name]:.1f}", f"{self.resident[name]:.1f}"])
        return table(rows)


def at_microphone(folder: Path, seconds: int, microphone: VirtualMicrophone) -> Live:
    """Play `seconds` of busy.wav to both daemons, the bare loop and bare PyAudio."""
    more = microphone.variables
    live = Live()

    def sinks(name: str) -> list[str]:
        return ["--sink", "stdout", "--sink", f"socket:unix://{folder}/{name}.sock"]

    with (
        Running(DEFAULT.command("--device", "1", *sinks("default")), more) as own,
        Running(YAMNET.command("--device", "1", *sinks("yamnet")), more) as light,
        Running(bare_loop(hop=SAME_HOP), more) as loop,
        Running(bare_loop(model=False), more) as capture,
    ):
        own.seconds_until("daemon.listening")
        light.seconds_until("daemon.listening")
        loop.seconds_until("ready")
        capture.seconds_until("ready")
        programs = {DAEMON: own, LIGHT: light, SAME: loop, "PyAudio alone": capture}
        player = _play(folder / "busy.wav", microphone)
        try:
            time.sleep(2)
            began = time.monotonic()
            before = {name: program.cpu_seconds() for name, program in programs.items()}
            time.sleep(seconds)
            hours = (time.monotonic() - began) / 3600
            for name, program in programs.items():
                live.cpu[name] = (program.cpu_seconds() - before[name]) / hours
                live.highest[name], live.resident[name] = program.memory_mb()
        finally:
            player.terminate()
            player.wait()
    return live


def _play(path: Path, microphone: VirtualMicrophone) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["paplay", "--device=spk", str(path)],
        env=microphone.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _windows(said: str) -> int:
    found = re.search(r"daemon\.summary .*windows=(\d+)", said)
    assert found, said
    return int(found[1])
