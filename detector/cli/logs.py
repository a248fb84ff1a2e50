"""Log lines on standard error: plain text on a terminal, with priorities for the systemd journal."""

from __future__ import annotations

import logging
import os

from detector.files.terminal import escape

JOURNAL_PRIORITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
"""Python's levels as syslog's, which the journal reads from `<N>` in front of a line."""


def set_up_logging(verbose: int, *, quiet: bool) -> None:
    """Log to standard error: lifecycle lines, with -v details; the journal gets priorities."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JournalFormatter() if "JOURNAL_STREAM" in os.environ else _TerminalFormatter())
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("detector").setLevel(level)


class _TerminalFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("sound-detector: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        return escape(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return line if record.levelno == logging.INFO else f"{line} ({record.levelname.lower()})"


class _JournalFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        return escape(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return f"<{JOURNAL_PRIORITY.get(record.levelname, 6)}>{super().format(record)}"
