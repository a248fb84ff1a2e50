"""What is shown while clips are collected: a level meter on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
from typing import TextIO

from detector.collecting.collector import Collector
from detector.collecting.meter import CLIPPING_DBFS, cue_text, meter_text
from detector.collecting.taking import Phase
from detector.files.terminal import CLEAR, can_rewrite, columns_of, print_escaped


class Display:
    """Draws the level meter on `meter`, and writes results to `lines`.

    `live` is False where sound goes by faster than anybody can read: then only lines are written.
    """

    def __init__(self, lines: TextIO, meter: TextIO, *, sample_rate: int, live: bool) -> None:
        self._lines = lines
        self._meter = meter
        self._rate = sample_rate
        self._live = live
        self._on_terminal = live and can_rewrite(meter, os.environ)
        self._phase: Phase | None = None
        self._clipped = False

    def show(self, head: str, collector: Collector) -> None:
        """Draw after every block: `head` is the number of the clip, the collector knows the rest."""
        cue = collector.cue
        changed = cue.phase != self._phase
        self._phase = cue.phase
        self._clipped = collector.peak_dbfs >= CLIPPING_DBFS or (self._clipped and not changed)
        text = f"{head}  {cue_text(cue, self._rate)}"
        if self._on_terminal:
            line = meter_text(
                text,
                collector.level_dbfs,
                collector.peak_dbfs,
                clipped=self._clipped,
                width=columns_of(self._meter) - 1,
            )
            self._meter.write(f"{CLEAR}{line}\r")
            self._meter.flush()
        elif self._live and changed:
            print(text.rstrip(), file=self._meter, flush=True)

    def say(self, line: str) -> None:
        """Write a result: a line on `lines`."""
        self.clear()
        print_escaped(line, self._lines, flush=True)

    def note(self, line: str) -> None:
        """Write a remark: a line where the meter is."""
        self.clear()
        print_escaped(line, self._meter, flush=True)

    def clear(self) -> None:
        """Remove the meter; the next block draws it again."""
        if self._on_terminal:
            self._meter.write(CLEAR)
            self._meter.flush()
