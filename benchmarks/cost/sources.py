"""Four sources in one process beside four processes: the same events, and what they cost.

    python -m benchmarks.cost.sources [--seconds 600] [--model auto]

Two virtual microphones (PulseAudio, real PyAudio), a recording at the speed of its sound, and an RTSP stream
of a local server: four daemons with one source each, then one daemon with all four. Each source has a
soundscape of its own (ESC-10 sounds, 3 to 4 s apart). At the end one microphone and the stream are taken away
from the one daemon, and given back. Takes twice the seconds, and two minutes.

CPU time is that of the daemons and their children (ffmpeg), from the start of the programs to the end of the
sound. The RTSP server is GStreamer's where the system's Python has it (apt install gir1.2-gst-rtsp-server-1.0
gstreamer1.0-plugins-base gstreamer1.0-plugins-good python3-gi), else the tests' own.

The recording and the stream begin with the same sample in both runs, so their events must be equal to the
last digit. A microphone is opened some time before the sound begins; its windows lie elsewhere, so an event
counts as found where the other run has the same label within half a second.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks import ROOT
from benchmarks.support import soundscape
from benchmarks.support.children import environment
from benchmarks.support.daemon_setup import PROGRAM
from benchmarks.support.report import machine, table
from benchmarks.support.sounds import RATE, esc10
from tests.support.rtsp_server import RtspServer
from tests.support.virtualmic import VirtualMicrophone

NAMES = ("attic", "kitchen", "file", "porch")
MICROPHONES = NAMES[:2]
EXACT = NAMES[2:]
TAIL_SECONDS = 8.0
"""After the sound, so that its last events end."""
NEAR_SECONDS = 0.5
SILENCE_SECONDS = 60.0
"""Behind the recording's and the stream's sound, so that they are still there when the others have ended."""
PATIENCE_SECONDS = 60.0
OWN_TO_A_RUN = ("id", "seq", "start_time", "end_time", "time")

Action = Callable[[], object]

GSTREAMER = """\
import gi, sys
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1"); server.set_service(sys.argv[2])
factory = GstRtspServer.RTSPMediaFactory.new()
stages = f'filesrc location="{sys.argv[1]}" ! wavparse ! audioconvert ! rtpL16pay name=pay0 pt=97'
factory.set_launch(f"( {stages} )")
server.get_mount_points().add_factory("/porch", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
"""A server of one recording, for the system's Python, which has the bindings."""


@dataclass
class Daemon:
    """One running daemon, its events, and what it has cost."""

    sources: Sequence[str]
    process: subprocess.Popen[bytes]
    socket: Path
    events: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what it says, on threads of their own."""
        for stream, take in ((self.process.stdout, self._event), (self.process.stderr, self.said.append)):
            threading.Thread(target=lambda s=stream, t=take: [t(x.decode()) for x in s], daemon=True).start()

    def _event(self, line: str) -> None:
        self.events.append(json.loads(line))

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until this was said so often."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sum(text in line for line in self.said) < count:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"{text!r} was expected of a daemon, it said: {''.join(self.said)}")
            time.sleep(0.05)

    def status(self) -> dict[str, Any]:
        """What `sound-detector status` says of it."""
        command = [*PROGRAM, "status", f"unix://{self.socket}", "--json"]
        asked = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment())
        return dict(json.loads(asked.stdout))

    def cpu_seconds(self) -> tuple[float, float]:
        """User and system time so far: its own, and that of its children that run."""
        own = self.process.pid
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(own)], capture_output=True, text=True, check=False
        )
        return _cpu(own), sum(_cpu(int(pid)) for pid in listed.stdout.split())

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory, and its proportional share of what processes have in common [MB]."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        shares = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        resident, share = re.search(r"VmRSS:\s+(\d+)", status), re.search(r"^Pss:\s+(\d+)", shares, re.M)
        assert resident and share
        return int(resident[1]) * 1024 / 1e6, int(share[1]) * 1024 / 1e6

    def end(self) -> None:
        """End it by SIGTERM; it must end well."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(PATIENCE_SECONDS) != 0:
            raise SystemExit(f"a daemon ended with {self.process.returncode}: {''.join(self.said)}")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Scene:
    """The four sounds, and where they can be heard."""

    folder: Path
    sounds: Mapping[str, Path]
    microphones: Mapping[str, VirtualMicrophone]
    url: str
    model: str
    stack: ExitStack

    def start(self, names: Sequence[str]) -> Daemon:
        """Start a daemon with these sources."""
        config, socket = self.folder / f"{'-'.join(names)}.yaml", self.folder / f"{'-'.join(names)}.sock"
        forms = {name: f"mic:{name}" for name in MICROPHONES} | {"porch": self.url}
        lines = [f"  {name}: {json.dumps(forms[name])}" for name in names if name in forms]
        if "file" in names:
            lines.append(f"  file: {{file: {json.dumps(str(self.sounds['file']))}, realtime: true}}")
        sinks = f"sinks: ['stdout:json', 'socket:unix://{socket}']"
        config.write_text("\n".join(["sources:", *lines, sinks, "history: {enabled: false}", ""]))
        child = subprocess.Popen(
            [*PROGRAM, "run", "--config", str(config), "--model", self.model, "--set", "model.heads=[]"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment(self.variables),
        )  # fmt: skip
        self.stack.callback(child.kill)  # where it is not ended before
        return Daemon(names, child, socket)

    @property
    def variables(self) -> dict[str, str]:
        """Variables by which a daemon finds both microphones, each of a server of its own."""
        config = self.folder / "asound.conf"
        pcms = ["pcm.!default { type pulse  hint.show on }\nctl.!default { type pulse }\n"]
        for name, microphone in self.microphones.items():
            server = microphone.variables["PULSE_SERVER"]
            hint = f'hint {{ show on description "{name}" }}'
            pcms.append(f'pcm.{name} {{ type pulse server "{server}" device "mic" {hint} }}\n')
        config.write_text("".join(pcms))
        first = next(iter(self.microphones.values()))
        return first.variables | {"ALSA_CONFIG_PATH": str(config)}

    def play(self, name: str) -> subprocess.Popen[bytes]:
        """Begin to play a microphone's sound to it."""
        command = ["paplay", "--device=spk", str(self.sounds[name])]
        return subprocess.Popen(command, env=self.microphones[name].environment)


@dataclass(frozen=True)
class Measured:
    """What daemons with four sources did together."""

    events: dict[str, list[dict[str, Any]]]
    """Source -> its events."""
    own_seconds: float
    children_seconds: float
    resident_mb: float
    share_mb: float
    lost: int
    """Blocks and samples lost, over all sources."""
    play_began: float
    """UTC seconds at which the microphones' sound began."""


def measure(scene: Scene, groups: Sequence[Sequence[str]], seconds: float) -> tuple[Measured, list[Daemon]]:
    """Run a daemon for each group of sources to the end of the sound; they are left running."""
    daemons = [scene.start(names) for names in groups]
    for daemon in daemons:
        for name in daemon.sources:
            daemon.wait_for(
                "daemon." + ("silent" if name in MICROPHONES else "listening") + f" source='{name}'"
            )
    began = time.time()
    players = [scene.play(name) for name in MICROPHONES]
    for player in players:
        player.wait(seconds + PATIENCE_SECONDS)
    time.sleep(TAIL_SECONDS)
    cpu = [daemon.cpu_seconds() for daemon in daemons]
    memory = [daemon.memory_mb() for daemon in daemons]
    reports = [daemon.status() for daemon in daemons]
    events: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    for daemon in daemons:
        for event in list(daemon.events):
            events[event["source"]].append(event)
    measured = Measured(
        events,
        sum(own for own, _ in cpu),
        sum(children for _, children in cpu),
        sum(resident for resident, _ in memory),
        sum(share for _, share in memory),
        sum(report["blocks_dropped"] + report["samples_lost"] for report in reports),
        began,
    )
    return measured, daemons


def comparable(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Events without what differs from run to run."""
    return [{key: value for key, value in event.items() if key not in OWN_TO_A_RUN} for event in events]


def found(one: Measured, other: Measured, name: str) -> tuple[int, int]:
    """How many of one run's sounds of a microphone the other run has too, and how many there are."""
    mine, theirs = starts(one, name), starts(other, name)
    near = sum(
        any(label == other_label and abs(at - other_at) <= NEAR_SECONDS for other_label, other_at in theirs)
        for label, at in mine
    )
    return near, len(mine)


def starts(run: Measured, name: str) -> list[tuple[str, float]]:
    """The last label of each sound, and when it began after the sound of the microphones did [s]."""
    last = {event["id"]: event for event in run.events[name]}
    return [
        (event["label"], datetime.fromisoformat(event["start_time"]).timestamp() - run.play_began)
        for event in last.values()
    ]


def take_away_and_give_back(
    scene: Scene, daemon: Daemon, stop_stream: Action, start_stream: Action
) -> list[str]:
    """Lose one microphone and the stream for some seconds; what was seen."""
    before = daemon.status()
    lost, kept = scene.microphones["attic"], "kitchen"
    lost.kill()
    stop_stream()
    daemon.wait_for("daemon.device_lost source='attic'")
    daemon.wait_for("daemon.device_lost source='porch'")
    events = len([event for event in daemon.events if event["source"] == kept])
    short = scene.folder / "short.wav"
    sound, _ = soundfile.read(scene.sounds["kitchen"], frames=20 * RATE, dtype="int16")
    soundfile.write(short, sound, RATE)
    scene.microphones[kept].play(short)
    time.sleep(3)
    beside = len([event for event in daemon.events if event["source"] == kept]) - events
    lost.start()
    start_stream()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        states = {source["name"]: source["state"] for source in daemon.status()["sources"]}
        if states["attic"] in ("listening", "silent") and states["porch"] == "listening":
            break
        time.sleep(0.5)
    heard = len([event for event in daemon.events if event["source"] == "attic"])
    lost.play(short)
    time.sleep(3)
    again = len([event for event in daemon.events if event["source"] == "attic"]) - heard
    after = daemon.status()
    samples = [
        {source["name"]: source["samples_lost"] for source in report["sources"]}[kept]
        for report in (before, after)
    ]
    return [
        f"- States after the microphone `attic` and the stream `porch` came back: {states}.",
        f"- Messages of `{kept}` while they were away: {beside}; it lost {samples[1] - samples[0]} samples.",
        f"- Messages of `attic` after it came back: {again}.",
    ]


@contextmanager
def rtsp_server(recording: Path) -> Iterator[tuple[str, str, Action, Action]]:
    """What kind of server runs, its address, and what stops it and starts it again."""
    system = "/usr/bin/python3"
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    if subprocess.run([system, "-c", check], capture_output=True, check=False).returncode:
        samples, _ = soundfile.read(recording, dtype="int16")
        with RtspServer(samples) as server:
            yield "the tests' own RTSP server", server.url(), server.drop, lambda: None
        return
    running: list[subprocess.Popen[bytes]] = []

    def start(port: str = "0") -> str:
        child = subprocess.Popen(
            [system, "-c", GSTREAMER, str(recording), port], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        running.append(child)
        assert child.stdout is not None
        return child.stdout.readline().decode().strip()

    def stop() -> None:
        running[-1].kill()
        running[-1].wait()

    port = start()
    try:
        yield "GStreamer's RTSP server", f"rtsp://127.0.0.1:{port}/porch", stop, lambda: start(port)
    finally:
        stop()


def make_sounds(folder: Path, seconds: int) -> dict[str, Path]:
    """Write a soundscape for each source."""
    clips = soundscape.clear_attacks(esc10())
    paths = {}
    for seed, name in enumerate(NAMES):
        count = round(seconds / sum(soundscape.SPACING_SECONDS) * 2)
        sound, _ = soundscape.make(clips, count, seed=seed + 1)
        paths[name] = folder / f"{name}.wav"
        silence = np.zeros(round(SILENCE_SECONDS * RATE) if name in EXACT else 0, np.int16)
        soundfile.write(paths[name], np.concatenate([sound[: seconds * RATE], silence]), RATE)
    return paths


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost.sources", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--model", default="auto")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sd-sources-")))
        sounds = make_sounds(folder, options.seconds)
        microphones = {name: stack.enter_context(VirtualMicrophone()) for name in MICROPHONES}
        kind, url, stop_stream, start_stream = stack.enter_context(rtsp_server(sounds["porch"]))
        scene = Scene(folder, sounds, microphones, url, options.model, stack)
        apart, four = measure(scene, [(name,) for name in NAMES], options.seconds)
        for daemon in four:
            daemon.end()
        together, (one,) = measure(scene, [NAMES], options.seconds)
        seen = take_away_and_give_back(scene, one, stop_stream, start_stream)
        one.end()
    print("\n".join(report(apart, together, seen, kind, options.seconds)))
    sys.exit(0)


def report(apart: Measured, together: Measured, seen: list[str], kind: str, seconds: int) -> list[str]:
    """What was measured, as Markdown."""
    rows = [
        ["", "four daemons", "one daemon", "share"],
        *(
            [what, f"{a:.1f}", f"{b:.1f}", f"{b / a:.2f}"]
            for what, a, b in (
                ("CPU seconds, daemons and ffmpeg", _all_cpu(apart), _all_cpu(together)),
                ("CPU seconds, daemons alone", apart.own_seconds, together.own_seconds),
                ("resident memory [MB]", apart.resident_mb, together.resident_mb),
                ("proportional share of memory (PSS) [MB]", apart.share_mb, together.share_mb),
            )
        ),
        ["blocks and samples lost", str(apart.lost), str(together.lost), ""],
    ]
    lines = [f"{seconds} s of sound; the stream is of {kind}.", "", table(rows)]
    for name in EXACT:
        same = comparable(apart.events[name]) == comparable(together.events[name])
        count = len(apart.events[name])
        lines.append(
            f"- `{name}`: {count} messages, {'equal to the last digit' if same else '**not equal**'}."
        )
    for name in MICROPHONES:
        near, count = found(apart, together, name)
        back, others = found(together, apart, name)
        lines.append(
            f"- `{name}`: {near} of {count} sounds of its own daemon are in the one daemon too, "
            f"{back} of {others} the other way."
        )
    return [*lines, *seen, "", table(machine())]


def _all_cpu(run: Measured) -> float:
    return run.own_seconds + run.children_seconds


if __name__ == "__main__":
    main()
