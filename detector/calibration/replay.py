"""What the detector would have told of what was heard: the daemon's own stages, fed from the log.

Gate, grid of windows, history and tracker are those of the pipeline; only sound and classifier are
remembered. Conventions: seconds count from the first item, over all streams.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from detector.audio.gate import Gate
from detector.audio.level import Level
from detector.audio.windows import WindowGrid
from detector.calibration.soundlog import Frame, Item
from detector.events.boundaries import LevelHistory
from detector.events.tracker import EventTracker
from detector.interfaces import Vad
from detector.records import Block, Event, Scores

KEPT_SCORES = 1024
"""Windows that wait for the gate to open: more than a pre-roll of 10 s holds."""


class Remembered:
    """Fills `Vad` with what was logged of the frame."""

    def __init__(self) -> None:
        self.said = False

    def is_active(self, frame: Block) -> bool:
        """As the detectors said."""
        return self.said

    def reset(self) -> None:
        """They were reset when they were asked."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Fresh ones for one stream."""

    gate: Gate
    grid: WindowGrid
    history: LevelHistory
    tracker: EventTracker
    gap_limit: int
    """Samples: a longer gap ends open events."""


class Replay:
    """push(item) -> events; `make_stages` builds a stream's stages around what the gate's detectors said."""

    def __init__(self, make_stages: Callable[[Vad], Stages]) -> None:
        self._make_stages = make_stages
        self.windows = 0
        """How many the gate let through."""
        self.starts: list[tuple[float, Event]] = []
        """Seconds at which events were told, and the events."""
        self.seconds = 0.0
        """Heard so far."""
        self._begin()

    def push(self, item: Item, seconds: float) -> list[Event]:
        """Take the next item, which ends `seconds` after the first began; the events it starts or ends."""
        self.seconds = seconds
        if isinstance(item, Scores):
            self._recent[item.span.stop] = item
            if len(self._recent) > KEPT_SCORES:
                self._recent.popitem(last=False)
            return []
        told = self._hear(item) if isinstance(item, Frame) else self._end()
        self.starts += [(seconds, event) for event in told if event.phase == "start"]
        return told

    def _begin(self) -> None:
        self._remembered = Remembered()
        self._stages = self._make_stages(self._remembered)
        self._recent: OrderedDict[int, Scores] = OrderedDict()
        self._stop = 0

    def _hear(self, frame: Frame) -> list[Event]:
        stages, span = self._stages, frame.span
        told: list[Event] = []
        if span.start != self._stop:
            if span.start - self._stop > stages.gap_limit:
                told += stages.tracker.flush()
                stages.history.forget()
            stages.gate.reset()
            stages.grid.gap(span.start)
        self._stop = span.stop
        stages.history.push(span, frame.dbfs, frame.bands)
        self._remembered.said = frame.is_active
        block = Block(span.start, np.zeros(span.length, dtype=np.int16))
        level = Level(span, frame.dbfs, frame.bands, 0.0)
        is_open = stages.gate.push(block, level, hold=stages.tracker.active)
        for due in stages.grid.push(span, is_open=is_open):
            told += self._score(due.stop)
        return told

    def _end(self) -> list[Event]:
        told: list[Event] = []
        for due in self._stages.grid.last(self._stop):
            told += self._score(due.stop)
        told += self._stages.tracker.flush()
        self._begin()
        return told

    def _score(self, stop: int) -> list[Event]:
        self.windows += 1
        return self._stages.tracker.push(self._recent[stop])


def timed(items: Iterable[Item], sample_rate: int) -> Iterable[tuple[Item, float]]:
    """Each item with the seconds heard when it came."""
    heard = 0
    for item in items:
        if isinstance(item, Frame):
            heard += item.span.length
        yield item, heard / sample_rate
