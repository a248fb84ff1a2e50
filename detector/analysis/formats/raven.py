"""Raven's selection table: tab-separated, one selection for each sound.

Source: Raven Pro User's Manual, "Selection tables"; Begin Time and End Time in seconds, frequencies in hertz.
"""

from __future__ import annotations

from collections.abc import Collection

from detector.analysis.formats.base import Format, single_line
from detector.analysis.sounds import Sound

COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"),
    *("Begin Path", "Annotation", "Score"),
)

BAND_HZ = (0, 8000)
"""A label has no frequencies: the selection is as high as what YAMNet hears."""


class Raven(Format):
    """File > Open Selection Table."""

    ending = ".raven.txt"
    names_source = False
    header = "\t".join(COLUMNS) + "\n"

    def __init__(self, source: str, *, timed: bool, shared: Collection[str] = frozenset()) -> None:
        super().__init__(source, timed=timed, shared=shared)
        self._number = 0

    def sound(self, sound: Sound) -> str:
        """One selection, numbered from 1."""
        self._number += 1
        cells = [
            *(str(self._number), "Spectrogram 1", "1", f"{sound.onset:.6f}", f"{sound.offset:.6f}"),
            *(str(BAND_HZ[0]), str(BAND_HZ[1])),
            *(single_line(self.source), single_line(sound.label), f"{sound.top_score:.3f}"),
        ]
        return "\t".join(cells) + "\n"
