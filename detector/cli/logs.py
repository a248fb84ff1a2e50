"""Log lines on standard error: plain text on a terminal, with priorities for the systemd journal."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from detector.files.terminal import CLEAR, can_rewrite, escape

JOURNAL_PRIORITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
"""Python's levels as syslog's, which the journal reads from `<N>` in front of a line."""

FIRST_LINES = 5
"""Lines about one thing that are written however quickly they come."""

REMIND_SECONDS = 60.0
"""After them, one line in this time."""

MOST_THINGS = 1000
"""Things remembered at once."""


def set_up_logging(verbose: int, *, quiet: bool) -> None:
    """Log to standard error: lifecycle lines, with -v details; the journal gets priorities."""
    handler = logging.StreamHandler()
    clear = CLEAR if can_rewrite(handler.stream, os.environ) else ""
    handler.setFormatter(_JournalFormatter() if "JOURNAL_STREAM" in os.environ else _TerminalFormatter(clear))
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("detector").setLevel(level)


def limit_repeated_lines() -> None:
    """From now on write about one thing once a minute, after the first few times."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(RepeatLimit())


class RepeatLimit(logging.Filter):
    """Lets `FIRST_LINES` lines about one thing pass, then one a minute, which says how many were left out.

    Lines are about one thing where their text before formatting and their first value are the same. What
    somebody asked for by a reload is always written.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._things: dict[tuple[str, str], _Thing] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write a line; called by logging."""
        text = str(record.msg)
        if text.startswith(("reload.", "daemon.reload")):
            return True
        first = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
        now = self._clock()
        if len(self._things) >= MOST_THINGS:
            self._things.clear()
        thing = self._things.setdefault((text, first), _Thing(FIRST_LINES, now))
        thing.room = min(float(FIRST_LINES), thing.room + (now - thing.seen) / REMIND_SECONDS)
        thing.seen = now
        if thing.room < 1:
            thing.left_out += 1
            return False
        thing.room -= 1
        if thing.left_out:
            record.msg, record.args = f"{record.getMessage()} ({thing.left_out} more like it)", ()
            thing.left_out = 0
        return True


@dataclass(slots=True)
class _Thing:
    room: float
    seen: float
    left_out: int = 0


class _TerminalFormatter(logging.Formatter):
    def __init__(self, clear: str) -> None:
        """`clear` removes a line that is written again, such as the status line, which then comes back."""
        super().__init__("sound-detector: %(message)s")
        self._clear = clear

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        return escape(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        line = self._clear + super().format(record)
        return line if record.levelno == logging.INFO else f"{line} ({record.levelname.lower()})"


class _JournalFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        return escape(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return f"<{JOURNAL_PRIORITY.get(record.levelname, 6)}>{super().format(record)}"
