"""A stream as a source: RTSP, HTTP, HLS, Icecast, through ffmpeg as a child process.

The address may hold a password, so it is on no command line: ffmpeg gets it on its standard input, as a list
of one item. Its messages go into logs and events without any address.

Sound is dated by its arrival. A server sends in bursts (a web radio at the start, HLS for every segment), and
what is sent in a burst was played before: the sample that came soonest after it was played tells when the
others were.

`blocks()` may be called again after DeviceLost: numbers go on where they were, plus the time away.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

import numpy as np

from detector.errors import DetectorError, DeviceLost, SourceError
from detector.records import Block
from detector.sources.conversion import Converter
from detector.sources.cutting import Cutter
from detector.sources.ffmpeg import AU_HEAD_BYTES, HOW_TO_INSTALL, READ_BYTES, read_au_head
from detector.sources.ffmpeg_stream import FfmpegStream, complaint
from detector.sources.sndfile import Undecodable

CONNECT_SECONDS = 20.0
"""A server that sends no sound for so long after it was asked is given up."""

STALL_SECONDS = 10.0
"""The same for one that has sent sound before; HLS sends a segment every few seconds."""

ARRIVAL_SECONDS = 15.0
"""Half of the time in which one sample will have arrived without delay."""

AHEAD_SECONDS = 60.0
"""A stream may be so far ahead of the clock, as HLS is at the start; a file of a web server is held back."""

HOLD_SECONDS = 0.1
"""How soon an interruption is noticed while a stream is held back."""

GATHERED = 0.9
"""How much of the time in which a block is completed passes before ffmpeg is asked again: a packet of sound
comes every 20 ms, and to look at each takes more time than to convert it."""


class NetworkStream:
    """Read one stream through ffmpeg, at its own rate, converted here like any other sound."""

    def __init__(
        self,
        *,
        address: Callable[[], str],
        sample_rate: int,
        block_length: int,
        name: str,
        program: str = "ffmpeg",
        stall_seconds: float = STALL_SECONDS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`address` is asked for the URL at each connection, and may raise DetectorError.

        SourceError where there is no ffmpeg.
        """
        found = shutil.which(program)
        if found is None:
            raise SourceError(f"the stream {name} needs {program}, which is not installed: {HOW_TO_INSTALL}")
        self._program = found
        self._address = address
        self._sample_rate = sample_rate
        self._block_length = block_length
        self._name = name
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._is_interrupted = False
        self._child: FfmpegStream | None = None
        self._next = 0
        self._last_read: float | None = None

    @property
    def name(self) -> str:
        """The given name; never the address."""
        return self._name

    @property
    def live(self) -> bool:
        """True."""
        return True

    @property
    def immediate(self) -> bool:
        """False: sound takes its time."""
        return False

    def blocks(self) -> Iterator[Block]:
        """Connect and yield blocks; raises DeviceLost where the stream cannot be had, stalls or ends."""
        try:
            address = self._address()
        except DetectorError as error:
            raise DeviceLost(str(error)) from error
        child = self._child = FfmpegStream(self._program, address)
        try:
            yield from self._read(child)
            child.drain()
        except Undecodable as error:
            raise DeviceLost(f"the stream cannot be decoded: {error}") from error
        except TimeoutError as error:
            raise DeviceLost(f"the stream has delivered nothing for {error} s") from error
        finally:
            self.close()
        what = "has ended" if child.has_delivered else "cannot be had"
        reason = complaint(child.messages)
        raise DeviceLost(f"the stream {what}{reason and f': {reason}'}")

    def interrupt(self) -> None:
        """End ffmpeg, so that whoever reads does not wait; any thread may call it."""
        self._is_interrupted = True
        child = self._child
        if child is not None:
            child.kill()

    def close(self) -> None:
        """End ffmpeg and release it."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _read(self, child: FfmpegStream) -> Iterator[Block]:
        head = child.read_all(AU_HEAD_BYTES, CONNECT_SECONDS)
        if len(head) < AU_HEAD_BYTES:
            return
        form = read_au_head(head)
        child.read_all(form.skipped, CONNECT_SECONDS)
        rate = self._sample_rate
        converter = Converter(input_rate=form.rate, output_rate=rate, channels=form.channels)
        cutter = Cutter(block_length=self._block_length, sample_rate=rate, start=self._resume())
        arrivals, held, frame_bytes = Arrivals(), b"", 2 * form.channels
        began, first = self._monotonic(), cutter.next
        while data := child.read(READ_BYTES, self._stall_seconds):
            now = self._monotonic()
            held += data
            whole = len(held) - len(held) % frame_bytes
            samples = np.frombuffer(held[:whole], ">i2").astype(np.int16).reshape(-1, form.channels)
            held = held[whole:]
            converted = converter.push(samples)
            stop = (cutter.next + len(converted)) / rate
            zero = arrivals.zero(self._clock() - converter.held_seconds, now, stop)
            blocks = cutter.push(converted, zero + stop)
            self._next, self._last_read = cutter.next, now
            yield from blocks
            self._hold_back((cutter.next - first) / rate - (now - began) - AHEAD_SECONDS)
            if len(data) < READ_BYTES // 2:  # nothing more waits
                self._sleep(min(HOLD_SECONDS, GATHERED * cutter.missing / rate))
        yield from cutter.push(converter.flush())
        yield from cutter.flush()
        self._next = cutter.next
        # A file of a web server comes at once: without a pause it would be heard again and again all day.
        self._hold_back((self._next - first) / rate - (self._monotonic() - began))

    def _hold_back(self, seconds: float) -> None:
        """Let the clock catch up with a stream that is ahead of it."""
        end = self._monotonic() + seconds
        while not self._is_interrupted and (left := end - self._monotonic()) > 0:
            self._sleep(min(HOLD_SECONDS, left))

    def _resume(self) -> int:
        """Index of the next sample: after the last one, plus the time without a connection."""
        if self._last_read is None:
            return self._next
        return self._next + max(0, round((self._monotonic() - self._last_read) * self._sample_rate))


class Arrivals:
    """When a stream's first sample was played, by those of the last half minute that came soonest."""

    def __init__(self) -> None:
        self._soonest = [float("inf")] * 2  # of this stretch of time, and of the one before
        self._began = 0.0

    def zero(self, clock: float, now: float, stop_seconds: float) -> float:
        """UTC seconds of the first sample; what ends at `stop_seconds` arrives at `clock` [UTC s].

        `now` is the same moment on a steady clock [s].
        """
        if now - self._began > ARRIVAL_SECONDS:
            self._soonest = [float("inf"), self._soonest[0]]
            self._began = now
        self._soonest[0] = min(self._soonest[0], clock - stop_seconds)
        return min(self._soonest)
