"""CSV for people, who open it in a spreadsheet: there a cell that begins with = is a formula, and runs.

File names and labels come from others. A text that a spreadsheet would take for a formula gets an apostrophe
in front, as a person would type it; numbers, also negative ones, stay as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TextIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rows(stream: TextIO, rows: Iterable[Iterable[object]]) -> None:
    """Write rows with `\\n` at their ends; None is an empty cell."""
    csv.writer(stream, lineterminator="\n").writerows(
        [quoted(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )


def csv_row(cells: Iterable[object]) -> str:
    """One row as text, with its line break."""
    text = io.StringIO()
    write_rows(text, [cells])
    return text.getvalue()


def quoted(text: str) -> str:
    """The text of a cell, with an apostrophe where it would be a formula."""
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def unquoted(text: str) -> str:
    """What `quoted` was given, for whoever reads such a cell."""
    return text[1:] if text.startswith("'") and quoted(text[1:]) == text else text


def _is_number(text: str) -> bool:
    """Whether a spreadsheet reads a number, too: Python also allows blanks around it and `_` inside."""
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip() and "_" not in text
