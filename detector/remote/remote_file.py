"""A recording that lies elsewhere: as it is listed, and as it is read."""

from __future__ import annotations

import io
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from detector.errors import UnsupportedFormat
from detector.remote.blocks import BlockFile, Blocks, patiently
from detector.remote.http_ranges import HttpRanges
from detector.remote.range_reader import PlaceUnreachable, RangeReader, Stamp, changed
from detector.remote.remote_address import RemoteAddress
from detector.remote.store_ranges import StoreRanges

MOST_COPIED_BYTES = 2_000_000_000
"""What needs ffmpeg is copied to this machine first, up to this size: ffmpeg reaches no network."""


@dataclass(frozen=True, slots=True)
class RemotePath:
    """A recording elsewhere, and which version of it was listed. Its own text shows no secret."""

    address: RemoteAddress
    stamp: Stamp | None = None
    """None where it could not be had."""
    fault: str = ""
    """Why it could not be had."""
    is_unreachable: bool = False
    """Whether the reason lies with its place, of which nothing else will be had either."""

    @property
    def name(self) -> str:
        """Without what is before it."""
        return self.address.name

    def __str__(self) -> str:
        return str(self.address)


def reader_of(address: RemoteAddress) -> RangeReader:
    """What reads there."""
    return HttpRanges(address) if address.is_web else StoreRanges(address)


class RemoteFile:
    """Fills `sources.sound_place.SoundPlace`; whoever makes one closes it.

    Raises SourceError where its place does not answer, or this version of it is not there any more.
    """

    def __init__(
        self,
        path: RemotePath,
        *,
        reader: RangeReader | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._path = path
        self._reader = reader or reader_of(path.address)
        self._sleep = sleep
        self._blocks: Blocks | None = None
        self._copy: Path | None = None

    @property
    def name(self) -> str:
        """Without what is before it."""
        return self._path.name

    @property
    def suffix(self) -> str:
        """Its ending, with the dot."""
        return Path(self._path.name).suffix

    def __str__(self) -> str:
        return str(self._path)

    def check(self) -> None:
        """Raise UnsupportedFormat where there is nothing to be read."""
        if self._stamp().size == 0:
            raise UnsupportedFormat(f"{self} is empty (0 bytes); expected a sound file")

    def _stamp(self) -> Stamp:
        if self._path.stamp is None:
            kind = PlaceUnreachable if self._path.is_unreachable else UnsupportedFormat
            raise kind(self._path.fault)
        return self._path.stamp

    def check_unchanged(self) -> None:
        """Raise UnsupportedFormat where another version is there now than the one that was read."""
        now = patiently(self._reader.stamp, self, sleep=self._sleep)
        if not now.is_same(self._stamp()):
            raise changed(self)

    def open(self, mode: str = "rb", buffering: int = -1) -> BinaryIO:
        """Open it for reading; all that are open share their blocks."""
        self.check()
        if self._blocks is None:
            self._blocks = Blocks(self._reader, self, self._stamp(), sleep=self._sleep)
        raw = BlockFile(self._blocks)
        return raw if buffering == 0 else io.BufferedReader(raw)  # type: ignore[return-value]

    def local_copy(self) -> Path:
        """A file of this machine with the same bytes, until this is closed; raises UnsupportedFormat."""
        if self._copy is not None:
            return self._copy
        size = self._stamp().size
        if size > MOST_COPIED_BYTES:
            raise UnsupportedFormat(
                f"cannot read {self}: what needs ffmpeg is copied first, which is done up to "
                f"{MOST_COPIED_BYTES / 1e9:.0f} GB, and this has {size / 1e9:.1f}; download it yourself"
            )
        try:
            with tempfile.NamedTemporaryFile(
                prefix="sound-detector-", suffix=self.suffix, delete=False
            ) as copy:
                self._copy = Path(copy.name)
                with self.open() as file:
                    shutil.copyfileobj(file, copy, 1 << 20)
        except OSError as error:
            raise UnsupportedFormat(
                f"cannot copy {self} to {tempfile.gettempdir()}: {error.strerror}"
            ) from error
        return self._copy

    def close(self) -> None:
        """Forget what is kept in memory, and remove the copy."""
        self._blocks = None
        if self._copy is not None:
            self._copy.unlink(missing_ok=True)
            self._copy = None
