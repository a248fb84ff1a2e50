"""What clips cost: the whole daemon with and without them, on the same sound, in one run.

Both are the real process on a recording at full speed; the process that judges and writes is part of the
daemon's CPU time (`wait4` adds up children that were waited for). What starting costs is measured on next to
no sound, and taken off. With --live both play the sound in real time, side by side. *A sound a minute*: pink
noise at -55 dBFS with an ESC-10 clip of 5 s in each minute; the busy recording is that of
`benchmarks.cost.run`, in which nearly everything becomes a clip.

    python -m benchmarks.cost.keeping_clips [--minutes 10] [--repeats 3] [--live]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.cost import recordings
from benchmarks.support import children
from benchmarks.support.daemon_setup import DEFAULT, YAMNET, DaemonSetup
from benchmarks.support.report import middle, table
from benchmarks.support.sounds import RATE, esc10, noise, quantised

ROOM_DBFS = -55.0
EVERY_SECONDS = 60
START_SECONDS = 3
"""Long enough for the clip process to start."""
SOUNDS = ("a sound a minute", "busy")


@dataclass(slots=True)
class ClipCost:
    """CPU seconds per hour of one daemon: recording -> one value for each repeat."""

    daemon: str
    without: dict[str, list[float]] = field(default_factory=dict)
    with_clips: dict[str, list[float]] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    start_up: list[float] = field(default_factory=list)
    """What the start of the clip process costs, once [CPU seconds]."""

    def added(self, sound: str) -> float:
        """Per cent that clips cost beyond the daemon: the median over the repeats."""
        pairs = zip(self.with_clips[sound], self.without[sound], strict=True)
        return 100 * (median([more / less for more, less in pairs]) - 1)

    def table(self) -> str:
        """A row for each recording."""
        rows = [
            [
                f"{self.daemon}: CPU s per hour",
                "without clips",
                "with clips",
                "more",
                "clips",
                "dropped",
            ]
        ]
        for sound in self.without:
            costs = [middle(self.without[sound]), middle(self.with_clips[sound])]
            counts = [str(self.kept[sound]), str(self.dropped[sound])]
            rows.append([sound, *costs, f"{self.added(sound):+.1f} %", *counts])
        rows.append(["the clip process, its start, once [s]", "", middle(self.start_up, 2), "", "", ""])
        return table(rows)


def measure(daemon: DaemonSetup, folder: Path, minutes: int, repeats: int) -> ClipCost:
    """Measure on `SOUNDS`, whose files are in the folder, taking turns."""
    cost = ClipCost(daemon.name)
    for _ in range(repeats):
        bare = _cpu(daemon, folder / "start.wav")
        with_process = _cpu(daemon, folder / "start.wav", folder)
        cost.start_up.append(with_process - bare)
        for sound in SOUNDS:
            path = folder / f"{sound}.wav"
            hours = minutes / 60
            cost.without.setdefault(sound, []).append((_cpu(daemon, path) - bare) / hours)
            cost.with_clips.setdefault(sound, []).append((_cpu(daemon, path, folder) - with_process) / hours)
            states = _states(folder / "log.jsonl")
            cost.kept[sound], cost.dropped[sound] = states.count("saved"), states.count("dropped")
    return cost


def measure_live(daemon: DaemonSetup, folder: Path, minutes: int) -> ClipCost:
    """Measure on a sound a minute in real time, both at once."""
    cost, sound = ClipCost(f"{daemon.name}, in real time"), SOUNDS[0]
    for name in ("bare", "clips"):  # a log for each
        (folder / name).mkdir(exist_ok=True)
        for wanted in ("start", sound):
            (folder / name / f"{wanted}.wav").hardlink_to(folder / f"{wanted}.wav")
    starts = _both(daemon, folder, "start")
    bare, kept = _both(daemon, folder, sound)
    hours = minutes / 60
    cost.start_up.append(starts[1] - starts[0])
    cost.without[sound], cost.with_clips[sound] = [(bare - starts[0]) / hours], [(kept - starts[1]) / hours]
    states = _states(folder / "clips" / "log.jsonl")
    cost.kept[sound], cost.dropped[sound] = states.count("saved"), states.count("dropped")
    return cost


def _both(daemon: DaemonSetup, folder: Path, sound: str) -> list[float]:
    """CPU seconds without and with clips, of two daemons that hear the sound at the same time."""
    with ThreadPoolExecutor() as pool:
        bare = pool.submit(_cpu, daemon, folder / "bare" / f"{sound}.wav", None, "--realtime")
        kept = pool.submit(_cpu, daemon, folder / "clips" / f"{sound}.wav", folder, "--realtime")
        return [bare.result(), kept.result()]


def write_sounds(folder: Path, minutes: int) -> None:
    """Write the recordings."""
    recordings.write_all(folder, minutes * 60)
    (folder / "busy.wav").rename(folder / f"{SOUNDS[1]}.wav")
    quiet = noise("pink", ROOM_DBFS, minutes * 60)
    recordings.write(folder / "start.wav", quantised(quiet[: START_SECONDS * RATE]))
    clips = [clip for _, clip in esc10(10 * (-(-minutes // 10)))]
    for number, second in enumerate(range(EVERY_SECONDS // 2, minutes * 60 - 6, EVERY_SECONDS)):
        clip = clips[(7 * number) % len(clips)][: 5 * RATE]
        quiet[second * RATE : second * RATE + len(clip)] += clip * 0.1 / max(1e-6, np.abs(clip).max())
    recordings.write(folder / f"{SOUNDS[0]}.wav", quantised(quiet))


def _cpu(daemon: DaemonSetup, recording: Path, folder: Path | None = None, *more: str) -> float:
    """CPU seconds of a run, with clips below the folder where one is given."""
    log = recording.parent / "log.jsonl"
    log.unlink(missing_ok=True)
    extra = [*more, "--sink", "stdout", "--sink", f"log:{log}"]  # in both, so that it makes no difference
    if folder is not None:
        extra += ["--clips", str(folder / "clips"), "--set", "clips.min_free_megabytes=0"]
    return children.run(daemon.command("--input", str(recording), *extra)).cpu_seconds


def _states(log: Path) -> list[str]:
    messages = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [message["state"] for message in messages if message["type"] == "clip"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost.keeping_clips",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--live", action="store_true", help="the default model in real time instead")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clips-") as folder:
        write_sounds(Path(folder), arguments.minutes)
        if arguments.live:
            print(measure_live(DEFAULT, Path(folder), arguments.minutes).table(), flush=True)
            return
        for daemon in (DEFAULT, YAMNET):
            print(measure(daemon, Path(folder), arguments.minutes, arguments.repeats).table(), flush=True)


if __name__ == "__main__":
    main()
