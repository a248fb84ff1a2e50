"""What the bottom line of a terminal shows while nothing is reported: that the program listens."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from detector.files.terminal import shortened
from detector.sinks.context import InputState
from detector.wire.message import EventBody
from detector.wire.plain_text import COLUMNS, label_text, level_bar

WITH_LEVEL = ("listening", "clipping")
"""States in which the level says something."""

UNITS = (("s", 60), ("min", 60), ("h", 48))
"""Units of time, each with how many of it are shown before the next larger one is used; days are the last."""


class StatusLine:
    """Level, gate, and the sound that was reported last."""

    def __init__(
        self, input_state: Callable[[], InputState], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`input_state` tells what the source is doing now; `clock` [s] never goes back."""
        self._input_state = input_state
        self._clock = clock
        self._last: tuple[EventBody, float] | None = None

    def note(self, event: EventBody) -> None:
        """Remember the newest message about a sound."""
        self._last = event, self._clock()

    def text(self, *, shared: Collection[str] = frozenset(), columns: int = COLUMNS) -> str:
        """Render the line in at most `columns`; labels of `shared` names come with their model."""
        now = self._input_state()
        parts = [level_bar(now.level_dbfs)] if now.state in WITH_LEVEL else []
        if now.state == "listening":
            parts.append("gate open  " if now.gate_is_open else "gate closed")
            parts += [now.detail] if now.detail else []
            parts.append(self._last_sound(shared, columns - sum(len(part) + 2 for part in parts)))
        else:
            parts.append(now.detail or now.state)
        return shortened("  ".join(parts), columns)

    def _last_sound(self, shared: Collection[str], columns: int) -> str:
        if self._last is None:
            return "no sound yet"
        event, moment = self._last
        label = label_text(event, shared)
        if event.kind != "end":
            return shortened(f"now: {label}", columns)
        ago = f", {duration_text(self._clock() - moment)} ago"
        return f"last: {shortened(label, columns - len(ago) - 6)}{ago}"


def duration_text(seconds: float) -> str:
    """`12 s`, `3 min`, `5 h`, `4 days`."""
    count = int(seconds)
    for unit, most in UNITS:
        if count < most:
            return f"{count} {unit}"
        count //= 60 if unit != "h" else 24
    return f"{count} days"
