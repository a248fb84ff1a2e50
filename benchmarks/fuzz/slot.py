"""What a fuzzing process and its watcher share: the figures so far and the input at hand.

It lies in a file mapped by both, so that it outlives a process that crashes in native code.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

_HEAD = struct.Struct("<QQQQdQ")
_SIZE = 1 << 21


class Progress(NamedTuple):
    """How far a process is."""

    tried: int = 0
    accepted: int = 0
    refused: int = 0
    found: int = 0
    slowest_ms: float = 0.0
    length: int = 0
    """Bytes of the input at hand."""


class Slot:
    """One process writes, the other reads."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)

    def read(self) -> Progress:
        """The figures so far."""
        return Progress._make(_HEAD.unpack_from(self._map))

    def write(self, progress: Progress) -> None:
        """Put the figures; the input stays."""
        _HEAD.pack_into(self._map, 0, *progress)

    def put_input(self, data: bytes) -> int:
        """Keep the input that is about to be tried; returns how many of its bytes fit."""
        kept = data[: _SIZE - _HEAD.size]
        self._map[_HEAD.size : _HEAD.size + len(kept)] = kept
        return len(kept)

    def input(self) -> bytes:
        """The input at hand."""
        return bytes(self._map[_HEAD.size : _HEAD.size + self.read().length])

    def close(self) -> None:
        """Unmap the file."""
        self._map.close()
