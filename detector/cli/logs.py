"""Log lines on standard error: plain text on a terminal, with priorities for the systemd journal."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from detector.files.terminal import CLEAR, can_rewrite, escape

JOURNAL_PRIORITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
"""Python's levels as syslog's, which the journal reads from `<N>` in front of a line."""

REPEAT_SECONDS = 60.0
"""About one thing, one line in this time."""

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
    """From now on `set_up_logging`'s handler writes about one thing at most once a minute."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _JournalFormatter | _TerminalFormatter):
            handler.addFilter(RepeatLimit(partial(_write, handler)))


def _write(handler: logging.Handler, record: logging.LogRecord) -> None:
    """Write a line past the handler's filters."""
    handler.acquire()
    try:
        handler.emit(record)
    finally:
        handler.release()


def _call_later(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


class RepeatLimit(logging.Filter):
    """Lets one line about one thing pass in `REPEAT_SECONDS`; those that come sooner are held back.

    When their time is over the newest of them is written, so that the last word about a thing is always said,
    with the number of the others. Lines are about one thing where their text before formatting and its first
    value, unless that is a number, are the same; where the text begins with a value, the second one counts
    too. What somebody asked for, by a reload or by -v, is always written.
    """

    def __init__(
        self,
        write: Callable[[logging.LogRecord], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] = _call_later,
    ) -> None:
        """`write` takes lines that were held back; `later` calls what it is given after so many seconds."""
        super().__init__()
        self._write = write
        self._clock = clock
        self._later = later
        self._lock = threading.Lock()
        self._things: dict[tuple[str, ...], _Thing] = {}
        self._is_waiting = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write a line now; called by logging."""
        text = str(record.msg)
        if record.levelno <= logging.DEBUG or text.startswith(("reload.", "daemon.reload")):
            return True
        with self._lock:
            now = self._clock()
            key = _thing_of(text, record.args)
            if key not in self._things and len(self._things) >= MOST_THINGS:
                self._things.clear()
            thing = self._things.setdefault(key, _Thing())
            if thing.quiet_until <= now:
                thing.let_pass(record, now)
                return True
            thing.left_out += thing.held is not None
            thing.held = record
            self._wait(now)
        return False

    def _wait(self, now: float) -> None:
        """See to it that what is held back is written in time; under the lock."""
        ends = [thing.quiet_until for thing in self._things.values() if thing.held is not None]
        if ends and not self._is_waiting:
            self._is_waiting = True
            self._later(max(0.0, min(ends) - now), self._write_held)

    def _write_held(self) -> None:
        """Write what was held back for long enough."""
        with self._lock:
            now, due = self._clock(), []
            for thing in self._things.values():
                if thing.held is not None and thing.quiet_until <= now:
                    due.append(thing.held)
                    thing.let_pass(thing.held, now)
            self._is_waiting = False
            self._wait(now)
        for record in due:
            self._write(record)


def _thing_of(text: str, args: object) -> tuple[str, ...]:
    values = args if isinstance(args, tuple) else ()
    told = values[: 2 if text.startswith("%s") else 1]
    return (text, *(str(value) for value in told if not isinstance(value, int | float)))


@dataclass(slots=True)
class _Thing:
    """What lines are about."""

    quiet_until: float = float("-inf")
    held: logging.LogRecord | None = None
    """The newest line that was held back."""
    left_out: int = 0
    """Others that were."""

    def let_pass(self, record: logging.LogRecord, now: float) -> None:
        """Account for a line that is written, and let it say what was left out."""
        left_out = self.left_out + (self.held is not None and self.held is not record)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like it)", ()
        self.quiet_until, self.held, self.left_out = now + REPEAT_SECONDS, None, 0


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
