"""What SIGHUP means: read the settings again, or, where the terminal was closed, end.

Imports little: it is used before anything else is loaded.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType


class Hangups:
    """Remembers a SIGHUP that comes before there is a daemon, and tells the two meanings apart."""

    def __init__(self) -> None:
        self._terminals = [number for number in (1, 2) if os.isatty(number)]
        self._before: signal.Handlers | Callable[..., object] | int | None = None
        self.came = False
        """Whether one came while this held them."""

    def hold(self) -> None:
        """From now on a SIGHUP does not end the program; one of a closed terminal does."""
        if hasattr(signal, "SIGHUP") and self._before is None:
            self._before = signal.signal(signal.SIGHUP, self._remember)

    def release(self) -> None:
        """A command that is no daemon: a SIGHUP ends it, also one that has come already."""
        if self._before is not None:
            signal.signal(signal.SIGHUP, self._before)
            self._before = None
            if self.came:
                signal.raise_signal(signal.SIGHUP)

    @property
    def terminal_closed(self) -> bool:
        """Whether the program wrote to a terminal whose window, or connection, was closed."""
        return bool(self._terminals) and not any(map(os.isatty, self._terminals))

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if self.terminal_closed:
            sys.exit(128 + number)


HANGUPS = Hangups()
"""The process's own."""
