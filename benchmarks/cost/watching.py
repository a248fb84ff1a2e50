"""What it costs to be watched: daemons side by side on the same sound, with 0, 1, 10 and 50 watchers.

All play the same recording in real time at the same moment: pink noise at -55 dBFS, on which the gate is
mostly closed. One has nobody, others have watchers of the spectrogram, one has a listener who gets the sound.
CPU time and memory are what each daemon's `report` says at the beginning and at the end. Then: what a picture
of an event costs, made of ESC-10 clips.

    python -m benchmarks.cost.watching [--seconds 300]
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.cost import recordings
from benchmarks.support.children import environment
from benchmarks.support.daemon_setup import DEFAULT
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, esc10, noise, quantised
from detector.history.picture_table import EventPicture
from detector.records import Block, Event, Label
from detector.service.event_pictures import EventPictures
from detector.wire.message import event_body

AUDIENCES = (("nobody", 0), ("spectrogram", 1), ("spectrogram", 10), ("spectrogram", 50), ("sound", 1))
SETTLE_SECONDS = 10.0
"""The model has been loaded and the gate has settled by then."""
BLOCK = 1920
"""Samples in a block of the default model."""


@dataclass(slots=True)
class Watched:
    """One daemon, and what its watchers got."""

    kind: str
    watchers: int
    uri: Path
    process: subprocess.Popen[bytes]
    began: dict[str, float] = field(default_factory=dict)
    messages: int = 0
    size: int = 0

    def row(self, seconds: float) -> list[str]:
        """Its line of the table."""
        ended = _report(self.uri)
        cpu = (ended["cpu_seconds"] - self.began["cpu_seconds"]) * 3600 / seconds
        each = max(1, self.watchers)
        return [
            f"{self.watchers} x {self.kind}" if self.watchers else self.kind,
            f"{cpu:.1f}",
            f"{ended['memory_bytes'] / 1e6:.1f}",
            f"{self.messages / seconds / each:.1f}" if self.messages else "",
            f"{self.size * 60 / seconds / each / 1000:.0f}" if self.messages else "",
        ]


def _start(folder: Path, kind: str, watchers: int) -> Watched:
    uri = folder / f"{kind}-{watchers}.sock"
    config = folder / f"{kind}-{watchers}.yaml"
    sink = {"kind": "socket", "target": f"unix://{uri}", "sound": kind == "sound"}
    config.write_text(json.dumps({"sinks": [sink], "model": {"heads": []}}))
    recording = str(folder / "noise.wav")
    command = [*DEFAULT.command("--input", recording, "--realtime", "--sink", "stdout")]
    command[command.index("--config") + 1] = str(config)
    at = command.index("--sink")
    del command[at : at + 2]  # the sinks of the file count
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    return Watched(kind, watchers, uri, process)


def _connect(uri: Path, request: dict[str, object]) -> socket.socket:
    end = time.monotonic() + 60
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(str(uri))
            client.sendall(json.dumps(request).encode() + b"\n")
            return client
        except OSError:
            client.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _report(uri: Path) -> dict[str, float]:
    with closing(_connect(uri, {"report": True})) as client, client.makefile("rb") as lines:
        found: dict[str, float] = [json.loads(line) for line in lines][-1]
    return found


def _watch(daemons: Sequence[Watched], seconds: float) -> None:
    """Read what all watchers get for so long."""
    with selectors.DefaultSelector() as selector:
        for daemon in daemons:
            for _ in range(daemon.watchers):
                client = _connect(daemon.uri, {daemon.kind: {}})
                selector.register(client, selectors.EVENT_READ, (daemon, bytearray()))
        for daemon in daemons:
            daemon.began = _report(daemon.uri)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                daemon, held = key.data
                held += key.fileobj.recv(65536)  # type: ignore[union-attr]
                *lines, rest = held.split(b"\n")
                held[:] = rest
                for line in lines:
                    if f'"type":"{daemon.kind}"'.encode() in line:
                        daemon.messages += 1
                        daemon.size += len(line) + 1
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]


def watch(seconds: float) -> list[list[str]]:
    """Measure daemons side by side; a row for each."""
    rows = [["watched by", "CPU s per hour", "memory [MB]", "messages/s each", "kB/min each"]]
    with tempfile.TemporaryDirectory(prefix="watch-") as name:
        folder = Path(name)
        length = seconds + 3 * SETTLE_SECONDS + 10
        recordings.write(folder / "noise.wav", quantised(noise("pink", -55.0, length)))
        daemons = [_start(folder, kind, watchers) for kind, watchers in AUDIENCES]
        try:
            for daemon in daemons:
                _report(daemon.uri)
            time.sleep(SETTLE_SECONDS)
            _watch(daemons, seconds)
            rows += [daemon.row(seconds) for daemon in daemons]
        finally:
            for daemon in daemons:
                daemon.process.terminate()
            for daemon in daemons:
                daemon.process.wait(30)
    return rows


def draw(clips: int) -> list[list[str]]:
    """Measure pictures of events."""
    pictures: list[EventPicture] = []
    label = Label("Dog", "/m/0bt9lr", "yamnet")
    drawing = waiting = 0.0
    blocks = 0
    for id, (_, samples) in enumerate(esc10(clips)):
        maker = EventPictures(sample_rate=RATE, keep=pictures.append)
        cut = list(_blocks(quantised(samples)))
        began = time.perf_counter()
        for block in cut:
            maker.push(block)
            maker.submit_due()
        blocks += len(cut)
        waiting += time.perf_counter() - began
        event = Event("end", id, label, 8000, 5 * RATE, 5 * RATE, 0.9, 0.9, -20.0)
        body = event_body(event, to_utc=float, sample_rate=RATE, source="Mic", run_id="run")
        began = time.perf_counter()
        maker.note(event, body, is_reported=True)
        drawing += time.perf_counter() - began
    packed = [len(zlib.compress(picture.rows, 6)) for picture in pictures]
    return [
        ["pictures", "ms each", "bytes each, packed", "largest", "µs a block while nothing sounds"],
        [
            str(len(pictures)),
            f"{drawing / len(pictures) * 1e3:.1f}",
            f"{median(packed):.0f}",
            str(max(packed)),
            f"{waiting / blocks * 1e6:.1f}",
        ],
    ]


def _blocks(samples: NDArray[np.int16]) -> Iterator[Block]:
    for start in range(0, len(samples) - BLOCK, BLOCK):
        yield Block(start, samples[start : start + BLOCK])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost.watching",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--clips", type=int, default=100)
    arguments = parser.parse_args()
    print(table(watch(arguments.seconds)), flush=True)
    print(table(draw(arguments.clips)), flush=True)


if __name__ == "__main__":
    main()
