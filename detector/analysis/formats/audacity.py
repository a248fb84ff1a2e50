"""Audacity's label track: start, stop and text, separated by tabs.

Source: https://manual.audacityteam.org/man/importing_and_exporting_labels.html
"""

from __future__ import annotations

from detector.analysis.formats.base import Format, single_line
from detector.analysis.sounds import Sound


class Audacity(Format):
    """File > Import > Labels; seconds since the recording's start."""

    ending = ".audacity.txt"
    names_source = False

    def sound(self, sound: Sound) -> str:
        """One line."""
        return f"{sound.onset:.6f}\t{sound.offset:.6f}\t{single_line(sound.label)}\n"
