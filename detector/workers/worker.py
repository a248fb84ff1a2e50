"""What runs in a worker process: it takes tasks from a pipe and sends their outcomes back."""

from __future__ import annotations

import contextlib
import logging
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Generic, Protocol, TypeVar

from detector.errors import DetectorError

Task_contra = TypeVar("Task_contra", contravariant=True)
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Began:
    """A worker has what it needs, and begins with a task."""


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """How far one task is."""

    share: float
    """0..1; 0 where that is not known."""
    seconds: float
    """Length of the sound processed so far."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A line for the log."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing has come of a task for so long: perhaps it hangs, perhaps it goes on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A task could not be done."""

    reason: str
    trace: str = ""
    """The traceback, where it is a bug."""
    error: type[DetectorError] = field(default=DetectorError, compare=False)
    """What kind of failure it is."""


@dataclass(frozen=True, slots=True)
class Ended(Generic[Result]):
    """A task is done."""

    result: Result


class Work(Protocol[Task_contra, Result_co]):
    """Does one task; raises DetectorError where it cannot be done."""

    def __call__(self, task: Task_contra, tell: Callable[[float, float], None], /) -> Result_co:
        """`tell` is called with the share done (0..1) and the seconds of sound processed."""


def serve(pipe: Connection, make: Callable[[], Work[Any, Any]]) -> None:
    """Do tasks until the pipe is closed from the other end."""
    # Ctrl-C goes to all processes of the terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, handlers=[_PipeHandler(pipe)])
    with contextlib.suppress(EOFError, OSError):
        try:
            work = make()
        except DetectorError as error:
            pipe.send(error)
            return
        while True:
            task = pipe.recv()
            pipe.send(Began())
            pipe.send(outcome(work, task, lambda share, seconds: pipe.send(TaskProgress(share, seconds))))


def outcome(work: Work[Any, Any], task: object, tell: Callable[[float, float], None]) -> Failed | Ended[Any]:
    """Do a task, and return what became of it, whatever that is."""
    try:
        return Ended(work(task, tell))
    except DetectorError as error:
        return Failed(str(error), error=type(error))
    except Exception as error:  # a bug that one recording triggers must not cost the others
        return Failed(f"{type(error).__name__}: {error}", traceback.format_exc())


class _PipeHandler(logging.Handler):
    """Sends log lines where the progress bar is, which knows how to write beside itself."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            self._pipe.send(Logged(record.levelno, record.getMessage()))
