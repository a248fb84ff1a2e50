"""Many rooms on one machine: one daemon that hears 1, 4, 8, 16, ... streams at the speed of their sound.

    python -m benchmarks.cost.many_rooms [--sources 1,4,8,16] [--scene quiet] [--model auto] [--seconds 60]

Every other source is a camera (RTSP over TCP, 16-bit samples at 16 kHz), the others are web radios (HTTP, AAC
at 48 kHz), all from servers on loopback. Each room has sounds of its own (ESC-10), at other moments:

- *quiet*: pink noise at -60 dBFS, with a sound of 2 s every 15 to 25 s
- *busy*: a sound of 2 s every 3 to 4 s over pink noise at -50 dBFS
- *full*: ESC-10 sounds back to back in every room, so that the networks never rest
- *flood*: as *full* in all rooms but the last, which is *quiet*

CPU time and memory are those of the daemon and of its ffmpeg processes, over the time in which all streams
play. *Window to line* is from the newest sample known when an event was decided (`time` in its line) to the
line's arrival; *onset to line* from the moment at which the first sample of a sound was sent to the first
line before the next sound. Beside them the bare loop (benchmarks/cost/bareloop.py) runs over one room's
sound at full speed; with --apart N so many daemons with a room each are measured too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.support import children, soundscape
from benchmarks.support.children import environment
from benchmarks.support.daemon_setup import PROGRAM
from benchmarks.support.report import machine, table
from benchmarks.support.sounds import RATE, Samples, esc10, noise, quantised
from benchmarks.support.web_radio import WebRadio
from tests.support.rtsp_server import RtspServer

SCENES = ("quiet", "busy", "full", "flood")
QUIET_DBFS = -60.0
QUIET_EVERY_SECONDS = (15.0, 25.0)
QUIET_PEAK = 0.3
SETTLE_SECONDS = 8.0
"""From the moment at which all streams play to the first measurement."""
START_SECONDS = 60.0
"""All streams play after this at the latest, and the sound lasts so much longer."""
TAIL_SECONDS = 4.0
PATIENCE_SECONDS = 120.0
TROUBLE = re.compile(r"daemon\.(overloaded|behind|keeps_up)|Traceback")
CLIPS = 200
"""How many different sounds there are in all rooms together."""


@dataclass(frozen=True, slots=True)
class Room:
    """One source's sound."""

    name: str
    sound: NDArray[np.int16]
    onsets: Sequence[float]
    """When its sounds begin [s]; none where one follows on the other."""


@dataclass
class Daemon:
    """One running daemon and its lines."""

    rooms: Sequence[Room]
    process: subprocess.Popen[bytes]
    socket: Path
    lines: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """When each event came [UTC seconds], and the event."""
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what it says, on threads of their own."""
        for stream, take in ((self.process.stdout, self._event), (self.process.stderr, self._say)):
            threading.Thread(target=lambda s=stream, t=take: [t(x) for x in s], daemon=True).start()

    def _event(self, line: bytes) -> None:
        self.lines.append((time.time(), json.loads(line)))

    def _say(self, line: bytes) -> None:
        self.said.append(line.decode())

    def wait_until_all_listen(self) -> None:
        """Wait until every source has delivered sound."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        missing = [room.name for room in self.rooms]
        while missing:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"{missing} do not listen: {''.join(self.said)}")
            time.sleep(0.1)
            said = "".join(self.said)
            missing = [name for name in missing if f"daemon.listening source='{name}'" not in said]

    def report(self) -> dict[str, Any]:
        """What `sound-detector status` says of it."""
        command = [*PROGRAM, "status", f"unix://{self.socket}", "--json"]
        asked = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment())
        return dict(json.loads(asked.stdout))

    def children(self) -> list[int]:
        """Its ffmpeg processes."""
        command = ["ps", "-o", "pid=", "--ppid", str(self.process.pid)]
        return [int(pid) for pid in subprocess.run(command, capture_output=True, text=True).stdout.split()]

    def end(self) -> None:
        """End it by SIGTERM; it must end well."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(PATIENCE_SECONDS) != 0:
            raise SystemExit(f"a daemon ended with {self.process.returncode}: {''.join(self.said)}")


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes have used so far."""

    cpu_seconds: float
    resident_mb: float
    share_mb: float
    """Resident memory, that which is shared divided among those who share it (PSS)."""
    threads: int
    descriptors: int

    @classmethod
    def of(cls, pids: Sequence[int]) -> Usage:
        """Add up those of processes that run."""
        each = [cls._of_one(pid) for pid in pids]
        return cls(
            sum(one.cpu_seconds for one in each),
            sum(one.resident_mb for one in each),
            sum(one.share_mb for one in each),
            sum(one.threads for one in each),
            sum(one.descriptors for one in each),
        )

    @classmethod
    def _of_one(cls, pid: int) -> Usage:
        folder = Path(f"/proc/{pid}")
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        memory = (folder / "smaps_rollup").read_text()
        resident, share = (re.search(rf"^{name}:\s+(\d+)", memory, re.M) for name in ("Rss", "Pss"))
        assert resident and share
        return cls(
            (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            int(resident[1]) * 1024 / 1e6,
            int(share[1]) * 1024 / 1e6,
            int(fields[17]),
            len(list((folder / "fd").iterdir())),
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What the daemons of one run did between two looks."""

    seconds: float
    daemon: Usage
    """CPU seconds between the looks, the rest at the end."""
    ffmpeg: Usage
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    decided: Mapping[str, list[float]]
    """Room -> from the newest sample known to the line [s]."""
    noticed: Mapping[str, list[float]]
    """Room -> from a sound's first sample to the line [s]."""
    said: Sequence[str]

    def gained(self, name: str) -> float:
        """By how much a count of the report has grown."""
        return float(self.after.get(name) or 0) - float(self.before.get(name) or 0)

    def row(self, rooms: int, bare_seconds_an_hour: float) -> list[str]:
        """The line of the table."""
        hour = 3600 / self.seconds
        decided = [late for each in self.decided.values() for late in each]
        noticed = [late for each in self.noticed.values() for late in each]
        worst = max((_p95(each) for each in self.decided.values() if len(each) >= 3), default=float("nan"))
        return [
            str(rooms),
            f"{self.daemon.cpu_seconds * hour:.0f}",
            f"{self.ffmpeg.cpu_seconds * hour:.0f}",
            f"{(self.daemon.cpu_seconds + self.ffmpeg.cpu_seconds) * hour / rooms:.0f}",
            f"{bare_seconds_an_hour:.0f}",
            f"{self.daemon.resident_mb:.0f}, {self.ffmpeg.resident_mb:.0f}",
            f"{self.daemon.share_mb:.0f}, {self.ffmpeg.share_mb:.0f}",
            f"{self.daemon.threads}, {self.ffmpeg.threads}",
            f"{self.gained('windows') / self.seconds / rooms:.2f}",
            f"{self.gained('windows_skipped') / self.seconds / rooms:.2f}",
            f"{self.gained('blocks_dropped'):.0f}",
            _quantiles(noticed),
            f"{_quantiles(decided)}, {worst:.2f}",
        ]


HEAD = [
    "streams",
    "CPU s/h: daemon",
    "ffmpeg",
    "both, a stream",
    "bare loop, a stream",
    "resident MB: daemon, ffmpeg",
    "PSS MB: daemon, ffmpeg",
    "threads: daemon, ffmpeg",
    "windows a second and stream",
    "left out",
    "blocks lost",
    "onset to line: median, p95 [s]",
    "window to line: median, p95, p95 of the worst room [s]",
]


def _quantiles(values: Sequence[float]) -> str:
    return f"{median(values):.2f}, {_p95(values):.2f}" if values else "–"


def _p95(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.95))


def make_room(number: int, scene: str, seconds: float, clips: Mapping[str, list[Samples]]) -> Room:
    """Invent the sound of a room."""
    name = f"room{number:02}"
    if scene == "busy":
        count = int(seconds / sum(soundscape.SPACING_SECONDS) * 2)
        sound, onsets = soundscape.make(dict(clips), count, seed=number + 1)
        return Room(name, sound, [onset.sample / RATE for onset in onsets])
    rng = np.random.default_rng(number)
    pool = [clip for members in clips.values() for clip in members]
    if scene == "full":
        order = rng.permutation(len(pool))
        return Room(
            name, quantised(np.resize(np.concatenate([pool[i] for i in order]), round(seconds * RATE))), ()
        )
    room = noise("pink", QUIET_DBFS, seconds, seed=number)
    starts: list[float] = []
    at = rng.uniform(3.0, QUIET_EVERY_SECONDS[0])
    while at < seconds - 3:
        clip = pool[rng.integers(len(pool))]
        start = round(at * RATE)
        room[start : start + len(clip)] += clip * (QUIET_PEAK / np.abs(clip).max())
        starts.append(at)
        at += rng.uniform(*QUIET_EVERY_SECONDS)
    return Room(name, quantised(room), starts)


def measure(rooms: Sequence[Room], groups: Sequence[Sequence[Room]], model: str, seconds: float) -> Measured:
    """Play the rooms to one daemon for each group."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sd-rooms-")))
        servers: dict[str, RtspServer | WebRadio] = {}
        for number, room in enumerate(rooms):
            if number % 2 == 0:
                servers[room.name] = stack.enter_context(RtspServer(room.sound))
            else:
                recording = folder / f"{room.name}.wav"
                soundfile.write(recording, room.sound, RATE)
                servers[room.name] = stack.enter_context(WebRadio(recording))
        daemons = [
            _start(folder, group, {room.name: servers[room.name].url() for room in group}, model, stack)
            for group in groups
        ]
        for daemon in daemons:
            daemon.wait_until_all_listen()
        time.sleep(SETTLE_SECONDS)
        before = [daemon.report() for daemon in daemons]
        own = [daemon.process.pid for daemon in daemons]
        ffmpegs = [pid for daemon in daemons for pid in daemon.children()]
        began, first_own, first_ffmpegs = time.time(), Usage.of(own), Usage.of(ffmpegs)
        time.sleep(seconds)
        ended, last_own, last_ffmpegs = time.time(), Usage.of(own), Usage.of(ffmpegs)
        after = [daemon.report() for daemon in daemons]
        time.sleep(TAIL_SECONDS)
        for daemon in daemons:
            daemon.end()
        lines = [line for daemon in daemons for line in daemon.lines]
        return Measured(
            ended - began,
            _since(first_own, last_own),
            _since(first_ffmpegs, last_ffmpegs),
            _total(before),
            _total(after),
            {room.name: _decided(room, lines, began, ended) for room in rooms},
            {
                room.name: _noticed(room, servers[room.name].playing_since[0], lines, began, ended)
                for room in rooms
            },
            [text for daemon in daemons for text in daemon.said],
        )


def _start(
    folder: Path, rooms: Sequence[Room], urls: Mapping[str, str], model: str, stack: ExitStack
) -> Daemon:
    name = rooms[0].name
    config, socket = folder / f"{name}.yaml", folder / f"{name}.sock"
    lines = [f"  {room.name}: {json.dumps(urls[room.name])}" for room in rooms]
    sinks = f"sinks: ['stdout:json', 'socket:unix://{socket}']"
    config.write_text("\n".join(["sources:", *lines, sinks, f"history: {{path: {folder}/{name}.db}}", ""]))
    child = subprocess.Popen(
        [*PROGRAM, "run", "--config", str(config), "--model", model, "--set", "model.heads=[]"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment(),
    )  # fmt: skip
    stack.callback(child.kill)  # where it is not ended before
    return Daemon(rooms, child, socket)


def _since(first: Usage, last: Usage) -> Usage:
    cpu = last.cpu_seconds - first.cpu_seconds
    return Usage(cpu, last.resident_mb, last.share_mb, last.threads, last.descriptors)


def _total(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("windows", "windows_skipped", "blocks_dropped", "events")
    return {name: sum(report.get(name) or 0 for report in reports) for name in names} | {
        "sources": [source for report in reports for source in report.get("sources", ())]
    }


def _decided(
    room: Room, lines: Sequence[tuple[float, Mapping[str, Any]]], began: float, ended: float
) -> list[float]:
    return [
        at - datetime.fromisoformat(event["time"]).timestamp()
        for at, event in lines
        if event.get("source") == room.name
        and event["type"] in ("start", "update", "end")
        and began <= at <= ended + TAIL_SECONDS
    ]


def _noticed(
    room: Room,
    playing_since: float,
    lines: Sequence[tuple[float, Mapping[str, Any]]],
    began: float,
    ended: float,
) -> list[float]:
    """From each onset to the first start of an event before the next."""
    starts = sorted(
        at for at, event in lines if event.get("source") == room.name and event["type"] == "start"
    )
    moments = [playing_since + onset for onset in room.onsets]
    found = []
    for moment, following in pairwise([*moments, float("inf")]):
        if began <= moment <= ended:
            first = next((at for at in starts if moment <= at < following), None)
            if first is not None:
                found.append(first - moment)
    return found


def bare_seconds_an_hour(room: Room, seconds: float) -> float:
    """CPU seconds of the bare loop for an hour of this room's sound."""
    with tempfile.TemporaryDirectory(prefix="sd-rooms-") as name:
        recording = Path(name) / "room.wav"
        soundfile.write(recording, room.sound[: round(seconds * RATE)], RATE)
        return children.run(children.bare_loop(str(recording))).cpu_seconds * 3600 / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost.many_rooms",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--sources", default="1,4,8,16")
    parser.add_argument("--scene", choices=SCENES, default="quiet")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--apart", type=int, default=0, metavar="N", help="also N daemons with a room each")
    parser.add_argument(
        "--precedence", action="store_true", help="let other work on this machine wait (root)"
    )
    options = parser.parse_args()
    if options.precedence:  # sched(7), autogrouping: a nice value counts within a session alone
        Path("/proc/self/autogroup").write_text("-15")
    clips = soundscape.clear_attacks(esc10(CLIPS))
    counts = [int(count) for count in options.sources.split(",")]
    most = max(*counts, options.apart)
    length = options.seconds + START_SECONDS + SETTLE_SECONDS + TAIL_SECONDS
    scene = "full" if options.scene == "flood" else options.scene
    rooms = [make_room(number, scene, length, clips) for number in range(most)]
    rows = [HEAD]
    last: Measured | None = None
    for count in counts:
        chosen = rooms[:count]
        if options.scene == "flood":
            chosen = [*rooms[: count - 1], make_room(count - 1, "quiet", length, clips)]
        load = os.getloadavg()[0]
        bare = bare_seconds_an_hour(chosen[0], options.seconds)
        last = measure(chosen, [chosen], options.model, options.seconds)
        rows.append(last.row(count, bare))
        print(f"{count}: load before {load:.1f}, after {os.getloadavg()[0]:.1f}", flush=True)
        print(table([HEAD, rows[-1]]), flush=True)
        print(_rooms(last))
        print("".join(text for text in last.said if TROUBLE.search(text)), flush=True)
    if options.apart:
        alone = [[room] for room in rooms[: options.apart]]
        last = measure(rooms[: options.apart], alone, options.model, options.seconds)
        rows.append([f"{options.apart} daemons", *last.row(options.apart, bare)[1:]])
    print(f"{options.scene}, --model {options.model}, {options.seconds:.0f} s of sound\n")
    print(table(rows))
    print(table(machine()))


def _rooms(run: Measured) -> str:
    """Each room for itself."""
    before = {source["name"]: source for source in run.before["sources"]}
    rows = [["room", "windows/s", "left out/s", "blocks lost", "onset to line", "window to line"]]
    for source in run.after["sources"]:
        name, first = source["name"], before[source["name"]]
        gained = [
            ((source.get(what) or 0) - (first.get(what) or 0)) / run.seconds
            for what in ("windows", "windows_skipped")
        ]
        rows.append(
            [
                name,
                *(f"{each:.2f}" for each in gained),
                str(source["blocks_dropped"] - first["blocks_dropped"]),
                _quantiles(run.noticed[name]),
                _quantiles(run.decided[name]),
            ]
        )
    return table(rows)


if __name__ == "__main__":
    main()
