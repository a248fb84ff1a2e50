"""What is asked of a place where recordings lie, and what goes wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from detector.errors import SourceError, UnsupportedFormat

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """Tells one version of a file from others."""

    size: int
    """Bytes."""
    modified: int = 0
    """When it was last written [ns since 1970]; 0 where that is not said."""
    version: str = ""
    """An ETag or checksum; empty where there is none."""

    def is_same(self, other: Stamp) -> bool:
        """Whether both are of one version; a listing may say more of it, or its time more exactly."""
        if self.size != other.size:
            return False
        if self.version and other.version:
            return self.version == other.version
        known = self.modified and other.modified
        return not known or abs(self.modified - other.modified) < SECOND_NS


class PlaceUnreachable(SourceError):
    """A place does not answer, or does not let this user in: its other recordings will fare no better."""


class NoAnswer(PlaceUnreachable):
    """A place does not answer at all, again and again."""


class Retryable(Exception):
    """It did not work this time; the text says why, `wait_seconds` how long the server wants to be left."""

    def __init__(self, reason: str, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class RangeReader(Protocol):
    """One file elsewhere.

    Both raise Retryable, PlaceUnreachable, or UnsupportedFormat where only this file is at fault.
    """

    def stamp(self) -> Stamp:
        """Ask which version of it is there now."""

    def read(self, start: int, stop: int, stamp: Stamp) -> bytes:
        """All bytes of a range of this version."""


def changed(name: object) -> UnsupportedFormat:
    """It is another version than was listed."""
    return UnsupportedFormat(f"{name} changed since it was listed; the same command reads it anew")
