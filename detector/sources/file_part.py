"""A range of a file's bytes with corrections of its header: a file of its own to libsndfile."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from detector.errors import DetectorError
from detector.sources.sound_place import Place

SMALL_BYTES = 64
"""So much behind the sound is no sound."""

SEARCHED_BYTES = 1 << 15
"""Looked through at a time for a mark, while a part is read."""

MOST_CHUNKS = 64
"""Pieces of one kind to look at before giving up: a damaged file may pretend to have millions."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A range of a file's bytes that libsndfile reads as a file of its own."""

    start: int
    stop: int
    corrections: Mapping[int, bytes] = field(default_factory=dict)
    """Offset from `start` -> the bytes to read there instead."""
    claimed_frames: int | None = None
    """What the header says, where a correction hides it from libsndfile; 0: it does not say."""
    claimed_share: float = 1.0
    """The share of the sound of which the header speaks, by its size in bytes."""
    length_known: bool = True
    """False where libsndfile can only estimate the number of samples."""
    prefix: bytes = b""
    """What libsndfile is given in front of them; nothing here counts it."""
    mark: bytes = b""
    """Where it is known only while it is read: with these bytes the next part begins, before `stop`."""
    mark_from: int = 0
    """Offset in the file from which on they are looked for."""


class PartReader(io.RawIOBase):
    """A part as a file of its own, corrections included; as libsndfile wants it."""

    def __init__(self, path: Place, part: FilePart) -> None:
        self._file = path.open("rb", buffering=0)
        self._part = part
        self._at = 0
        self._searched = part.mark_from
        self.stop = part.stop
        """Where it ends, as far as that is known by now."""
        self.failure: OSError | DetectorError | None = None
        """Why reading failed; libsndfile knows no such thing, and takes it for the end."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of a file that holds nothing else."""
        length = len(self._part.prefix) + self.stop - self._part.start
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: length}
        self._at = max(0, base[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (whatever gives its memory away)
        """Fill the buffer as far as there are bytes; return how many."""
        try:
            return self._read_into(memoryview(buffer).cast("B"))
        except (OSError, DetectorError) as error:
            self.failure = error
            return 0

    def find_stop(self) -> int:
        """Where it ends, also where it was not read to its end; raises OSError, DetectorError."""
        self._search(self.stop)
        return self.stop

    def _search(self, until: int) -> None:
        """Look for the mark up to an offset of the file, in pieces that are read soon."""
        mark = self._part.mark
        while mark and self._searched < min(until, self.stop):
            data = bytes_at(self._file, self._searched, SEARCHED_BYTES + len(mark) - 1)
            if (index := data.find(mark)) >= 0:
                self.stop = min(self.stop, self._searched + index)
            self._searched += SEARCHED_BYTES

    def _read_into(self, view: memoryview) -> int:
        head = self._part.prefix[self._at : self._at + len(view)]
        view[: len(head)] = head
        view, at = view[len(head) :], max(0, self._at - len(self._part.prefix))
        if self._part.start + at <= self._searched:  # not where it looks at the file's end
            self._search(self._part.start + at + len(view))
        self._file.seek(self._part.start + at)
        count = self._file.readinto(view[: max(0, self.stop - self._part.start - at)]) or 0  # type: ignore[attr-defined]
        for offset, new in self._part.corrections.items():
            first, last = max(offset - at, 0), min(offset + len(new) - at, count)
            if first < last:
                view[first:last] = new[first + at - offset : last + at - offset]
        self._at += len(head) + count
        return len(head) + count

    def close(self) -> None:
        """Release the file."""
        self._file.close()
        super().close()


def bytes_at(file: BinaryIO, at: int, count: int) -> bytes:
    """Up to so many bytes from an offset on."""
    file.seek(at)
    return file.read(count)
