"""Raw samples on a pipe as a source: `arecord ... | sound-detector --input -`.

Format: signed 16-bit little-endian, channels interleaved, no header.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from detector.errors import UnsupportedFormat
from detector.records import Block
from detector.sources.conversion import Converter
from detector.sources.cutting import Cutter

log = logging.getLogger(__name__)

BYTES_PER_SAMPLE = 2

FILE_MAGICS = {b"RIFF": "WAV", b"fLaC": "FLAC", b"OggS": "OGG"}
"""First four bytes of files that people pipe in by mistake."""


class Pipe:
    """Read raw s16le from a binary stream until it ends."""

    def __init__(
        self,
        *,
        stream: BinaryIO,
        sample_rate: int,
        input_rate: int,
        channels: int = 1,
        block_length: int,
        name: str | None = None,
    ) -> None:
        self._stream = stream
        self._sample_rate = sample_rate
        self._input_rate = input_rate
        self._channels = channels
        self._block_length = block_length
        self._name = name or "stdin"

    @property
    def name(self) -> str:
        """The given name, or `stdin`."""
        return self._name

    @property
    def live(self) -> bool:
        """False: the writer waits while we are behind, so nothing need be dropped, at any speed."""
        return False

    @property
    def immediate(self) -> bool:
        """False: the writer may take its time."""
        return False

    def blocks(self) -> Iterator[Block]:
        """Yield blocks until the stream ends; raises UnsupportedFormat where it never began."""
        converter = Converter(
            input_rate=self._input_rate, output_rate=self._sample_rate, channels=self._channels
        )
        cutter = Cutter(block_length=self._block_length, sample_rate=self._sample_rate)
        frame_bytes = BYTES_PER_SAMPLE * self._channels
        wanted = frame_bytes * max(1, self._block_length * self._input_rate // self._sample_rate)
        held, began = b"", False
        while data := self._stream.read(wanted):
            held += data
            whole = len(held) - len(held) % frame_bytes
            if whole == 0:
                continue
            if not began:
                began = True
                self._warn_of_file(held)
            samples = np.frombuffer(held[:whole], dtype="<i2").reshape(-1, self._channels)
            held = held[whole:]
            converted = converter.push(samples.astype(np.int16, copy=False))
            yield from cutter.push(converted)
        if not began:
            raise UnsupportedFormat(
                f"{self._name} ended before the first sample; expected raw signed 16-bit little-endian, "
                f"{self._channels} channel(s), {self._input_rate} Hz"
            )
        yield from cutter.push(converter.flush())
        yield from cutter.flush()

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def _warn_of_file(self, head: bytes) -> None:
        kind = FILE_MAGICS.get(head[:4])
        if kind is not None:
            log.warning(
                "source.looks_like_file source=%s: the input begins like a %s file but is read as raw s16le; "
                "use --input FILE, or ffmpeg -i FILE -f s16le -ac %d -ar %d -",
                self._name,
                kind,
                self._channels,
                self._input_rate,
            )
