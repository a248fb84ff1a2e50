"""One stream as items of the log: every window scored, and what the detectors of the gate say.

Every window, because later any sound may open the gate, and what is then scored with it is the room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from detector.audio.framing import Framer
from detector.audio.level import Level, LevelMeter
from detector.calibration.soundlog import Break, Frame, Item
from detector.pipeline import Pipeline
from detector.records import Block, Scores


class IsActive(Protocol):
    """Whether a detector of the gate hears something in this frame; remembers the frames before."""

    def __call__(self, frame: Block, level: Level, /) -> bool:
        """Take the next frame."""


class Ear:
    """Blocks of one stream in, items out; `make_pipeline` builds one without gate, telling its scores."""

    def __init__(
        self,
        *,
        framer: Framer,
        meter: LevelMeter,
        is_active: IsActive,
        make_pipeline: Callable[[Callable[[Scores], None]], Pipeline],
    ) -> None:
        self._framer = framer
        self._meter = meter
        self._is_active = is_active
        self._said: deque[Scores] = deque()
        self._pipeline = make_pipeline(self._said.append)

    @property
    def level_dbfs(self) -> float:
        """Level of the newest frame [dBFS]."""
        return self._pipeline.level_dbfs

    def push(self, block: Block) -> list[Item]:
        """Take one block; what is ready."""
        frames = self._framer.push(block)
        levels = self._meter.measure_all(frames)
        self._pipeline.push(block)
        items: list[Item] = []
        for frame, level in zip(frames, levels, strict=True):
            while self._said and self._said[0].span.stop <= frame.stop:
                items.append(self._said.popleft())
            items.append(Frame(level.span, level.dbfs, self._is_active(frame, level), level.bands))
        return items

    def interrupt(self) -> None:
        """The device went away; a later block goes on."""
        self._framer.flush()
        self._pipeline.interrupt()

    def flush(self) -> list[Item]:
        """The stream ended."""
        self._pipeline.flush()
        items: list[Item] = [*self._said, Break()]
        self._said.clear()
        return items
