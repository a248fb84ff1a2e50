"""How listening goes, on standard error: time left, a level meter, and lines above them."""

from __future__ import annotations

from typing import TextIO

from detector.wire.plain_text import level_bar
from detector.workers.progress import ProgressBar


def clock(seconds: float) -> str:
    """`2:05`, `1:02:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class RoomBar:
    """Shows time done, time left and the level, on a terminal only; lines are written anywhere."""

    def __init__(self, seconds: float | None, *, quiet: bool, out: TextIO) -> None:
        form = "{desc}"
        if seconds is not None:
            form = "{percentage:3.0f} % |{bar}| {elapsed}, {remaining} left  {desc}"
        self._quiet = quiet
        self._total = seconds
        self._bar = ProgressBar(seconds, form, quiet=quiet, out=out)

    def show(self, seconds: float, dbfs: float) -> None:
        """So many seconds were recorded, and this is the level now."""
        if not self._bar.is_shown:
            return
        recorded = "" if self._total is not None else f"{clock(seconds)} heard  "
        self._bar.show(min(seconds, self._total or seconds), what=recorded + level_bar(dbfs))

    def say(self, line: str) -> None:
        """Write a line above the bar."""
        if not self._quiet:
            self._bar.say(line)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.close()
