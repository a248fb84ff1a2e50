"""From a sound's true onset to its line, and from the deciding window's last sample to that line.

The real daemon plays a soundscape in real time into a pipe; each line is stamped when it arrives. The same
recording goes through the same pipeline in this process, which is deterministic: its n-th event is the n-th
line, and tells the sample at which that was decided. A line's `time` is that sample's time, so a true onset
was at `time` - (decided - onset) / rate.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from benchmarks.support.children import MODEL, Running, daemon, stamped_lines
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE
from benchmarks.support.soundscape import LABELS, Onset
from detector import assemble, modelstore
from detector.config.settings import EventSettings, Preset, Settings
from detector.records import Event
from detector.sources.recording import Recording


@dataclass(frozen=True, slots=True)
class Line:
    """One line that the daemon wrote."""

    phase: str
    label: str
    decided: int
    """Sample of the stream at which it was decided."""
    delay_seconds: float
    """From that sample's time to the line's arrival."""


@dataclass(frozen=True, slots=True)
class Latency:
    """What one preset gave."""

    preset: str
    onsets: int
    found: list[float]
    """True onset to line, for the onsets that were found [s]."""
    delays: list[float]
    """Last sample of the deciding window to line, for every line [s]."""
    classes: dict[str, tuple[int, int, float]]
    """Class -> sounds, found, median latency [s]."""

    def row(self) -> list[str]:
        """Preset, share found, onset to line, window to line."""
        found, delays = np.array(self.found), np.array(self.delays) * 1000
        return [
            self.preset,
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
    *("preset", "onsets found", "onset to line: median [s]", "p95 [s]"),
    *("window to line: least [ms]", "median [ms]", "p95 [ms]", "most [ms]", "lines"),
]


def latency_table(results: Sequence[Latency]) -> str:
    """One row for each preset."""
    return table([HEAD, *(result.row() for result in results)])


def class_table(results: Sequence[Latency]) -> str:
    """One row for each class."""
    head = ["class", *(f"{r.preset}: found, median [s]" for r in results)]
    rows = [
        [name, *(_cell(*result.classes[name]) for result in results)]
        for name in LABELS
        if name in results[0].classes
    ]
    return table([head, *rows])


def _cell(sounds: int, found: int, seconds: float) -> str:
    return f"{found} of {sounds}" + (f", {seconds:.2f}" if found else "")


def measure(recording: Path, onsets: Sequence[Onset], presets: Sequence[Preset]) -> list[Latency]:
    """Play the soundscape to one daemon for each preset, all at the same time."""
    expected = {preset: _events(recording, preset) for preset in presets}
    arrived: dict[str, list[tuple[float, bytes]]] = {preset: [] for preset in presets}
    with ExitStack() as stack:
        programs = {
            preset: stack.enter_context(
                Running(daemon("--input", str(recording), "--realtime", "--preset", preset), join=False)
            )
            for preset in presets
        }
        for preset, now, line in stamped_lines({name: p.output for name, p in programs.items()}):
            arrived[preset].append((now, line))
    return [summary(preset, onsets, match(arrived[preset], expected[preset], preset)) for preset in presets]


def match(arrived: Sequence[tuple[float, bytes]], events: Sequence[Event], preset: str = "") -> list[Line]:
    """Pair the lines with the same run's events; SystemExit where they are not the same."""
    lines = []
    messages = [(now, json.loads(line)) for now, line in arrived]
    said = [(message["type"], message["label"]) for _, message in messages]
    if said != [(event.phase, event.label.name) for event in events]:
        raise SystemExit(
            f"{preset}: {len(said)} lines differ from the {len(events)} events of the same recording in one "
            "process; was this machine too busy to play it in real time?"
        )
    for (now, message), event in zip(messages, events, strict=True):
        delay = now - datetime.fromisoformat(message["time"]).timestamp()
        lines.append(Line(event.phase, event.label.name, event.decided, delay))
    return lines


def summary(preset: str, onsets: Sequence[Onset], lines: Sequence[Line]) -> Latency:
    """For each onset the first event that starts before the next one and names its class."""
    found: dict[str, list[float]] = {onset.name: [] for onset in onsets}
    stops = [*(onset.sample for onset in onsets[1:]), 2**62]
    starts = [line for line in lines if line.phase == "start"]
    for onset, stop in zip(onsets, stops, strict=True):
        for line in starts:
            if onset.sample < line.decided <= stop and line.label in LABELS[onset.name]:
                found[onset.name].append((line.decided - onset.sample) / RATE + line.delay_seconds)
                break
    names = [onset.name for onset in onsets]
    return Latency(
        preset=preset,
        onsets=len(onsets),
        found=[seconds for values in found.values() for seconds in values],
        delays=[line.delay_seconds for line in lines],
        classes={
            name: (names.count(name), len(values), float(np.median(values)) if values else float("nan"))
            for name, values in found.items()
        },
    )


def _events(recording: Path, preset: Preset) -> list[Event]:
    """What the same pipeline says of the recording in this process."""
    settings = Settings(events=EventSettings(preset=preset))
    pipeline = assemble.make_pipeline(settings, modelstore.load_classifier(MODEL))
    hop = round(settings.windows.hop_seconds * RATE)
    source = Recording(path=recording, sample_rate=RATE, block_length=assemble.block_length(hop, RATE))
    events = [event for block in source.blocks() for event in pipeline.push(block)]
    return events + pipeline.flush()
