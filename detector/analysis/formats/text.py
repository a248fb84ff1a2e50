"""Aligned lines for people, as `sound-detector --input FILE` shows on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from detector.analysis.formats.base import Format
from detector.analysis.sounds import Sound
from detector.wire.text import event_line


class Text(Format):
    """Starts and ends; local time, or the time since the recording's start where that is not known."""

    ending = ".txt"

    def event(self, fields: Mapping[str, object]) -> str:
        """One line."""
        if fields["type"] == "update":
            return ""
        return event_line(fields, zone=None if self.timed else UTC, shared=self.shared) + "\n"

    def sound(self, sound: Sound) -> str:
        """Nothing: its end was told."""
        return ""
