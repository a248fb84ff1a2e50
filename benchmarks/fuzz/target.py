"""What a fuzzed input may do: be taken, or be refused in words. Anything else is a finding."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from detector.errors import DetectorError

Run = Callable[[bytes], None]
"""Feeds one input to the program; returns, or raises what the program raised."""


@dataclass(frozen=True, slots=True)
class Target:
    """One door that a stranger can knock at."""

    name: str
    share: int
    """Inputs of every 1000."""
    seeds: Callable[[], Sequence[bytes]]
    """Well-formed inputs to start from."""
    open: Callable[[Path], AbstractContextManager[Run]]
    """Make ready in an empty folder, and tidy up afterwards."""
    words: Sequence[bytes] = ()
    """What the format knows, for mutations to insert."""
    many_faults: bool = False
    """A refusal may have several lines, one for each fault; elsewhere it has one."""
    guided: bool = True
    """Whether coverage of the Python code can lead; it cannot see into native decoders and other threads."""


class Finding(Exception):
    """The program did what no input may make it do."""


class Judge:
    """Feeds inputs to one target and holds the program to its word, its log included."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._log = _LogWatch()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for logger in (logging.getLogger("detector"), logging.getLogger("asyncio")):
            self._stack.callback(setattr, logger, "propagate", logger.propagate)
            self._stack.callback(logger.removeHandler, self._log)
            logger.addHandler(self._log)
            logger.propagate = False
        self._run = self._stack.enter_context(self._target.open(self._folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __call__(self, data: bytes) -> bool:
        """Whether the input was accepted; raises Finding."""
        try:
            self._run(data)
        except DetectorError as error:
            self._check_words(str(error))
            accepted = False
        except Finding:
            raise
        except Exception as error:
            raise Finding(f"{type(error).__name__}: {_place(error)}: {error}"[:500]) from error
        else:
            accepted = True
        self._log.check()
        return accepted

    def _check_words(self, message: str) -> None:
        lines = message.split("\n")
        if len(lines) > 1 and not self._target.many_faults:
            raise Finding(f"a refusal of {len(lines)} lines: {message[:200]!r}")
        for line in lines:
            if not line.strip() or not line.isprintable():
                raise Finding(f"a refusal that no terminal can show: {line[:200]!r}")


class _LogWatch(logging.Handler):
    """Keeps the first log line that should not be: an exception's, or one that is not one printable line."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._found = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info or not text.isprintable():
            error = record.exc_info[1] if record.exc_info else None
            self._found = self._found or f"log line: {text!r} {error!r}"[:500]

    def check(self) -> None:
        found, self._found = self._found, ""
        if found:
            raise Finding(found)


def _place(error: BaseException) -> str:
    """The program's innermost line on the way to an exception."""
    place, trace = "?", error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if "detector" in path.parts:
            place = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
