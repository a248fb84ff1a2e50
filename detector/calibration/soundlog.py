"""What was heard, item by item, in a temporary file: levels and scores, never sound.

The file is as large as it must be (some 8 MB per hour) and memory does not grow. Scores below `LEAST_SCORE`
are not kept: no threshold is as low as that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO, TypeAlias

import numpy as np

from detector.audio.level import GATE_BAND_EDGES_HZ
from detector.records import Scores, Span

LEAST_SCORE = 0.002
BANDS = len(GATE_BAND_EDGES_HZ) - 1


@dataclass(frozen=True, slots=True)
class Frame:
    """The level of one frame, and whether it would have opened the gate."""

    span: Span
    dbfs: float
    """Level of 125-7500 Hz [dBFS]."""
    is_active: bool
    """Whether a detector of the gate heard something."""
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
