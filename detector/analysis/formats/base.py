"""What a format of text has to give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar

from detector.analysis.sounds import Sound
from detector.interfaces import Message


class Format(ABC):
    """Lines of one recording's events; what a format has no use for is an empty text.

    `source` is the recording's path, `timed` whether the time at which it began is known, `shared` the
    names that several labels have.
    """

    ending: ClassVar[str]
    """Of the file, after the recording's name: `.csv`."""
    names_source: ClassVar[bool] = True
    """Whether lines say which recording they are of, so that those of several can follow each other."""
    header: ClassVar[str] = ""
    """What comes first, once."""

    def __init__(self, source: str, *, timed: bool, shared: Collection[str] = frozenset()) -> None:
        self.source = source
        self.timed = timed
        self.shared = shared

    def event(self, message: Message) -> str:
        """A start, update or end, in the order in which they were decided."""
        return ""

    @abstractmethod
    def sound(self, sound: Sound) -> str:
        """A sound that is over, in the order of onsets."""


def single_line(text: str) -> str:
    """Without what would break a line or a column of it."""
    return " ".join(text.split())
