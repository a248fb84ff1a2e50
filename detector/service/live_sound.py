"""What is made of one source's blocks for those who watch it; nothing while nobody does."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from detector.audio.level import FLOOR_DBFS
from detector.records import Block
from detector.sinks.live_taps import LiveKind, LiveTap
from detector.wire.encoding import encode
from detector.wire.live_bodies import SoundBody, SpectrogramBody
from detector.wire.message import finite, utc_text

if TYPE_CHECKING:
    from detector.audio.decimate import HalvedStream
    from detector.audio.mel_columns import ColumnStream

SOUND_RATE = 16000
"""Hertz, of the sound that is sent, where the stream has it or twice as much; else the stream's own."""

COLUMNS_TOGETHER = 2
"""Columns in one message: ten messages a second."""


class LiveSound:
    """Makes live messages of the blocks of one source, at `sample_rate` [Hz]."""

    def __init__(self, tap: LiveTap, *, sample_rate: int) -> None:
        self._tap = tap
        self._rate = sample_rate
        self._columns: ColumnStream | None = None
        self._high_hertz = 0.0
        self._halved: HalvedStream | None = None

    def push(self, block: Block, *, to_utc: Callable[[int], float], level_dbfs: float) -> None:
        """Take the next block; `to_utc` maps a sample to UTC seconds, `level_dbfs` is for a meter."""
        if self._tap.is_watched("spectrogram"):
            self._show(block, to_utc, level_dbfs)
        if self._tap.is_watched("full sound"):
            self._give_sound("full sound", block, self._rate, to_utc)
        if self._tap.is_watched("sound"):
            self._let_hear(block, to_utc)

    def _show(self, block: Block, to_utc: Callable[[int], float], level_dbfs: float) -> None:
        from detector.audio.mel_columns import BANDS, COLUMNS_PER_SECOND, LOW_HERTZ, ColumnStream, mel_columns

        if self._columns is None:
            columns = mel_columns(self._rate)
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

    def _let_hear(self, block: Block, to_utc: Callable[[int], float]) -> None:
        rate = self._rate
        if rate == 2 * SOUND_RATE:
            from detector.audio.decimate import HalvedStream

            if self._halved is None:
                self._halved = HalvedStream()
            low = self._halved.push(block)
            if low is None:
                return
            block, rate = low, SOUND_RATE
        self._give_sound("sound", block, rate, to_utc)

    def _give_sound(self, kind: LiveKind, block: Block, rate: int, to_utc: Callable[[int], float]) -> None:
        """Hand a block over that is counted at this rate [Hz]."""
        body = SoundBody(
            source=self._tap.name,
            sample_rate=rate,
            start=block.start,
            samples=len(block.samples),
            data=b2a_base64(block.samples.astype("<i2").tobytes(), newline=False).decode(),
            time=utc_text(to_utc(block.stop * self._rate // rate)),
        )
        self._tap.give(kind, encode(body))
