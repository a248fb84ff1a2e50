"""Where a recording is: a file of this machine, or one elsewhere that is read in ranges of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias


class SoundPlace(Protocol):
    """A recording elsewhere. All of it raises DetectorError, with the reason in one line."""

    @property
    def name(self) -> str:
        """As a file's name."""

    @property
    def suffix(self) -> str:
        """The ending of the name, with the dot."""

    def check(self) -> None:
        """Raise where there is nothing to be read."""

    def check_unchanged(self) -> None:
        """Raise where the bytes that were read may not be of one version."""

    def open(self, mode: str = "rb", buffering: int = -1) -> BinaryIO:
        """Open it for reading."""

    def local_copy(self) -> Path:
        """The same bytes in a file of this machine, which is somebody else's to remove."""


Place: TypeAlias = Path | SoundPlace
"""Shown as text it names a recording."""


def local_path(place: Place) -> Path:
    """A path for programs that open files themselves; raises DetectorError."""
    return place if isinstance(place, Path) else place.local_copy()
