"""The level meter as text: one line of a terminal, and the words around it."""

from __future__ import annotations

import math

from detector.collecting.taking import Cue

QUIETEST_DBFS = -72.0
"""Left end of the bar."""
LEAST_CELLS, MOST_CELLS = 10, 36
CLIPPING_DBFS = -0.01
"""A peak from here on is full scale, but for rounding."""


def meter_text(head: str, level_dbfs: float, peak_dbfs: float, *, clipped: bool, width: int) -> str:
    """`head [=====--    ]  -31 dBFS`: `=` up to the level, `-` up to the peak; at most `width` characters."""
    tail = f" {max(level_dbfs, -99.0):4.0f} dBFS{'  CLIPS' if clipped else '       '}"
    cells = min(MOST_CELLS, max(LEAST_CELLS, width - len(head) - len(tail) - 3))
    level, peak = _cells(level_dbfs, cells), _cells(peak_dbfs, cells)
    bar = ("=" * level + "-" * max(0, peak - level)).ljust(cells)
    return f"{head} [{bar}]{tail}"[:width]


def cue_text(cue: Cue, sample_rate: int) -> str:
    """What to do now, always 10 characters: `3`, `NOW  2.4 s`, `waiting`."""
    if cue.phase == "count":
        return f"{math.ceil(cue.left / sample_rate):<10d}"
    if cue.phase == "record":
        return f"NOW {cue.left / sample_rate:4.1f} s"
    return f"{'waiting' if cue.phase == 'wait' else 'hearing':<10}"


def _cells(dbfs: float, cells: int) -> int:
    share = 1 - max(QUIETEST_DBFS, min(0.0, dbfs)) / QUIETEST_DBFS
    return round(share * cells)
