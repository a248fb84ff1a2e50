"""Raw samples on a pipe as a source: `arecord ... | sound-detector --input -`.

Format: signed 16-bit little-endian, channels interleaved, no header.

A pipe that runs at the speed of sound is dated by arrival, as a microphone is: a pause of whoever writes, the
drift of its sound card and a clock that is set do not stay in the times. What is faster is a recording, whose
times count from its first sample. If its writer pauses until the clock has caught up, the next sample is
dated by arrival.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from detector.errors import UnsupportedFormat
from detector.records import Block
from detector.sources.conversion import Converter
from detector.sources.cutting import Cutter

log = logging.getLogger(__name__)

BYTES_PER_SAMPLE = 2

FILE_MAGICS = {
    (0, b"RIFF"): "WAV",
    (0, b"RF64"): "WAV",
    (0, b"fLaC"): "FLAC",
    (0, b"OggS"): "OGG",
    (0, b"ID3"): "MP3",
    (0, b"\xff\xfb"): "MP3",
    (0, b"\xff\xf3"): "MP3",
    (0, b"FORM"): "AIFF",
    (0, b".snd"): "AU",
    (0, b"caff"): "CAF",
    (0, b"riff"): "W64",
    (0, b"\xff\xf1"): "AAC",
    (0, b"\xff\xfd"): "MP2",
    (0, b"\x0bw"): "AC-3",
    (0, b"#!AMR"): "AMR",
    (0, b"wvpk"): "WavPack",
    (0, b"0&\xb2u"): "WMA",
    (0, b"\x1aE\xdf\xa3"): "Matroska or WebM",
    (4, b"ftyp"): "MP4 or M4A",
}
"""Offset and bytes there of files that people pipe in by mistake."""

HEAD_BYTES = 12
"""What FILE_MAGICS looks at."""

PROOF_SECONDS = 3.0
"""For this long a pipe shows that it runs at the speed of sound; being ahead by so much disproves it."""

PAUSE_SECONDS = 0.5
"""Who waits so long for the next samples, and has no more than have passed on the clock, sees a pause."""

LEAK = 0.001
"""Share by which a sound card may be too fast without being taken for a recording in the end."""


class ByteStream(Protocol):
    """What is used of a binary file."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""

    def close(self) -> None:
        """Close it."""


class Pipe:
    """Read raw s16le from a binary stream until it ends."""

    def __init__(
        self,
        *,
        stream: ByteStream,
        sample_rate: int,
        input_rate: int,
        channels: int = 1,
        block_length: int,
        name: str | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._sample_rate = sample_rate
        self._input_rate = input_rate
        self._channels = channels
        self._block_length = block_length
        self._name = name or "stdin"
        self._clock = clock
        self._monotonic = monotonic
        self._pace = Pace()

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
        held, head, began, fault = b"", b"", False, ""
        asked = self._monotonic()
        while data := self._stream.read(wanted):
            now = self._monotonic()
            waited, asked = now - asked, now
            held += data
            if len(head) < HEAD_BYTES:
                head = (head + data)[:HEAD_BYTES]
                if len(head) == HEAD_BYTES:
                    self._warn_of_file(head)
            whole = len(held) - len(held) % frame_bytes
            if whole == 0:
                continue
            began = True
            samples = np.frombuffer(held[:whole], dtype="<i2").reshape(-1, self._channels)
            held = held[whole:]
            converted = converter.push(samples.astype(np.int16, copy=False))
            arrived = None
            if self._pace.is_dated(len(samples) / self._input_rate, now, waited):
                arrived = self._clock() - converter.held_seconds
            if converter.channel_fault != fault:
                fault = converter.channel_fault
                log.warning("source.channels source=%s: %s", self._name, fault)
            yield from cutter.push(converted, arrived)
            asked = self._monotonic()
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
        kind = next((k for (at, magic), k in FILE_MAGICS.items() if head[at:].startswith(magic)), None)
        if kind is not None:
            log.warning(
                "source.looks_like_file source=%s: the input begins like a %s file but is read as raw s16le; "
                "use --input FILE, or ffmpeg -i FILE -f s16le -ac %d -ar %d -",
                self._name,
                kind,
                self._channels,
                self._input_rate,
            )


class Pace:
    """Whether samples are dated by arrival: of a stream as fast as sound, and the first behind a pause."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._now = 0.0
        self._ahead = 0.0  # of the clock, since it began [s]
        self._faster = False
        self._as_sound = False

    def is_dated(self, seconds: float, now: float, waited: float) -> bool:
        """Count these seconds of sound, for which the reader waited, until `now` [s on a steady clock].

        False also in the first PROOF_SECONDS, in which the speed cannot be known. A pause ends what is known
        of a stream that is not as fast as sound; waiting for a slow reader is none.
        """
        if self._began is None:
            self._began = self._now = now
        self._ahead -= (now - self._now) * (1 + LEAK)
        self._now = now
        if not self._as_sound and waited >= PAUSE_SECONDS and self._ahead < 0:
            self._began, self._ahead, self._faster = now, seconds, False
            return True
        self._ahead += seconds
        self._faster = self._faster or self._ahead > PROOF_SECONDS
        self._as_sound = not self._faster and now - self._began >= PROOF_SECONDS
        return self._as_sound
