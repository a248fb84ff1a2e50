"""Text that others wrote, printed for people: labels, descriptions, file names and servers' words.

A terminal obeys control codes; here they are shown instead, and so are the codes that reorder text.
"""

from __future__ import annotations

import json
import sys
from typing import TextIO


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


def print_json(value: object) -> None:
    """Print indented JSON, what is not printable as JSON's own escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))
