"""A range of a file's bytes with corrections of its header: a file of its own to libsndfile."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

SMALL_BYTES = 64
"""So much behind the sound is no sound."""

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


class PartReader(io.RawIOBase):
    """A part as a file of its own, corrections included; as libsndfile wants it."""

    def __init__(self, path: Path, part: FilePart) -> None:
        self._file = path.open("rb", buffering=0)
        self._part = part
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of a file that holds nothing else."""
        length = len(self._part.prefix) + self._part.stop - self._part.start
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
        view = memoryview(buffer).cast("B")
        head = self._part.prefix[self._at : self._at + len(view)]
        view[: len(head)] = head
        view, at = view[len(head) :], max(0, self._at - len(self._part.prefix))
        self._file.seek(self._part.start + at)
        count = self._file.readinto(view[: max(0, self._part.stop - self._part.start - at)]) or 0
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
