"""Numbers on the command line: read, held within bounds, refused with what was expected."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

MOST_DIGITS = 17
"""Of a whole number: more fit into no table of ours."""


def whole(low: int = 0, high: int | None = None) -> Callable[[str], int]:
    """An argparse type for a whole number from `low`, to `high` where one is given."""
    bounds = f"from {low}" if high is None else f"from {low} to {high}"

    def read(text: str) -> int:
        fits = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
        if not fits or int(text) < low or (high is not None and int(text) > high):
            raise argparse.ArgumentTypeError(f"expected a whole number {bounds}, got {text!r}")
        return int(text)

    return read


def number(low: float = -math.inf, high: float = math.inf, what: str = "a number") -> Callable[[str], float]:
    """An argparse type for a finite number within bounds; `what` is how its refusal calls it: `a score`."""
    bounds = f" from {low:g}" if math.isfinite(low) else ""
    bounds += f" to {high:g}" if math.isfinite(high) else ""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            raise argparse.ArgumentTypeError(f"expected {what}{bounds}, got {text!r}")
        return value

    return read
