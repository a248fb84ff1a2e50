"""Terminals: text that others wrote (labels, file names, servers' words), and a line that is written again.

A terminal obeys control codes; in such text they are shown instead, and so are the codes that reorder text.
"""

from __future__ import annotations

import io
import json
import os
import sys
import unicodedata
from collections.abc import Mapping
from typing import TextIO

CLEAR = "\r\x1b[K"
"""Back to the start of the line, and nothing is left on it.

A line that is written again ends with a carriage return. So the cursor is on its first row, also after the
terminal was made narrower and the line takes several; `clear_rows` erases them.
"""

USUAL_COLUMNS = 80
"""Where a terminal does not know its width."""


def can_rewrite(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether this is a terminal that obeys CLEAR and colours."""
    return stream.isatty() and environ.get("TERM") != "dumb"


def columns_of(stream: TextIO) -> int:
    """How wide the terminal is now."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_COLUMNS
    except (OSError, io.UnsupportedOperation):
        return USUAL_COLUMNS


def clear_rows(rows: int) -> str:
    """CLEAR for a line that takes several rows of the terminal, with the cursor on the first.

    Each row is erased by itself: erasing the rest of the screen at once makes tmux keep what was on it.
    """
    below = "\x1b[B\x1b[2K" * (
        rows - 1
    )  # at the bottom of the screen the cursor stays, and erases the same row
    return f"\r\x1b7{below}\x1b8\x1b[K" if below else CLEAR


def cells(text: str) -> int:
    """Columns that a text takes: two for a Chinese, Japanese or Korean letter, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def shortened(text: str, columns: int) -> str:
    """The text, or so much of it that it fits with an ellipsis."""
    if cells(text) <= columns:
        return text
    end, room = 0, columns - 1  # for the ellipsis
    while end < len(text) and (room := room - _cells_of(text[end])) >= 0:
        end += 1
    return f"{text[:end]}…" if end else ""


def padded(text: str, columns: int) -> str:
    """The text with blanks behind it, so that it takes at least so many columns."""
    return text + " " * (columns - cells(text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def in_foreground(stream: TextIO) -> bool:
    """False for a shell's background job, which must not write over what is typed there."""
    try:
        return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
    except (OSError, AttributeError, io.UnsupportedOperation):
        return True


def escape(text: str) -> str:
    """The text with escapes in place of line breaks and whatever else is not printable."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escape_lines(text: str) -> str:
    """The same for text of several lines, which stay lines."""
    return "\n".join(map(escape, text.split("\n")))


def print_escaped(text: str, stream: TextIO | None = None, *, flush: bool = False) -> None:
    """Print lines on a stream; None is standard output as it is now."""
    print(escape_lines(text), file=sys.stdout if stream is None else stream, flush=flush)


def escape_data(text: str) -> str:
    """JSON or a table with JSON's own escapes for what is not printable, but line breaks and tabs."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else json.dumps(c)[1:-1] for c in text)


def data_for(stream: TextIO, text: str) -> str:
    """Data as they are written to a stream: as they are, but for a terminal."""
    return escape_data(text) if stream.isatty() else text


def print_json(value: object) -> None:
    """Print indented JSON, what is not printable as JSON's own escapes."""
    print(escape_data(json.dumps(value, indent=2, ensure_ascii=False)))
