"""Where the event socket hands in what somebody wants of the daemon, and whom it obeys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from detector.errors import SinkError
from detector.wire.live_bodies import ControlBody
from detector.wire.request import ControlLine

TakeControl = Callable[[ControlLine, Callable[[ControlBody], None]], None]
"""Does what a line asks for and answers, on whatever thread and once it is done."""


@dataclass(frozen=True, slots=True)
class ControlDesk:
    """What one socket does with such a line."""

    take: TakeControl | None
    """None where there is nothing to control."""
    is_open: bool
    """Whether whoever connects to this socket may pause the daemon and have it read its settings again."""

    def hand_in(self, line: ControlLine, answer: Callable[[ControlBody], None]) -> None:
        """Have it done; `answer` is called once, on any thread. Raises SinkError."""
        if not self.is_open:
            raise SinkError("this socket takes none; `control: true` would take that of whoever connects")
        if self.take is None:
            raise SinkError("this program has nothing to control yet")
        self.take(line, answer)


NO_CONTROL = ControlDesk(None, is_open=False)
"""Obeys nobody."""
