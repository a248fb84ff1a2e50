"""What the sound level by minute costs: CPU time to measure and to write a minute, and its size.

python -m benchmarks.cost.levels [--repeats 7]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.support.report import table
from detector.audio.framing import Framer
from detector.audio.level import Level, LevelMeter
from detector.audio.level_minute import LevelMinute
from detector.audio.minute_meter import MinuteMeter
from detector.history.event_store import EventStore
from detector.history.sequence_numbers import SequenceNumbers
from detector.records import Block

RATE, FRAME, BLOCK = 16000, 480, 1920
MINUTES_A_DAY = 1440
START = 1_785_592_980.0
"""UTC seconds; a minute begins."""


def blocks_of_levels(meter: LevelMeter) -> list[list[Level]]:
    """A minute of noise whose level wanders over 30 dB, as the pipeline measures it block by block."""
    chance = np.random.default_rng(0)
    loudness = 30 + 900 * (1 + np.sin(np.arange(RATE * 60) / RATE)) ** 2 / 4
    noise = (chance.normal(0, 1, RATE * 60) * loudness).astype(np.int16)
    framer = Framer(frame_length=FRAME)
    return [
        meter.measure_all(framer.push(Block(at, noise[at : at + BLOCK])))
        for at in range(0, len(noise), BLOCK)
    ]


def measured(blocks: Sequence[Sequence[Level]], meter: LevelMeter) -> LevelMinute:
    """Measure a minute as the daemon does."""
    kept: list[LevelMinute] = []
    minutes = MinuteMeter(source="Mic", sample_rate=RATE, bins_hz=meter.bins_hz, keep=kept.extend)
    for levels in blocks:
        minutes.follow(lambda sample: START + sample / RATE, listens=True)
        minutes.push(levels)
    minutes.flush()
    return kept[0]


def written(path: Path, minute: LevelMinute) -> int:
    """Write a day of such minutes, each in a transaction of its own; returns the bytes of the file."""
    store = EventStore(path, SequenceNumbers(), keep_seconds=1e10, max_bytes=10**12)
    for number in range(MINUTES_A_DAY):
        store.write((), [replace(minute, minute=minute.minute + number)])
    store.close()
    return path.stat().st_size


def cpu_seconds(action: Callable[[], object], repeats: int) -> float:
    """The least CPU time of some repeats."""

    def once() -> float:
        began = time.process_time()
        action()
        return time.process_time() - began

    return min(once() for _ in range(repeats))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args(arguments)
    meter = LevelMeter(sample_rate=RATE, frame_length=FRAME)
    blocks = blocks_of_levels(meter)
    minute = measured(blocks, meter)
    measuring = cpu_seconds(lambda: measured(blocks, meter), options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        empty = EventStore(Path(folder, "empty.db"), SequenceNumbers(), keep_seconds=1e10, max_bytes=10**12)
        empty.write(())
        empty.close()
        path = Path(folder, "history.db")
        sizes: list[int] = []
        writing = cpu_seconds(lambda: sizes.append(written(path, minute)), 1) / MINUTES_A_DAY
        size = sizes[0] - Path(folder, "empty.db").stat().st_size
    rows = [
        ["a minute of one source", ""],
        ["CPU time to measure it", f"{1000 * measuring:.1f} ms ({measuring / 60:.4%} of a core)"],
        ["CPU time to write it", f"{1000 * writing:.2f} ms"],
        ["in the history", f"{size / MINUTES_A_DAY:.0f} bytes; a day {size / 1e6:.2f} MB"],
    ]
    print(table(rows))


if __name__ == "__main__":
    main()
