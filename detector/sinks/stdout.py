"""Events on standard output: aligned lines on a terminal, JSON lines in a pipe.

On a terminal the last line is written again and again: the sound that goes on, or else the status line.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal, TextIO

from detector.config.sink_settings import SinkSettings
from detector.config.wording import show
from detector.errors import SinkClosed, SinkError
from detector.events.naming import shared_names
from detector.files.terminal import can_rewrite, cells, clear_rows, columns_of, escape_data, in_foreground
from detector.interfaces import Message, Sink
from detector.sinks.context import SinkContext
from detector.sinks.status_line import StatusLine
from detector.wire.message import EventBody
from detector.wire.plain_text import COLUMNS, DIM, RESET, event_line, sound_line

StdoutFormat = Literal["auto", "text", "json"]
"""`auto` is text on a terminal and JSON elsewhere."""

TerminalLines = Literal["completed", "end", "all"]
"""Text on a terminal: one line for each sound, which its end completes; the end's line alone; all lines."""

REFRESH_SECONDS = 0.25
"""How old a level on the terminal may be."""


@dataclass(frozen=True, slots=True)
class StdoutSettings(SinkSettings):
    """Standard output; it takes no `target`."""

    kind: ClassVar[str] = "stdout"
    forms: ClassVar[tuple[str, ...]] = ("stdout", "stdout:json")

    format: StdoutFormat = "auto"
    lines: TerminalLines = "completed"
    status_line: bool = True

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
    is_shown = settings.status_line and context.input_state is not None
    return StdoutSink(
        sys.stdout,
        format=settings.format,
        lines="all" if context.verbose else settings.lines,
        updates=context.verbose,
        shared=lambda: shared_names(context.hello().labels),
        with_source=lambda: context.tells_sources_apart,
        status=StatusLine(context.input_state) if is_shown and context.input_state else None,
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
        with_source: Callable[[], bool] = lambda: False,
        status: StatusLine | None = None,
        columns: Callable[[], int] | None = None,
    ) -> None:
        """`lines` is for text on a terminal; elsewhere all are written. `updates` are written as text too.

        NO_COLOR in `environ` turns colours off, TERM=dumb also lines that are written again. `shared` gives
        the names that several labels have now: text then shows the model too. `with_source` tells whether
        text shows the source. `status` is shown on a terminal
        while no sound is. `columns` tells the terminal's width; without it the terminal is asked.
        """
        environ = os.environ if environ is None else environ
        terminal = stream.isatty()
        rewrites = can_rewrite(stream, environ)
        self._stream = stream
        self._terminal = terminal
        self._json = format == "json" or (format == "auto" and not terminal)
        self._updates = updates
        self._lines = lines if rewrites or (terminal and lines == "end") else "all"
        self._open: EventBody | None = None  # whose line is not complete
        self._drawn = 0  # columns of the last line that is written again
        self._shared = shared
        self._with_source = with_source
        self._status = status if rewrites and not self._json else None
        self._columns = partial(columns_of, stream) if columns is None else columns
        self._colour = rewrites and not environ.get("NO_COLOR")
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

    @property
    def refresh_seconds(self) -> float | None:
        """How often the last line is written again; None where it never is."""
        return REFRESH_SECONDS if self._status is not None else None

    def refresh(self) -> None:
        """Write the last line again; raises SinkClosed once nobody reads."""
        if in_foreground(self._stream):
            self._write_text(self._bottom())

    def takes(self, message: Message) -> bool:
        """Events; as text, updates only where they are wanted."""
        return isinstance(message.body, EventBody) and (self._json or self._wants(message.body))

    def write(self, message: Message) -> None:
        """Write an event's line; raises SinkClosed once nobody reads."""
        event = message.body
        if not isinstance(event, EventBody) or not self.takes(message):
            return
        if self._json:
            line = message.line
            self._put(escape_data(line.decode()).encode() if self._terminal else line)
            return
        if self._status is not None:
            self._status.note(event)
        finished = self._finished(event)
        if finished and (self._lines != "all" or self._status is not None):
            finished = self._erase() + finished
        self._write_text(finished + self._bottom())

    def reopen(self) -> None:
        """Nothing to open again."""

    def close(self) -> None:
        """Leave an incomplete line and no status line; the stream stays open, it belongs to the program."""
        if self._open is not None:
            self._write_text(f"{self._erase()}{self._line(self._open)}\n")
        elif self._status is not None:
            self._write_text(self._erase())
        self._open = self._status = None

    def _wants(self, event: EventBody) -> bool:
        """Whether text shows it, in a line of its own or in the last line."""
        return (
            event.kind != "update" or self._updates or self._lines == "completed" or self._status is not None
        )

    def _finished(self, event: EventBody) -> str:
        """The lines that stay, which is none for a sound that goes on in the last line."""
        if self._lines == "all":
            if event.kind == "update" and not self._updates:
                return ""
            line = event_line(
                event, colour=self._colour, shared=self._shared(), with_source=self._with_source()
            )
            return line + "\n"
        is_open = self._open is not None and self._open.id == event.id
        if event.kind == "end":
            self._open = None if is_open else self._open
            return self._line(event) + "\n"
        if self._lines == "completed" and (event.kind == "start" or is_open):
            self._open = event
        return ""

    def _bottom(self) -> str:
        """The last line, written again: the newest sound that goes on, else the status line."""
        if self._open is not None:
            text = self._line(self._open, self._room(), colour=False)
            shown = self._line(self._open, self._room())
        elif self._status is not None and in_foreground(self._stream):
            text = self._status.text(shared=self._shared(), columns=self._room())
            shown = f"{DIM}{text}{RESET}" if self._colour else text
        else:
            return ""
        erase, self._drawn = self._erase(), cells(text)
        return f"{erase}{shown}\r"

    def _erase(self) -> str:
        """Removes the last line; a terminal that was made narrower has broken it into several rows."""
        rows, self._drawn = -(-self._drawn // max(1, self._columns())), 0
        return clear_rows(rows)

    def _room(self) -> int:
        """Columns of a line that is written again: one less than the terminal has, or it would be broken."""
        return min(COLUMNS, self._columns() - 1)

    def _line(self, event: EventBody, columns: int = COLUMNS, *, colour: bool = True) -> str:
        return sound_line(
            event,
            colour=colour and self._colour,
            shared=self._shared(),
            columns=columns,
            with_source=self._with_source(),
        )

    def _write_text(self, text: str) -> None:
        if text:
            self._put(text.encode(self._encoding, "replace"))

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
