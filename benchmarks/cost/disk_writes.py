"""What the daemon writes to a memory card in a day, counted at the block device.

Several real daemons hear the same sound in real time, side by side; each has an ext4 file system of its own,
made and mounted as Raspberry Pi OS does, on a loop device. The kernel's counters of that device are read
after a minute and again at the end: so journal, metadata and write-back of the file system are in it. What a
card does inside (it erases whole blocks) is not.

*Quiet* is pink noise at -60 dBFS. The others add an ESC-10 clip of 5 s so many times an hour. Beside the
daemons, the lines of the default one are written by bare engines as they come: appended to a file with and
without fsync, and inserted into SQLite. With --journald a systemd is booted in a container (systemd-nspawn)
and its journald, with `Storage=persistent`, gets the text lines of a daemon.

    sudo python -m benchmarks.cost.disk_writes [--minutes 62] [--journald]

A shorter run misses what the history does once an hour. Needs root; keeps the files in $TMPDIR.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.support import card
from benchmarks.support.card import Card, Written
from benchmarks.support.children import environment
from benchmarks.support.daemon_setup import DEFAULT
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, esc10, noise, quantised
from tests.support import machine

ROOM_DBFS = -60.0
CLIP_SECONDS = 5
BLOCK = RATE // 4
WARM_UP_SECONDS = 60.0
HOURS_A_DAY = 24

QUIET, USUAL, BUSY = "quiet", "200 sounds an hour", "600 sounds an hour"
SOUNDS = {QUIET: 0, USUAL: 200, BUSY: 600}
"""Clips played in an hour; the bare engines and journald get the lines of the second."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A daemon, what it hears, and how its card is mounted."""

    sound: str
    name: str
    told: tuple[str, ...] = ()
    """Its arguments; `{card}` is its own file system."""
    mounted: str = card.MOUNT_OPTIONS


LOG_FILE = ("--sink", "stdout", "--sink", "log:{card}/events.jsonl")
CLIPS = ("--clips", "{card}/clips", "--set", "clips.min_free_megabytes=0")
SETUPS = (
    Setup(QUIET, "default"),
    Setup(QUIET, "default, levels off", ("--set", "history.levels=false")),
    Setup(USUAL, "default"),
    Setup(USUAL, "no history", ("--set", "history.enabled=false")),
    Setup(USUAL, "default + log file", LOG_FILE),
    Setup(USUAL, "default + clips", CLIPS),
    Setup(USUAL, "default, mounted with lazytime", (), f"{card.MOUNT_OPTIONS},lazytime"),
    Setup(USUAL, "default, mounted with commit=60", (), f"{card.MOUNT_OPTIONS},commit=60"),
    Setup(BUSY, "default"),
    Setup(BUSY, "default + clips", CLIPS),
)


@dataclass(slots=True)
class Writer:
    """Somebody who writes to a card of his own."""

    sound: str
    name: str
    card: Card
    starts: int = 0
    """Sounds that began while it was measured."""
    began: Written = field(default_factory=lambda: Written(0, 0, 0))
    ended: Written = field(default_factory=lambda: Written(0, 0, 0))


Write = Callable[[bytes], object]
"""Takes a line to disk."""


def bare_engines(stack: ExitStack, new_card: Callable[[], Card]) -> dict[str, tuple[Card, Write]]:
    """Append, append and fsync, and SQLite as the history uses it, with one table and one index."""
    plain, synced, database = new_card(), new_card(), new_card()
    appended = stack.enter_context((plain.folder / "events.jsonl").open("ab", buffering=0))
    flushed = stack.enter_context((synced.folder / "events.jsonl").open("ab", buffering=0))

    def write_and_flush(line: bytes) -> None:
        flushed.write(line)
        os.fsync(flushed.fileno())

    connection = sqlite3.connect(database.folder / "events.db", isolation_level=None, check_same_thread=False)
    stack.callback(connection.close)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE lines (number INTEGER PRIMARY KEY, at REAL, line TEXT)")
    connection.execute("CREATE INDEX times ON lines (at)")

    def insert(line: bytes) -> None:
        connection.execute("INSERT INTO lines (at, line) VALUES (?, ?)", (time.time(), line.decode()))

    return {
        "bare: append": (plain, appended.write),
        "bare: append, fsync": (synced, write_and_flush),
        "bare: SQLite, WAL": (database, insert),
    }


def hour_of_sound(per_hour: int) -> NDArray[np.int16]:
    """An hour of samples: noise with so many clips, evenly spread, each at a peak of -20 dBFS."""
    minute = noise("pink", ROOM_DBFS, 60)
    hour = np.tile(minute, 60)
    clips = [clip[: CLIP_SECONDS * RATE] for _, clip in esc10(100)] if per_hour else []
    for number in range(per_hour):
        clip = clips[(7 * number) % len(clips)]
        at = int((number + 0.1) * 3600 / per_hour) * RATE
        room = len(hour[at : at + len(clip)])
        hour[at : at + room] += (clip * 0.1 / max(1e-6, np.abs(clip).max()))[:room]
    return quantised(hour)


def feed(sounds: dict[str, NDArray[np.int16]], pipes: Sequence[tuple[str, IO[bytes]]], end: float) -> None:
    """Write to each daemon's standard input in real time until `end` on the monotonic clock; then close.

    On a machine that cannot keep up less is heard: what was lost is said.
    """
    began = time.monotonic()
    for number in itertools.count():
        due = began + (number + 1) * BLOCK / RATE
        if max(due, time.monotonic()) > end:
            if (behind := end - due) > 1:
                print(f"{behind / 60:.0f} minutes of sound were not heard", file=sys.stderr)
            break
        time.sleep(max(0.0, due - time.monotonic()))
        at = number * BLOCK % len(next(iter(sounds.values())))
        for sound, pipe in pipes:
            pipe.write(sounds[sound][at : at + BLOCK].tobytes())
            pipe.flush()
    for _, pipe in pipes:
        pipe.close()


def start_daemon(folder: Path, extra: Sequence[str], output: int | None = None) -> subprocess.Popen[bytes]:
    """A daemon that hears standard input and keeps its history in the folder; JSON lines unless `output`."""
    given = [text.format(card=folder) for text in extra]
    command = DEFAULT.command("--input", "-", "--set", f"history.path={folder / 'history.db'}", *given)
    if output is not None:
        command[-1] = "text"
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if output is None else output,
        stderr=subprocess.DEVNULL if output is None else output,
        cwd=ROOT,
        env=environment(),
    )


def start_journald(stack: ExitStack, folder: Path) -> subprocess.Popen[bytes]:
    """Boot a systemd whose journal lies in the folder; a daemon whose lines go to it."""
    system = machine.Machine()
    stack.callback(system.close)
    system.make()
    system.boot(f"--bind={folder}:/var/log/journal")
    receiver = subprocess.Popen(
        system.entered("systemd-cat", "--identifier=sound-detector"), stdin=subprocess.PIPE
    )
    stack.callback(receiver.wait)
    assert receiver.stdin is not None
    with receiver.stdin as lines:
        return start_daemon(folder, ("--set", "history.enabled=false"), lines.fileno())


def follow(output: IO[bytes], writer: Writer, engines: Sequence[Write]) -> None:
    """Read a daemon's lines: count the sounds, and hand each line to the bare engines."""
    for line in output:
        writer.starts += line.startswith(b'{"type":"start"')
        for write in engines:
            write(line)


def measure(folder: Path, minutes: float, *, journald: bool) -> list[Writer]:
    """Run everything side by side; each writer with its counters."""
    sounds = {name: hour_of_sound(per_hour) for name, per_hour in SOUNDS.items()}
    with ExitStack() as stack:
        numbers = itertools.count()

        def new_card(options: str = card.MOUNT_OPTIONS) -> Card:
            return stack.enter_context(Card(folder, f"card{next(numbers)}", options))

        engines = bare_engines(stack, new_card)
        writers = [Writer(USUAL, name, its) for name, (its, _) in engines.items()]
        pipes: list[tuple[str, IO[bytes]]] = []
        threads: list[threading.Thread] = []

        def join(sound: str, name: str, its: Card, child: subprocess.Popen[bytes]) -> None:
            assert child.stdin is not None
            stack.callback(child.wait)
            stack.callback(child.stdin.close)
            pipes.append((sound, child.stdin))
            writers.append(Writer(sound, name, its))
            if child.stdout is not None:
                is_copied = (sound, name) == (USUAL, "default")
                copies = [write for _, write in engines.values()] if is_copied else []
                threads.append(threading.Thread(target=follow, args=(child.stdout, writers[-1], copies)))

        for setup in SETUPS:
            its = new_card(setup.mounted)
            join(setup.sound, setup.name, its, start_daemon(its.folder, setup.told))
        if journald:
            its = new_card()
            join(USUAL, "journald, persistent", its, start_journald(stack, its.folder))
        end = time.monotonic() + WARM_UP_SECONDS + minutes * 60
        threads.append(threading.Thread(target=feed, args=(sounds, pipes, end)))
        for thread in threads:
            thread.start()
        time.sleep(WARM_UP_SECONDS)
        for writer in writers:
            writer.began, writer.starts = writer.card.written(), 0
        time.sleep(max(0.0, end - 1.0 - time.monotonic()))
        for writer in writers:
            writer.ended = writer.card.written()
        for thread in threads:
            thread.join()
        return writers


def rows(writers: Sequence[Writer], minutes: float) -> list[list[str]]:
    """A row for each writer: what it wrote in an hour, and in a day like that hour."""
    head = ["sound", "what writes", "sounds an hour", "KB/hour", "requests/hour", "flushes/hour", "MB/day"]
    hours = (minutes * 60 - 1.0) / 3600
    shown = [head]
    for writer in sorted(writers, key=lambda writer: list(SOUNDS).index(writer.sound)):
        wrote = writer.ended - writer.began
        a_day = wrote.bytes / hours * HOURS_A_DAY / 1e6
        counts = [wrote.bytes / 1000 / hours, wrote.requests / hours, wrote.flushes / hours]
        starts = f"{writer.starts / hours:.0f}" if writer.starts else ""
        shown.append(
            [writer.sound, writer.name, starts, *(f"{count:.0f}" for count in counts), f"{a_day:.1f}"]
        )
    return shown


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost.disk_writes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=62.0)
    parser.add_argument("--journald", action="store_true")
    options = parser.parse_args()
    if (reason := card.missing() or (machine.missing() if options.journald else None)) is not None:
        raise SystemExit(reason)
    card.alone("benchmarks.cost.disk_writes")
    with tempfile.TemporaryDirectory(prefix="disk-writes-") as folder:
        print(table(rows(measure(Path(folder), options.minutes, journald=options.journald), options.minutes)))


if __name__ == "__main__":
    main()
