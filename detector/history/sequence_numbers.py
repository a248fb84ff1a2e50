"""The numbers of events: they rise, and none is given twice, whatever happens to process, disk or clock.

While the file can be written, the next run continues after the newest event in it. Events that are sent
while it cannot be written leave no trace there, so numbers are *reserved* ahead: the file says below which
number all may have been used, and after a run that was killed the next one begins there. Where nothing could
be reserved, numbering jumps to the clock's milliseconds, above everything that is counted from 1.

A *generation* is what numbers may be compared in. It changes where nobody knows any more which numbers were
given: without a file, with a damaged one or with a copy.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

AHEAD = 100_000
"""Numbers reserved at once, and again when half are used: 14 hours without a disk, at an event a second."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """What numbers may be compared in, as subscribers are told."""

    generation: int
    """A random whole number."""
    seq: int = 0
    """Where numbering stood when the generation began."""

    @property
    def text(self) -> str:
        """The generation as on the wire: 12 hexadecimal digits."""
        return f"{self.generation:012x}"


class SequenceNumbers:
    """Gives numbers to the publishing thread and keeps their reservation with the writing one."""

    def __init__(self, *, utc: Callable[[], float] = time.time, ahead: int = AHEAD) -> None:
        self._utc = utc
        self.ahead = ahead
        self._lock = threading.Lock()
        self._last = 0
        self._reserved: int | None = None
        self._begun = False
        self.generation = new_generation()
        """Which numbering it is: a random whole number."""
        self.generation_seq = 0
        """Where numbering stood when the generation began: all its numbers are greater."""

    @property
    def last(self) -> int:
        """The newest number given, or where numbering stands before the first."""
        return self._last

    def take(self) -> int:
        """The next number; it jumps where a reservation is used up and could not be renewed."""
        with self._lock:
            if self._reserved is not None and self._last + 1 >= self._reserved:
                self._lift()
            self._last += 1
            return self._last

    def lose(self) -> None:
        """The file with the numbers of earlier runs is damaged: a run that has not begun yet jumps."""
        with self._lock:
            if not self._begun:
                self._jump()

    def meet(self, newest: int, reserved: int) -> None:
        """A file was opened: it holds events up to `newest`, and below `reserved` all may be used."""
        with self._lock:
            theirs = newest if reserved == self._reserved else max(newest, reserved - 1)
            self._last = max(self._last, theirs)

    def settle(self, saved: tuple[int | None, int | None] | None) -> None:
        """Go on in the generation of a file that was met; None for a copy, whose numbers may be used already.

        A run that has begun goes on in its own.
        """
        with self._lock:
            if self._begun:
                return
            if saved is None or saved[0] is None or saved[1] is None:
                self._renew()
            else:
                self.generation, self.generation_seq = saved[0], saved[1]

    def wanted(self) -> int | None:
        """What to reserve now: the number below which all may be used; None while there is enough."""
        with self._lock:
            if self._reserved is not None and self._reserved - self._last > self.ahead // 2:
                return None
            return self._last + 1 + self.ahead

    def grant(self, reserved: int) -> None:
        """The reservation is on the disk."""
        with self._lock:
            self._reserved = reserved

    def begin(self) -> None:
        """The run begins: its numbering jumps where nothing could be reserved."""
        with self._lock:
            if self._reserved is None:
                self._jump()
            self._begun = True

    def _jump(self) -> None:
        self._lift()
        self._renew()

    def _lift(self) -> None:
        self._last = max(self._last, int(self._utc() * 1000))
        self._reserved = None

    def _renew(self) -> None:
        self.generation, self.generation_seq = new_generation(), self._last


def new_generation() -> int:
    """Draw the id of a generation: 48 random bits."""
    return int.from_bytes(os.urandom(6), "big")
