"""Recordings on a web server beside the same files: requests, bytes, CPU and memory of reading them.

    python -m benchmarks.cost.elsewhere [--hours 10]

Each is read to its end as `analyze` reads it, without a model, in a process of its own whose CPU and highest
resident memory are told. The server is on loopback, in this process. OGG and MP3 have a tenth of the hours.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks import ROOT
from benchmarks.support.report import table
from detector.analysis.analyzer import opened_place
from detector.analysis.recording_files import find_recordings
from detector.sources.recording import Recording, length_and_start

RATE = 16_000
MINUTE = 60 * RATE


class _Server(ThreadingHTTPServer):
    """Serves one file in ranges, and counts."""

    path = Path()
    requests = 0
    sent = 0


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer with the range that is asked for."""
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        size = self.server.path.stat().st_size
        start, stop = (int(found[1]), min(int(found[2]) + 1, size)) if found else (0, size)
        self.send_response(206)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("ETag", '"1"')
        self.end_headers()
        with self.server.path.open("rb") as file:
            file.seek(start)
            self.wfile.write(file.read(stop - start))
        self.server.requests += 1
        self.server.sent += stop - start

    def log_message(self, format: str, *values: object) -> None:
        """Nothing."""


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost.elsewhere", description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0, help="length of the WAV and the FLAC")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        print(json.dumps(_read(arguments.read)))
        return
    heads = [
        "",
        "hours",
        "MB",
        "requests",
        "bytes",
        "CPU here [s]",
        "elsewhere [s]",
        "MB here",
        "MB elsewhere",
    ]
    rows = [heads]
    with tempfile.TemporaryDirectory() as name, _Server(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for suffix, hours in (
            ("wav", arguments.hours),
            ("flac", arguments.hours),
            ("ogg", arguments.hours / 10),
            ("mp3", arguments.hours / 10),
        ):
            path = server.path = Path(name, f"night.{suffix}")
            _write(path, hours)
            here = _child(str(path))
            server.requests = server.sent = 0
            there = _child(f"http://127.0.0.1:{server.server_address[1]}/{path.name}")
            if here["sound"] != there["sound"]:
                sys.exit(f"{suffix}: the sound is another")
            size = path.stat().st_size
            rows.append(
                [
                    *(suffix.upper(), f"{hours:g}", f"{size / 1e6:.0f}"),
                    *(str(server.requests), f"{server.sent / size:.4f}"),
                    *(f"{here['cpu']:.1f}", f"{there['cpu']:.1f}"),
                    *(f"{here['peak']:.0f}", f"{there['peak']:.0f}"),
                ]
            )
            path.unlink()
        server.shutdown()
    print(table(rows))


def _write(path: Path, hours: float) -> None:
    minute = np.random.default_rng(1).integers(-3000, 3000, MINUTE).astype(np.int16)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(max(1, round(60 * hours))):
            for start in range(0, MINUTE, RATE):  # libsndfile's Ogg encoder breaks on long ones
                file.write(minute[start : start + RATE])


def _child(place: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.cost.elsewhere", "--read", place]
    ended = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    read: dict[str, Any] = json.loads(ended.stdout)
    return read


def _read(place: str) -> dict[str, float]:
    """Read one recording; its CPU seconds, the highest MB, and a checksum of its sound."""
    (recording,) = find_recordings([place])
    sound = 0
    before = time.process_time()
    with opened_place(recording.path) as opened:
        length_and_start(opened)
        for block in Recording(path=opened, sample_rate=RATE, block_length=RATE).blocks():
            sound = zlib.crc32(block.samples.tobytes(), sound)
    cpu = time.process_time() - before
    return {"cpu": cpu, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "sound": sound}


if __name__ == "__main__":
    main()
