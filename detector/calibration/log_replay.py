"""Which events the detector would have reported: the pipeline's own detection stage, fed from the log.

Gate, grid of windows and tracker are those of the pipeline; only levels and scores come from the log instead
of sound and classifier. Conventions: seconds count from the first item, over all streams.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from detector.audio.level import Level
from detector.audition.side_by_side import RecentScores
from detector.calibration.sound_log import Frame, Item
from detector.interfaces import Vad
from detector.pipeline import DetectionStage
from detector.records import Block, Event, Scores, Span

MakeStage = Callable[[Vad, Callable[[Span], Scores]], DetectionStage]
"""Builds the stage of one stream around a detector of activity and what gives the scores of a window."""


class LoggedActivity:
    """Fills `Vad` with what was logged of the frame."""

    def __init__(self) -> None:
        self.is_now_active = False

    def is_active(self, frame: Block) -> bool:
        """What the detectors of the gate answered."""
        return self.is_now_active

    def reset(self) -> None:
        """The detectors were reset while they were asked."""


class LogReplay:
    """push(item) -> events; `make_stage` builds the detection stage of each stream."""

    def __init__(self, make_stage: MakeStage) -> None:
        self._make_stage = make_stage
        self.windows = 0
        """How many the gate let through."""
        self.starts: list[tuple[float, Event]] = []
        """The seconds at which events were reported, and the events."""
        self.seconds = 0.0
        """Length of what was replayed so far."""
        self._begin()

    def push(self, item: Item, seconds: float) -> list[Event]:
        """Take the next item, which ends `seconds` after the first began; the events it starts or ends."""
        self.seconds = seconds
        if isinstance(item, Scores):
            self._recent.add(item.span.stop, item)
            return []
        events = self._process(item) if isinstance(item, Frame) else self._end()
        self.starts += [(seconds, event) for event in events if event.phase == "start"]
        return events

    def _begin(self) -> None:
        self._activity = LoggedActivity()
        self._recent = RecentScores()
        self._stage = self._make_stage(self._activity, self._score)

    def _process(self, frame: Frame) -> list[Event]:
        self._activity.is_now_active = frame.is_active
        block = Block(frame.span.start, np.zeros(frame.span.length, dtype=np.int16))
        return self._stage.push(block, Level(frame.span, frame.dbfs, frame.bands, 0.0))

    def _end(self) -> list[Event]:
        events = self._stage.flush()
        self._begin()
        return events

    def _score(self, span: Span) -> Scores:
        self.windows += 1
        return self._recent[span.stop]


def timed(items: Iterable[Item], sample_rate: int) -> Iterable[tuple[Item, float]]:
    """Each item with the seconds of sound up to it."""
    heard = 0
    for item in items:
        if isinstance(item, Frame):
            heard += item.span.length
        yield item, heard / sample_rate
