"""Aligned lines for people, as `sound-detector --input FILE` shows on a terminal."""

from __future__ import annotations

from datetime import UTC

from detector.analysis.formats.base import Format
from detector.analysis.sounds import Sound
from detector.interfaces import Message
from detector.wire.message import event_of
from detector.wire.plain_text import event_line


class Text(Format):
    """Starts and ends; local time, or the time since the recording's start where that is not known."""

    ending = ".txt"

    def event(self, message: Message) -> str:
        """One line."""
        if message.kind == "update":
            return ""
        return event_line(event_of(message), zone=None if self.timed else UTC, shared=self.shared) + "\n"

    def sound(self, sound: Sound) -> str:
        """Nothing: its end was told."""
        return ""
