"""From a sound at the microphone to the screen: when its column is drawn, and when its event is shown."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.support.shown_page import ShownPage
from detector.demo import PARTS, recording_path
from tests.support.browser import open_chromium

RATE = 16000
SIREN = PARTS[2]
SOUND_SECONDS = 2.0
PAUSE_SECONDS = 6.0
"""After a sound: its event ends, so that the next one is an event of its own."""
LATE_SECONDS = 4.0
"""What comes later belongs to no sound."""
LOUD = 1500
"""Amplitude that the siren reaches at once and the noise never."""

WATCHER = """() => {
  // The columns are looked at as they are drawn, a little before the right edge; loud is far from the paper.
  window.drawn = [];
  window.events_shown = [];
  const canvas = document.querySelector(".waterfall-canvas");
  const context = canvas.getContext("2d");
  let usual = null;
  const look = () => {
    const pixels = context.getImageData(canvas.width - 2, 0, 1, canvas.height).data;
    let sum = 0;
    for (let place = 0; place < pixels.length; place += 4) sum += pixels[place];
    const mean = sum / (pixels.length / 4);
    const now = Date.now() / 1000;
    if (usual !== null && Math.abs(mean - usual) > 40) {
      if (!window.loud) window.drawn.push(now);
      window.loud = now;
    } else {
      usual = usual === null ? mean : 0.9 * usual + 0.1 * mean;
      if (window.loud && now - window.loud > 1.5) window.loud = 0;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  const known = new Set([...document.querySelectorAll("[data-id]")].map((each) => each.dataset.id));
  new MutationObserver(() => {
    for (const each of document.querySelectorAll("[data-id]")) {
      if (known.has(each.dataset.id)) continue;
      known.add(each.dataset.id);
      window.events_shown.push([each.dataset.id, Date.now() / 1000]);
    }
  }).observe(document.body, { subtree: true, childList: true });
}"""


@dataclass(slots=True)
class Delays:
    """Of each sound that was found at both ends [s]."""

    column: list[float] = field(default_factory=list)
    """From the first sample at the microphone to the drawing of its column."""
    event: list[float] = field(default_factory=list)
    """From there to its event on the page."""
    decided: list[float] = field(default_factory=list)
    """From the event's message on the socket to the event on the page."""

    def rows(self) -> list[tuple[str, str, list[float]]]:
        """From, to, seconds."""
        return [
            ("sound at the microphone", "its column is drawn", self.column),
            ("sound at the microphone", "its event is shown", self.event),
            ("event on the socket", "it is shown", self.decided),
        ]


def measure_delays(shown: ShownPage, folder: Path, count: int) -> Delays:
    """Play a siren so often, and compare what happens where."""
    path = folder / "siren.wav"
    first = round(SIREN.start_seconds * RATE)
    samples = soundfile.read(recording_path(), dtype="float32")[0][
        first : first + round(SOUND_SECONDS * RATE)
    ]
    soundfile.write(path, np.concatenate((np.zeros(RATE // 10, np.float32), samples)), RATE)
    with open_chromium() as browser, recorded_onsets(shown) as onsets, stamped_starts(shown) as starts:
        page = browser.new_page(viewport={"width": 1000, "height": 700}, color_scheme="light")
        page.goto(f"{shown.url}#/live")
        page.wait_for_selector(".waterfall-canvas")
        page.wait_for_timeout(3000)
        page.evaluate(WATCHER)
        for _ in range(count):
            shown.microphone.play(path)
            page.wait_for_timeout(1000 * PAUSE_SECONDS)
        drawn = page.evaluate("window.drawn")
        events = page.evaluate("window.events_shown")
    return compare(onsets, drawn, dict(events), starts)


def compare(
    onsets: Sequence[float], drawn: Sequence[float], shown: dict[str, float], starts: dict[str, float]
) -> Delays:
    """Put together what belongs together: for each onset the first column and the first event after it."""
    delays = Delays()
    for onset in onsets:
        delays.column += _first_after(onset, drawn)
        delays.event += _first_after(onset, list(shown.values()))
    delays.decided = [shown[id] - at for id, at in starts.items() if id in shown]
    return delays


def _first_after(moment: float, others: Sequence[float]) -> list[float]:
    return [other - moment for other in sorted(others) if 0 < other - moment < LATE_SECONDS][:1]


@contextmanager
def recorded_onsets(shown: ShownPage) -> Iterator[list[float]]:
    """When sounds began at the microphone [UTC seconds], by a recorder of the same microphone."""
    onsets: list[float] = []
    command = [
        "parec",
        "--device=mic",
        f"--rate={RATE}",
        "--channels=1",
        "--format=s16le",
        "--latency-msec=10",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=shown.microphone.environment) as recorder:
        assert recorder.stdout is not None
        output = recorder.stdout.fileno()

        def read() -> None:
            quiet_since = 0.0
            while data := os.read(output, 4096):
                now = time.time()
                samples = np.frombuffer(data[: len(data) // 2 * 2], np.int16)
                loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD)
                if len(loud):
                    if now - quiet_since > 1.5:
                        onsets.append(now - (len(samples) - loud[0]) / RATE)
                    quiet_since = now

        reading = threading.Thread(target=read)
        reading.start()
        try:
            yield onsets
        finally:
            recorder.terminate()
            reading.join()


@contextmanager
def stamped_starts(shown: ShownPage) -> Iterator[dict[str, float]]:
    """When the first message of each event came from the socket [UTC seconds], by its id."""
    starts: dict[str, float] = {}
    path = Path(shown.microphone.variables["XDG_RUNTIME_DIR"], "sound-detector", "events.sock")
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))

    def read() -> None:
        with connection.makefile("rb") as lines:
            for line in lines:
                now = time.time()
                message = json.loads(line)
                if message["type"] == "start":
                    starts[message["id"]] = now

    reading = threading.Thread(target=read)
    reading.start()
    try:
        yield starts
    finally:
        connection.shutdown(socket.SHUT_RDWR)
        reading.join()
        connection.close()
