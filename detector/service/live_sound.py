"""What is made of one source's blocks for those who watch it; nothing while nobody does."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from detector.audio.level import FLOOR_DBFS
from detector.records import Block
from detector.sinks.live_taps import LiveTap
from detector.wire.encoding import encode
from detector.wire.live_bodies import SpectrogramBody
from detector.wire.message import finite, utc_text

if TYPE_CHECKING:
    from detector.audio.mel_columns import ColumnStream

COLUMNS_TOGETHER = 2
"""Columns in one message: ten messages a second."""


class LiveSound:
    """Makes live messages of the blocks of one source, at `sample_rate` [Hz]."""

    def __init__(self, tap: LiveTap, *, sample_rate: int) -> None:
        self._tap = tap
        self._rate = sample_rate
        self._columns: ColumnStream | None = None
        self._high_hertz = 0.0

    def push(self, block: Block, *, to_utc: Callable[[int], float], level_dbfs: float) -> None:
        """Take the next block; `to_utc` maps a sample to UTC seconds, `level_dbfs` is for a meter."""
        if self._tap.is_watched("spectrogram"):
            self._show(block, to_utc, level_dbfs)
        else:
            self._columns = None

    def _show(self, block: Block, to_utc: Callable[[int], float], level_dbfs: float) -> None:
        from detector.audio.mel_columns import BANDS, COLUMNS_PER_SECOND, LOW_HERTZ, ColumnStream, MelColumns

        if self._columns is None:
            columns = MelColumns(sample_rate=self._rate)
            self._columns = ColumnStream(columns, together=COLUMNS_TOGETHER)
            self._high_hertz = columns.high_hertz
        for stop, values in self._columns.push(block):
            body = SpectrogramBody(
                source=self._tap.name,
                level_dbfs=finite(level_dbfs, 1) if level_dbfs > FLOOR_DBFS else None,
                bands=BANDS,
                columns=len(values),
                low_hertz=LOW_HERTZ,
                high_hertz=self._high_hertz,
                columns_per_second=COLUMNS_PER_SECOND,
                data=b2a_base64(values.tobytes(), newline=False).decode(),
                time=utc_text(to_utc(stop)),
            )
            self._tap.give("spectrogram", encode(body))
