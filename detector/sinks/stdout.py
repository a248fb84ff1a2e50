"""Events on standard output: aligned lines on a terminal, JSON lines in a pipe."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TextIO

from detector.config.sink_settings import SinkSettings
from detector.config.wording import show
from detector.errors import SinkClosed, SinkError
from detector.events.naming import shared_names
from detector.interfaces import Message, Sink
from detector.sinks.context import SinkContext
from detector.wire.message import EventBody
from detector.wire.plain_text import COLUMNS, event_line, sound_line

StdoutFormat = Literal["auto", "text", "json"]
"""`auto` is text on a terminal and JSON elsewhere."""

TerminalLines = Literal["completed", "end", "all"]
"""Text on a terminal: one line for each sound, which its end completes; the end's line alone; all lines."""

_ERASE = "\r" + COLUMNS * " " + "\r"
"""Back to the start of the line, and nothing is on it."""


@dataclass(frozen=True, slots=True)
class StdoutSettings(SinkSettings):
    """Standard output; it takes no `target`."""

    kind: ClassVar[str] = "stdout"
    forms: ClassVar[tuple[str, ...]] = ("stdout", "stdout:json")

    format: StdoutFormat = "auto"
    lines: TerminalLines = "completed"

    @classmethod
    def from_text(cls, target: str) -> StdoutSettings:
        """Read what follows `stdout:`, the format; it is checked like any other setting."""
        return cls(format=target or "auto")  # type: ignore[arg-type]

    def fault(self) -> tuple[str, str] | None:
        """Find a target."""
        return (
            ("target", f"stdout takes no target, got {show(self.target)}: delete it") if self.target else None
        )


def make_stdout_sink(settings: StdoutSettings, context: SinkContext) -> Sink:
    """Build the sink that writes to the process's own standard output."""
    return StdoutSink(
        sys.stdout,
        format=settings.format,
        lines="all" if context.verbose else settings.lines,
        updates=context.verbose,
        shared=lambda: shared_names(context.hello().labels),
    )


class StdoutSink:
    """Writes events only; every line is out when `write` returns."""

    name = "stdout"

    def __init__(
        self,
        stream: TextIO,
        *,
        format: str = "auto",
        lines: TerminalLines = "completed",
        updates: bool = False,
        environ: Mapping[str, str] | None = None,
        shared: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """`lines` is for text on a terminal; elsewhere all are written. `updates` are written as text too.

        NO_COLOR in `environ` turns colours off. `shared` gives the names that several labels have now: text
        then shows the model too.
        """
        terminal = stream.isatty()
        self._stream = stream
        self._terminal = terminal
        self._json = format == "json" or (format == "auto" and not terminal)
        self._updates = updates
        self._lines = lines if terminal else "all"
        self._open: EventBody | None = None  # whose line is not complete
        self._shared = shared
        self._colour = terminal and not (os.environ if environ is None else environ).get("NO_COLOR")
        # JSON is UTF-8 wherever it goes.
        self._encoding = "utf-8" if self._json else getattr(stream, "encoding", None) or "utf-8"
        self._descriptor: int | None = None

    def open(self) -> None:
        """Take the stream's file descriptor.

        Writing past Python's buffer leaves nothing behind that could fail, or hang, at exit.
        """
        try:
            self._stream.flush()
            # A Windows console wants its own encoding, which only the stream knows.
            self._descriptor = self._stream.fileno() if os.name == "posix" else None
        except io.UnsupportedOperation:  # a stream in memory
            self._descriptor = None
        except OSError as error:
            raise SinkError(f"standard output cannot be written: {error.strerror}") from error

    def takes(self, message: Message) -> bool:
        """Events; as text, updates only where they are wanted."""
        return isinstance(message.body, EventBody) and (
            self._json or self._updates or self._lines != "all" or message.kind != "update"
        )

    def write(self, message: Message) -> None:
        """Write an event's line; raises SinkClosed once nobody reads."""
        event = message.body
        if not isinstance(event, EventBody) or not self.takes(message):
            return
        if self._json:
            self._put(message.line)
        elif self._lines != "all":
            self._put(self._sound(event).encode(self._encoding, "replace"))
        else:
            line = event_line(event, colour=self._colour, shared=self._shared())
            self._put(f"{line}\n".encode(self._encoding, "replace"))

    def reopen(self) -> None:
        """Nothing to open again."""

    def close(self) -> None:
        """Leave an incomplete line; the stream stays open, it belongs to the program."""
        if self._open is not None:
            self._open = None
            self._put(b"\n")

    def _sound(self, event: EventBody) -> str:
        """What makes one line of each sound: the newest one that goes on is below those that have ended."""
        if event.kind == "end":
            if self._is_open(event):
                self._open = None
            return f"{_ERASE}{self._line(event)}\n{self._open_line()}"
        if self._lines == "completed" and (event.kind == "start" or self._is_open(event)):
            self._open = event
            return f"{_ERASE}{self._open_line()}"
        return ""

    def _is_open(self, event: EventBody) -> bool:
        return self._open is not None and self._open.id == event.id

    def _open_line(self) -> str:
        return "" if self._open is None else self._line(self._open)

    def _line(self, event: EventBody) -> str:
        return sound_line(event, colour=self._colour, shared=self._shared())

    def _put(self, line: bytes) -> None:
        try:
            if self._descriptor is None:
                self._stream.write(line.decode(self._encoding, "replace"))
                self._stream.flush()
            else:
                _write_all(self._descriptor, line)
        except OSError as error:
            if self._is_gone(error):
                raise SinkClosed("standard output was closed by its reader") from error
            raise SinkError(f"standard output cannot be written: {error.strerror}") from error

    def _is_gone(self, error: OSError) -> bool:
        if error.errno == errno.EIO:
            return self._terminal  # its window was closed: it is none any more
        # Windows reports a closed pipe as an invalid argument.
        return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)


def _write_all(descriptor: int, line: bytes) -> None:
    view = memoryview(line)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # another program on the same terminal made it non-blocking
            select.select([], [descriptor], [])
