"""A log of a room in a temporary file: levels and scores, never sound; and what fills it from a stream.

The file grows by some 8 MB per hour, memory does not. Scores below `LEAST_SCORE` are not kept: no threshold
is as low as that. Every window is scored, whatever the gate says: with another floor or after another sound
the gate may be open where it is shut now.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO, Protocol, TypeAlias

import numpy as np

from detector.audio.framing import Framer
from detector.audio.level import GATE_BAND_EDGES_HZ, Level, LevelMeter
from detector.pipeline import Pipeline
from detector.records import Block, Scores, Span

LEAST_SCORE = 0.002
BANDS = len(GATE_BAND_EDGES_HZ) - 1


@dataclass(frozen=True, slots=True)
class Frame:
    """The level of one frame, and whether it would have opened the gate."""

    span: Span
    dbfs: float
    """Level of 125-7500 Hz [dBFS]."""
    is_active: bool
    """Whether a detector of the gate was active."""
    bands: tuple[float, ...] = (0.0,) * BANDS
    """Mean squares of the gate's bands, full scale 1."""


@dataclass(frozen=True, slots=True)
class Break:
    """The stream ended; the next one begins at sample 0."""


Item: TypeAlias = Frame | Scores | Break
"""Scores come before the frame in which their window ends."""

_FRAME, _SCORES, _BREAK = b"f", b"s", b"b"
_FRAME_BODY = Struct(f"<qqd?{BANDS}d")
_SCORES_BODY = Struct("<qqH")
_COLUMN, _VALUE = np.dtype("<u2"), np.dtype("<f4")


class SoundLog:
    """Items in the order they were added; `labels` is how many scores a window has."""

    def __init__(self, labels: int) -> None:
        self._labels = labels
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="sound-detector-")  # noqa: SIM115

    def add(self, item: Item) -> None:
        """Append one."""
        if isinstance(item, Frame):
            body = _FRAME_BODY.pack(item.span.start, item.span.stop, item.dbfs, item.is_active, *item.bands)
            self._file.write(_FRAME + body)
        elif isinstance(item, Scores):
            columns = np.flatnonzero(item.values >= LEAST_SCORE)
            head = _SCORES_BODY.pack(item.span.start, item.span.stop, len(columns))
            values = item.values[columns].astype(_VALUE)
            self._file.write(_SCORES + head + columns.astype(_COLUMN).tobytes() + values.tobytes())
        else:
            self._file.write(_BREAK)

    def __iter__(self) -> Iterator[Item]:
        """All items from the first; add none meanwhile."""
        read = self._file.read
        self._file.seek(0)
        while kind := read(1):
            if kind == _FRAME:
                start, stop, dbfs, is_active, *bands = _FRAME_BODY.unpack(read(_FRAME_BODY.size))
                yield Frame(Span(start, stop), dbfs, is_active, tuple(bands))
            elif kind == _SCORES:
                start, stop, count = _SCORES_BODY.unpack(read(_SCORES_BODY.size))
                columns = np.frombuffer(read(count * _COLUMN.itemsize), _COLUMN)
                values = np.zeros(self._labels, dtype=np.float32)
                values[columns] = np.frombuffer(read(count * _VALUE.itemsize), _VALUE)
                yield Scores(Span(start, stop), values)
            else:
                yield Break()

    def close(self) -> None:
        """Delete it."""
        self._file.close()


class IsActive(Protocol):
    """Asks the detectors of the gate whether a frame is active; they depend on the frames before it."""

    def __call__(self, frame: Block, level: Level, /) -> bool:
        """Take the next frame."""


class StreamLogger:
    """Blocks of one stream in, items of the log out.

    `make_pipeline` builds a pipeline without a gate; it calls its argument with the scores of every window.
    """

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
        self._waiting: deque[Scores] = deque()
        self._pipeline = make_pipeline(self._waiting.append)

    @property
    def level_dbfs(self) -> float:
        """Level of the newest frame [dBFS]."""
        return self._pipeline.level_dbfs

    def push(self, block: Block) -> list[Item]:
        """Take one block; the items that are complete."""
        frames = self._framer.push(block)
        levels = self._meter.measure_all(frames)
        self._pipeline.push(block)
        items: list[Item] = []
        for frame, level in zip(frames, levels, strict=True):
            while self._waiting and self._waiting[0].span.stop <= frame.stop:
                items.append(self._waiting.popleft())
            items.append(Frame(level.span, level.dbfs, self._is_active(frame, level), level.bands))
        return items

    def interrupt(self) -> None:
        """The device went away; a later block goes on."""
        self._framer.flush()
        self._pipeline.interrupt()

    def flush(self) -> list[Item]:
        """The stream ended."""
        self._pipeline.flush()
        items: list[Item] = [*self._waiting, Break()]
        self._waiting.clear()
        return items
