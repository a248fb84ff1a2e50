"""Everything that docs/benchmarks.md says of cost and latency, measured in one run, beside the bare loop.

    python -m benchmarks.cost.run [--quick] [--output FILE]

With `--quick --output bench.md`, bench.md is what another machine can send: board, processor, system, how
hot it was and all figures, and no name of a machine, a user or a folder (docs/raspberry-pi.md).

The daemon runs its default model, both networks, and `--model yamnet` beside it. Takes about 17 minutes on a
machine with two free cores, most of it the soundscape in real time; --quick is for trying it out. Wants the
models pulled; uses ESC-10 and the tests' virtual microphone where they are there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks import ROOT
from benchmarks.cost import cost, heads, latency, overview, recordings, startup
from benchmarks.support import soundscape
from benchmarks.support.board import heat
from benchmarks.support.daemon_setup import DEFAULT, YAMNET
from benchmarks.support.report import Target, machine, table, with_kept_sections
from benchmarks.support.sounds import esc10, has_esc10
from tests.support.virtualmic import Unavailable, VirtualMicrophone

OUTPUT = ROOT / "docs" / "benchmarks.md"
PLAYED = [replace(daemon, preset=preset) for daemon in (DEFAULT, YAMNET) for preset in ("home", "alert")]
"""The daemons that play the soundscape."""

ABOUT_LATENCY = """\
{count} ESC-10 sounds with a clear attack: from the first 10 ms within 30 dB of the clip's loudest 50 ms, it
takes at most 100 ms to 50 ms within 10 dB of it. Cut to 2 s, 3 to 4 s apart, over pink noise at -50 dBFS
with an SNR of 10 to 30 dB, at 16 kHz; played in real time to two presets with two models at the same time,
in four processes, into pipes. An onset is found when a line comes before the next onset whose label is right
for the clip's class: its AudioSet names, those above and those below.

*Onset to line*: from the true onset, over the onsets found. *Window to line*: from the newest sample known
when the event was decided (`time` in the line) to the line's arrival at its reader, over all lines. Which
sample that was, a run of the same pipeline over the same recording in one process tells; its events are the
same, in the same order.
"""

OTHERS = """\
Tables of their own: `python -m benchmarks.quality.gate` (how often the gate opens, what a frame costs),
`python -m benchmarks.quality.level` (quiet microphones), `python -m benchmarks.cost.runtimes` (TFLite beside
ONNX Runtime). Their figures on the page of the part: `python -m benchmarks.cost.sources` (four sources in one
process beside four processes; docs/sources.md), `benchmarks.cost.mqtt` (docs/mqtt.md),
`benchmarks.cost.notifications` (docs/notifications.md), `benchmarks.cost.keeping_clips` (docs/clips.md),
`benchmarks.cost.levels` (docs/history.md), `benchmarks.cost.disk_writes` (bytes that reach a memory card;
docs/raspberry-pi.md).
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    seconds: int
    """Length of each recording."""
    repeats: int
    """Of every full-speed run."""
    live_seconds: int
    starts: int
    """Of every program."""
    onsets: int


FULL = Scale(seconds=600, repeats=5, live_seconds=60, starts=7, onsets=200)
QUICK = Scale(seconds=120, repeats=2, live_seconds=10, starts=2, onsets=30)


def main() -> None:
    """Measure, print, and write the document."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cost.run",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="a little of everything; only prints, unless --output is given"
    )
    parser.add_argument("--output", type=Path, help="where to write (default: docs/benchmarks.md)")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else FULL
    began = datetime.now(UTC)
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        measured = _measure(Path(folder), scale, _microphone(stack))
    if after := heat():
        facts.append(["temperature after the run", after])
    text = _document(measured, scale, facts, began)
    print(text)
    output = arguments.output or (None if arguments.quick else OUTPUT)
    if output is not None:
        before = output.read_text(encoding="utf-8") if output.exists() else ""
        output.write_text(with_kept_sections(text, before), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Measured:
    """All results; None where something was not there to measure with."""

    about: str
    full_speed: cost.FullSpeed
    live: cost.Live | None
    heads: list[heads.Heads]
    start_up: startup.StartUp
    latencies: list[latency.Latency] | None
    openings: list[overview.Opening]
    no_microphone: str


def _measure(folder: Path, scale: Scale, microphone: VirtualMicrophone | str) -> Measured:
    reason = microphone if isinstance(microphone, str) else ""
    present = None if isinstance(microphone, str) else microphone
    about = recordings.write_all(folder, scale.seconds)
    _say("cost at full speed")
    full_speed = cost.at_full_speed(folder, scale.seconds, scale.repeats)
    _say("cost at the microphone")
    live = cost.at_microphone(folder, scale.live_seconds, present) if present else None
    _say("cost of heads")
    beside = [heads.measure(scale.seconds, daemon) for daemon in (DEFAULT, YAMNET)]
    _say("cold start")
    start_up = startup.measure(folder, scale.starts, present)
    _say(f"latency over {scale.onsets} onsets")
    latencies = _latencies(folder, scale.onsets) if has_esc10() else None
    _say("the page's overview")
    openings = overview.measure(folder, events=overview.EVENTS, repeats=overview.REPEATS)
    return Measured(about, full_speed, live, beside, start_up, latencies, openings, reason)


def _latencies(folder: Path, count: int) -> list[latency.Latency]:
    samples, onsets = soundscape.make(soundscape.clear_attacks(esc10()), count)
    path = folder / "soundscape.wav"
    recordings.write(path, samples)
    return latency.measure(path, onsets, PLAYED)


def _microphone(stack: ExitStack) -> VirtualMicrophone | str:
    """A virtual microphone, or why there is none."""
    try:
        return stack.enter_context(VirtualMicrophone())
    except Unavailable as reason:
        return str(reason)


def _targets(measured: Measured) -> str:
    full, live = measured.full_speed, measured.live
    rows = [
        Target("CPU, quiet, beside the bare loop", 0.5, "x", full.ratio("quiet", cost.SAME)),
        Target("CPU, busy, beside the bare loop at the same hop", 2.5, "x", full.ratio("busy", cost.SAME)),
        Target("resident memory, highest", 95, "MB", live.highest[cost.DAEMON] if live else None),
        Target("exec to listening", 0.8, "s", measured.start_up.median(startup.listening(DEFAULT))),
    ]
    for one in measured.heads:
        added = one.added(heads.ONE)
        rows.append(
            Target(f"CPU that one head adds to a window of {one.model}", heads.TARGET_PERCENT, "%", added)
        )
    latencies = [result for result in measured.latencies or () if result.daemon.model == DEFAULT.model]
    for result in latencies:
        onset_to_line = float(np.median(result.found))
        rows.append(Target(f"onset to line, median, {result.daemon.preset}", 0.6, "s", onset_to_line))
    for result in latencies:
        window_to_line = 1000 * float(np.quantile(result.delays, 0.95))
        rows.append(Target(f"window to line, p95, {result.daemon.preset}", 60, "ms", window_to_line))
    day = measured.openings[0]
    rows.append(Target(f"{day.what}, first", 300, "ms", 1000 * day.first))
    return table([["what", "at most", "measured", "so"], *(target.row() for target in rows)])


def _document(measured: Measured, scale: Scale, facts: list[list[str]], began: datetime) -> str:
    minutes = (datetime.now(UTC) - began).total_seconds() / 60
    command = "python -m benchmarks.cost.run" + (" --quick" if scale is QUICK else "")
    difference = measured.start_up.difference()
    live, latencies = measured.live, measured.latencies
    parts = [
        "# Cost and latency",
        f"Written by `make bench` (`{command}`) on {began:%Y-%m-%d}, in {minutes:.0f} minutes. The daemon "
        "is the real process, `python -m detector`; the bare loop (`benchmarks/cost/bareloop.py`) is another "
        "that only reads the same sound and runs YAMNet's file in LiteRT with one thread. *daemon* is the "
        f"default model, here {DEFAULT.settings().model.name}. All were measured in this run, taking turns. "
        "Figures are medians, with the least in brackets.",
        table(facts),
        "## Targets",
        _targets(measured),
        "## CPU time at full speed",
        f"{measured.about} Each lasts {scale.seconds // 60} minutes; {scale.repeats} repeats. User and "
        "system time of the whole process (`wait4`), less its own start-up on 0.2 s of sound.",
        measured.full_speed.table(),
        "## At the microphone",
    ]
    if live is not None:
        parts += [
            f"{scale.live_seconds} s of the busy recording, played to a virtual microphone (PulseAudio); "
            "real PyAudio in each process, all four side by side. The daemons write to standard output and "
            "a Unix socket. CPU time and memory (`VmHWM`, `VmRSS`) from `/proc`.",
            live.table(),
        ]
    else:
        parts.append(f"Not measured: {measured.no_microphone}.")
    parts += ["## Heads", heads.ABOUT, *(one.table() for one in measured.heads)]
    parts += ["## Cold start", f"{scale.starts} starts of each, taking turns; files in the page cache."]
    parts.append(measured.start_up.table())
    if difference is not None:
        parts.append(
            "PulseAudio keeps back the first block of a new stream; the daemon has it "
            f"{difference:+.2f} s later than PyAudio alone."
        )
    parts.append("## Latency")
    if latencies is None:
        parts.append("Not measured: there are no ESC-10 clips here (SOUND_DETECTOR_DATA).")
    else:
        parts += [ABOUT_LATENCY.format(count=scale.onsets), latency.latency_table(latencies)]
        parts.append(latency.class_table(latencies))
    parts += ["## The page's overview"]
    parts.append(overview.ABOUT.format(events=overview.EVENTS, repeats=overview.REPEATS))
    parts.append(overview.openings_table(measured.openings))
    parts += ["## Other measurements", OTHERS]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _say(what: str) -> None:
    print(f"benchmarks.cost.run: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
