"""A file elsewhere as a file object: blocks that grow while it is read on, a few of them kept in memory.

libsndfile reads headers, looks at the end of some files, and then reads on. So a block is small where
reading begins anew, and each that follows the one before is twice as long, up to MOST_BYTES.
"""

from __future__ import annotations

import io
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from detector.remote.range_reader import NoAnswer, RangeReader, Retryable, Stamp

T = TypeVar("T")

FEWEST_BYTES = 64 * 1024
MOST_BYTES = 4 * 1024 * 1024
KEPT_BYTES = 12 * 1024 * 1024
"""Of blocks, in memory."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before another try."""


def patiently(
    work: Callable[[], T],
    name: object,
    *,
    pauses: tuple[float, ...] = PAUSES,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Try again after a growing pause, or the one that the server asks for; NoAnswer in the end."""
    for pause in pauses:
        try:
            return work()
        except Retryable as error:
            sleep(max(pause, error.wait_seconds))
    try:
        return work()
    except Retryable as error:
        raise NoAnswer(f"cannot read {name}: {error}") from error


class Blocks:
    """Ranges of one version of a file; each is asked for once while it is kept."""

    def __init__(
        self,
        reader: RangeReader,
        name: object,
        stamp: Stamp,
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._reader = reader
        self._name = name
        self._sleep = sleep
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        """Offset -> bytes, the ones used last at the end."""
        self.stamp = stamp

    def at(self, offset: int) -> memoryview:
        """The bytes from an offset on that one block holds: at least one, but for the file's end."""
        if offset >= self.stamp.size:
            return memoryview(b"")
        for start, block in self._kept.items():
            if start <= offset < start + len(block):
                self._kept.move_to_end(start)
                return memoryview(block)[offset - start :]
        return memoryview(self._fetch(offset))

    def _fetch(self, offset: int) -> bytes:
        before = next((len(b) for start, b in self._kept.items() if start + len(b) == offset), 0)
        length = min(max(2 * before, FEWEST_BYTES), MOST_BYTES)
        stop = min([self.stamp.size, offset + length, *(start for start in self._kept if start > offset)])
        block = patiently(lambda: self._reader.read(offset, stop, self.stamp), self._name, sleep=self._sleep)
        while self._kept and sum(map(len, self._kept.values())) + len(block) > KEPT_BYTES:
            self._kept.popitem(last=False)
        self._kept[offset] = block
        return block


class BlockFile(io.RawIOBase):
    """A file object for reading, above blocks that others may share."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._blocks.stamp.size}
        self._at = max(0, base[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (whatever gives its memory away)
        """Fill the buffer, across blocks where need be; fewer bytes only at the end."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view):
            found = self._blocks.at(self._at)[: len(view) - done]
            if not found:
                break
            view[done : done + len(found)] = found
            done += len(found)
            self._at += len(found)
        return done
