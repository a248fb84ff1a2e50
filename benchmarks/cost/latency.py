"""From a sound's true onset to its line, and from the deciding window's last sample to that line.

The real daemon plays a soundscape in real time into a pipe; each line is stamped when it arrives. The same
recording goes through the same pipeline in this process, which is deterministic: its n-th event is the n-th
line, and has the moment of the recording at which that was decided. A line's `time` is that moment's time, so
a true onset was at `time` - (decided - onset).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from benchmarks.support.children import Running, stamped_lines
from benchmarks.support.daemon_setup import DaemonSetup, PlayedRecording
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE
from benchmarks.support.soundscape import LABELS, Onset


@dataclass(frozen=True, slots=True)
class Line:
    """One line that the daemon wrote."""

    phase: str
    label: str
    decided_seconds: float
    """Moment of the recording at which it was decided."""
    delay_seconds: float
    """From that moment's time to the line's arrival."""


@dataclass(frozen=True, slots=True)
class Latency:
    """What one daemon gave."""

    daemon: DaemonSetup
    onsets: int
    found: list[float]
    """True onset to line, for the onsets that were found [s]."""
    delays: list[float]
    """Last sample of the deciding window to line, for every line [s]."""
    classes: dict[str, tuple[int, int, float]]
    """Class -> sounds, found, median latency [s]."""

    def row(self) -> list[str]:
        """Daemon and preset, share found, onset to line, window to line."""
        found, delays = np.array(self.found), np.array(self.delays) * 1000
        return [
            self.daemon.title,
            f"{len(found)} of {self.onsets} ({len(found) / self.onsets:.0%})",
            f"{np.median(found):.2f}",
            f"{np.quantile(found, 0.95):.2f}",
            f"{delays.min():.1f}",
            f"{np.median(delays):.1f}",
            f"{np.quantile(delays, 0.95):.1f}",
            f"{delays.max():.1f}",
            str(len(delays)),
        ]


HEAD = [
    *("daemon and preset", "onsets found", "onset to line: median [s]", "p95 [s]"),
    *("window to line: least [ms]", "median [ms]", "p95 [ms]", "most [ms]", "lines"),
]


def latency_table(results: Sequence[Latency]) -> str:
    """One row for each daemon."""
    return table([HEAD, *(result.row() for result in results)])


def class_table(results: Sequence[Latency]) -> str:
    """One row for each class."""
    head = ["class", *(f"{r.daemon.title}: found, median [s]" for r in results)]
    rows = [
        [name, *(_cell(*result.classes[name]) for result in results)]
        for name in LABELS
        if name in results[0].classes
    ]
    return table([head, *rows])


def _cell(sounds: int, found: int, seconds: float) -> str:
    return f"{found} of {sounds}" + (f", {seconds:.2f}" if found else "")


def measure(recording: Path, onsets: Sequence[Onset], daemons: Sequence[DaemonSetup]) -> list[Latency]:
    """Play the soundscape to these daemons, all at the same time."""
    expected = {daemon: daemon.play(recording) for daemon in daemons}
    arrived = play(recording, daemons, "--realtime")
    return [summary(daemon, onsets, match(arrived[daemon], expected[daemon], daemon)) for daemon in daemons]


def play(
    recording: Path, daemons: Sequence[DaemonSetup], *arguments: str
) -> dict[DaemonSetup, list[tuple[float, bytes]]]:
    """Each daemon's lines for the recording, with the time at which they arrived [UTC seconds]."""
    arrived: dict[DaemonSetup, list[tuple[float, bytes]]] = {daemon: [] for daemon in daemons}
    with ExitStack() as stack:
        outputs = {}
        for daemon in daemons:
            command = daemon.command("--input", str(recording), *arguments)
            outputs[daemon] = stack.enter_context(Running(command, join=False)).output
        for daemon, now, line in stamped_lines(outputs):
            arrived[daemon].append((now, line))
    return arrived


def match(
    arrived: Sequence[tuple[float, bytes]], expected: PlayedRecording, daemon: DaemonSetup
) -> list[Line]:
    """Pair the lines with the same run's events; SystemExit where they are not the same."""
    lines = []
    events = expected.events
    messages = [(now, json.loads(line)) for now, line in arrived]
    written = [(message["type"], message["label"]) for _, message in messages]
    if written != [(event.phase, event.label.name) for event in events]:
        raise SystemExit(
            f"{daemon.title}: {len(written)} lines differ from the {len(events)} events of "
            "the same recording in one process; was this machine too busy to play it in real time?"
        )
    for (now, message), event in zip(messages, events, strict=True):
        delay = now - datetime.fromisoformat(message["time"]).timestamp()
        lines.append(Line(event.phase, event.label.name, event.decided / expected.sample_rate, delay))
    return lines


def summary(daemon: DaemonSetup, onsets: Sequence[Onset], lines: Sequence[Line]) -> Latency:
    """For each onset the first event that starts before the next one and names its class."""
    found: dict[str, list[float]] = {onset.name: [] for onset in onsets}
    begins = [onset.sample / RATE for onset in onsets]
    starts = [line for line in lines if line.phase == "start"]
    for onset, begin, stop in zip(onsets, begins, [*begins[1:], float("inf")], strict=True):
        for line in starts:
            if begin < line.decided_seconds <= stop and line.label in LABELS[onset.name]:
                found[onset.name].append(line.decided_seconds - begin + line.delay_seconds)
                break
    names = [onset.name for onset in onsets]
    return Latency(
        daemon=daemon,
        onsets=len(onsets),
        found=[seconds for values in found.values() for seconds in values],
        delays=[line.delay_seconds for line in lines],
        classes={
            name: (names.count(name), len(values), float(np.median(values)) if values else float("nan"))
            for name, values in found.items()
        },
    )
