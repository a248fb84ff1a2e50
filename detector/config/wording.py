"""How messages quote values and suggest names."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from detector.files.terminal import escape

MOST_FILES = 10_000
"""Names of a folder that are compared with one that is not there."""


def show(value: object) -> str:
    """A value as a message quotes it: short, on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    text = escape(repr(value))
    return text if len(text) <= 60 else text[:57] + "..."


def either(words: Sequence[object]) -> str:
    """The words as alternatives: `a`, `a or b`, `a, b or c`; empty where there is none."""
    *most, last = map(str, words) if words else [""]
    return f"{', '.join(most)} or {last}" if most else last


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return "did you mean `NAME`?" for an unknown name; empty where no known name is similar."""
    folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"did you mean `{escape(folded[close[0]])}`?" if close else ""


def nearest_file(path: str | Path) -> str:
    """Return "did you mean `PATH`?" for a file that is not there; empty where nothing is similar."""
    path = Path(path)
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, MOST_FILES)]
    except (OSError, ValueError):
        return ""
    folded = {name.casefold(): name for name in names if name != path.name}  # which is a link to nowhere
    close = difflib.get_close_matches(path.name.casefold(), folded, n=1)
    return f"did you mean `{escape(str(path.with_name(folded[close[0]])))}`?" if close and path.name else ""
