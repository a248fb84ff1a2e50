"""The next block of any of several captures, for one worker that serves them all in turn."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

from detector.records import Block
from detector.service.capture import Capture, InlineCapture, SourceEnded, SourceFailure
from detector.service.turns import Turns


class Delivery(NamedTuple):
    """What one capture delivered; None is its end."""

    source: int
    """Which of the captures."""
    item: Block | SourceFailure | None


class Intake:
    """Waits for the captures and picks one that has something; each end is delivered once."""

    def __init__(self, captures: Sequence[Capture | InlineCapture]) -> None:
        self._captures = captures
        self._open = list(range(len(captures)))
        self._turns = Turns([isinstance(capture, InlineCapture) for capture in captures])
        self._arrived = threading.Event()
        self._turn: tuple[int, float] | None = None
        for capture in captures:
            capture.on_arrival(self._arrived.set)

    @property
    def open(self) -> Sequence[int]:
        """The captures that have not ended."""
        return self._open

    def next(self, timeout: float, now: float) -> Delivery | None:
        """Wait for the next delivery; None after `timeout` seconds.

        `now` is the time on a steady clock [s]: whose turn it was is charged for the time until then.
        """
        if self._turn is not None:
            source, since = self._turn
            self._turns.spent(source, now - since, now)
            self._turn = None
        self._arrived.clear()
        ready = self._ready()
        if not ready and self._arrived.wait(timeout):
            ready = self._ready()
        if not ready:
            return None
        source = self._turns.pick(ready)
        try:
            return Delivery(source, self._captures[source].get())
        except SourceEnded:
            self.leave(source)
            return Delivery(source, None)

    def begin_turn(self, source: int, now: float) -> None:
        """What is done from `now` [s] until the next call of `next` is done for this source."""
        self._turn = source, now

    def leave(self, source: int) -> None:
        """Expect nothing more of a source."""
        self._open.remove(source)

    def idle(self) -> list[int]:
        """The sources that have nothing to deliver now, though they have not ended."""
        return [source for source in self._open if not self._captures[source].is_ready]

    def _ready(self) -> list[int]:
        return [source for source in self._open if self._captures[source].is_ready]
