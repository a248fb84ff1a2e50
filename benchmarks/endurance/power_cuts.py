"""The promise when the power is cut: the history opens, no number comes twice, no clip is half there.

The real daemon hears sounds in real time and keeps its history and clips on an ext4 of its own, mounted as on
Raspberry Pi OS, on a disk that knows what a power cut would leave (`benchmarks.support.cut_disk`): what was
flushed is there; of what was written since then all, nothing or some blocks. Such an image is taken at random
moments while the daemon runs, and from the last one of a run the next run goes on. A reader of the daemon's
output is outside and forgets nothing. Checked on each image:

- the kernel mounts it, and e2fsck finds nothing to mend once the kernel has;
- the database is whole (`PRAGMA integrity_check`), and its events are those that the reader got;
- what is missing are the newest events of that run, none from between;
- the numbers that the next run may use are greater than all that the reader has got;
- each clip can be decoded to its end, and its JSON is whole.

And of each run: it starts, names no damage, and gives greater numbers than the reader has ever seen.

    sudo python -m benchmarks.endurance.power_cuts [--cuts 60] [--runs 6] [--longest 12] [--seed 1]
        [--write-early]

`--longest` is the longest time from cut to cut [s]. The kernel keeps what it shall write for half a minute,
so that short runs find empty histories. With `--write-early` it is told after each cut to write what it has.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.support import card, cut_disk
from benchmarks.support.children import environment
from benchmarks.support.cut_disk import FATES, CutDisk
from benchmarks.support.daemon_setup import YAMNET
from benchmarks.support.sounds import RATE, esc10, noise, quantised
from detector.clips.clip_folder import ClipStore

DISK_BYTES = 256 << 20
SHORTEST_SECONDS = 0.3
START_SECONDS = 600.0
BLOCK = RATE // 10
CLIP_SETTINGS = (
    *("clips.speech=keep", "clips.min_free_megabytes=0", "clips.max_megabytes=50", "clips.min_per_label=0"),
    *("clips.preroll_seconds=0.3", "clips.postroll_seconds=0.3", "clips.max_seconds=3"),
)
"""Many small clips, with speech too."""


@dataclass(slots=True)
class Reader:
    """What came out of the daemon, through all runs."""

    lines: dict[int, bytes] = field(default_factory=dict)
    """Events by their number."""
    times: dict[int, float] = field(default_factory=dict)
    """When they came [s, monotonic]."""
    missing: set[int] = field(default_factory=set)
    """Those that cuts took."""
    repeated: list[int] = field(default_factory=list)
    """Numbers that came again, or after greater ones."""

    def read(self, output: Iterator[bytes], ready: threading.Event) -> None:
        """Take lines until there are none; numbers must rise."""
        for line in output:
            now, message = time.monotonic(), json.loads(line)
            ready.set()
            if message["type"] in ("start", "update", "end"):
                seq = message["seq"]
                if self.lines and seq <= next(reversed(self.lines)):
                    self.repeated.append(seq)
                self.lines[seq], self.times[seq] = line, now


@dataclass(slots=True)
class Found:
    """Figures of all cuts."""

    lost_seconds: list[float] = field(default_factory=list)
    """For each cut, how old the oldest lost event was."""
    lost_events: list[int] = field(default_factory=list)
    unsafe: list[int] = field(default_factory=list)
    """Writes that were not flushed at the cut."""
    stored_events: int = 0
    """Events in the histories that were checked, each counted once for every cut that it outlived."""
    clips: int = 0
    """Clips that were checked, each once for every cut that it outlived."""
    leftovers: int = 0
    """Part files of a clip that was being written, which the daemon removes later."""


def sounds() -> NDArray[np.int16]:
    """Ten minutes: a clip every 3 s over quiet noise."""
    track = noise("pink", -60.0, 600)
    for number, clip in enumerate(clip for _, clip in esc10(200)):
        part = clip[: 2 * RATE] * 0.1 / max(1e-6, np.abs(clip).max())
        track[3 * number * RATE :][: len(part)] += part
    return quantised(track)


def feed(child: subprocess.Popen[bytes], track: NDArray[np.int16], start: int) -> None:
    """Write sound in real time until the daemon is gone."""
    assert child.stdin is not None
    began = time.monotonic()
    with contextlib.suppress(BrokenPipeError):
        for number in itertools.count():
            at = (start + number * BLOCK) % (len(track) - BLOCK)
            child.stdin.write(track[at : at + BLOCK].tobytes())
            child.stdin.flush()
            time.sleep(max(0.0, began + (number + 1) * BLOCK / RATE - time.monotonic()))
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()


def start_daemon(disk: Path, log: Path, *, clips: bool) -> subprocess.Popen[bytes]:
    """A daemon whose history and clips lie on the disk; its log outside."""
    settings = [f"history.path={disk / 'history.db'}", *(CLIP_SETTINGS if clips else ())]
    options = [word for setting in settings for word in ("--set", setting)]
    options += ["--clips", str(disk / "clips")] if clips else []
    command = YAMNET.command("--input", "-", *options)
    with log.open("wb") as errors:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=environment(),
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut at some moment would have left."""

    image: Path
    moment: float
    """Seconds on the monotonic clock."""
    unsafe: int
    """Writes that were not flushed."""


def run_with_cuts(
    folder: Path,
    image: Path,
    reader: Reader,
    track: NDArray[np.int16],
    chance: random.Random,
    pauses: list[float],
    *,
    write_early: bool,
) -> list[Cut]:
    """One run with a cut after each of these pauses [s]; the last one ends it."""
    cuts: list[Cut] = []
    with CutDisk(image, folder / "disk") as disk:
        # Each clip is flushed, and with it what others have written: half of the runs go without.
        child = start_daemon(disk.folder, folder / "log", clips=chance.random() < 0.5)
        assert child.stdout is not None
        ready = threading.Event()
        threads = [
            threading.Thread(target=reader.read, args=(iter(child.stdout), ready)),
            threading.Thread(target=feed, args=(child, track, chance.randrange(len(track)))),
        ]
        for thread in threads:
            thread.start()
        try:
            for number, pause in enumerate(pauses):
                if number == 1:  # the first cut may come while the daemon starts
                    assert ready.wait(START_SECONDS), f"it did not start: {(folder / 'log').read_text()}"
                if number and write_early:
                    card.run("sync", "--file-system", disk.folder)
                time.sleep(pause)
                target, moment = folder / f"cut{number}.img", time.monotonic()
                unsafe = disk.cut(target, chance.choice(FATES), chance.randrange(2**31))
                cuts.append(Cut(target, moment, unsafe))
            assert child.poll() is None, f"the daemon ended by itself: {(folder / 'log').read_text()}"
        finally:
            child.kill()
            child.wait()
            for thread in threads:
                thread.join()
            child.stdout.close()
    assert not reader.repeated, f"these numbers came again, or numbers fell: {reader.repeated}"
    said = (folder / "log").read_text()
    assert "damaged" not in said, said  # that a busy machine's disk does not answer in time is none
    return cuts


def check(folder: Path, cut: Cut, reader: Reader, found: Found) -> set[int]:
    """Hold what is left against what the reader got; the numbers that are there.

    AssertionError where the promise breaks.
    """
    copy = folder / "checked.img"
    shutil.copyfile(cut.image, copy)
    mounted = folder / "checked"
    mounted.mkdir(exist_ok=True)
    card.run("mount", "-t", "ext4", "-o", f"loop,{card.MOUNT_OPTIONS}", copy, mounted)
    try:
        rows, reserved = stored_events(mounted / "history.db")
        check_clips(mounted / "clips", found)
    finally:
        card.run("umount", mounted)
    card.run("e2fsck", "-f", "-n", copy)
    for seq, line in rows.items():
        # Events are written before they are sent: the last ones may not have come out.
        assert seq not in reader.lines or reader.lines[seq] == line, f"event {seq} is another one"
    sent = {seq for seq, time in reader.times.items() if time <= cut.moment}
    lost = sent - rows.keys() - reader.missing
    there = rows.keys() & sent
    assert not lost or min(lost) > max(there, default=0), "an older event is missing than one that is there"
    assert not rows or reserved > max(sent, default=0), "the next run may give a number again"
    age = max((cut.moment - reader.times[seq] for seq in lost), default=0.0)
    found.lost_events.append(len(lost))
    found.lost_seconds.append(age)
    found.unsafe.append(cut.unsafe)
    found.stored_events += len(rows)
    print(
        f"cut {len(found.unsafe)}: {len(lost)} events lost, of the last {age:.1f} s; "
        f"{cut.unsafe} writes not flushed",
        file=sys.stderr,
        flush=True,
    )
    return set(rows)


def stored_events(path: Path) -> tuple[dict[int, bytes], int]:
    """Number and line of every event, and the number below which all may have been used.

    A history that is not there yet has none.
    """
    if not path.exists() or not path.stat().st_size:
        return {}, 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'messages'").fetchone():
            return {}, 0
        rows = connection.execute("SELECT seq, line FROM messages").fetchall()
        (reserved,) = connection.execute("SELECT value FROM meta WHERE key = 'reserved'").fetchone()
    return {seq: line.encode() + b"\n" for seq, line in rows}, reserved


def check_clips(folder: Path, found: Found) -> None:
    """Decode every clip to its end, and read the JSON beside it."""
    import soundfile

    for clip in ClipStore(folder).clips():
        samples, rate = soundfile.read(clip.path)
        assert len(samples) > 0 and rate > 0, f"{clip.path.name} is empty"
        assert clip.facts().sounds, f"{clip.json_path.name} names no sound"
        found.clips += 1
    found.leftovers += sum(path.suffix == ".part" for path in folder.glob("*/*"))


def run_cuts(
    folder: Path, *, cuts: int, runs: int, longest: float, seed: int, write_early: bool
) -> tuple[Reader, Found]:
    """Cut so often; raises AssertionError where the promise breaks."""
    chance = random.Random(seed)
    reader, found = Reader(), Found()
    image, track = folder / "card.img", sounds()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    card.make_file_system(image)
    for number in range(runs):
        count = cuts * (number + 1) // runs - cuts * number // runs
        pauses = [chance.uniform(SHORTEST_SECONDS, longest) for _ in range(count)]
        rows: set[int] = set()
        for cut in run_with_cuts(folder, image, reader, track, chance, pauses, write_early=write_early):
            rows = check(folder, cut, reader, found)
            cut.image.replace(image)
        reader.missing |= reader.lines.keys() - rows
    return reader, found


def summary(reader: Reader, found: Found) -> str:
    """The figures in a sentence."""
    losing = sum(count > 0 for count in found.lost_events)
    unsafe = sum(count > 0 for count in found.unsafe)
    return (
        f"{len(found.unsafe)} cuts, {unsafe} of them with writes that were not flushed (at most "
        f"{max(found.unsafe)}); {len(reader.lines)} events received, {sum(found.lost_events)} lost in "
        f"{losing} cuts, always the newest: those of the last {median(found.lost_seconds):.1f} s (median), "
        f"{max(found.lost_seconds):.1f} s (most); stored events checked {found.stored_events} times, all as "
        f"they were received; clips checked {found.clips} times, all whole, "
        f"{found.leftovers} part files; every disk and history whole, no number twice, every start worked"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.endurance.power_cuts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cuts", type=int, default=60)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--longest", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write-early", action="store_true")
    options = parser.parse_args(arguments)
    if (reason := cut_disk.missing()) is not None:
        raise SystemExit(reason)
    card.alone("benchmarks.endurance.power_cuts")
    with tempfile.TemporaryDirectory(prefix="power-cuts-") as folder:
        reader, found = run_cuts(
            Path(folder),
            cuts=options.cuts,
            runs=options.runs,
            longest=options.longest,
            seed=options.seed,
            write_early=options.write_early,
        )
    print(summary(reader, found))


if __name__ == "__main__":
    main()
