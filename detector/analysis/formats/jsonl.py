"""JSON lines: the wire format of docs/protocol.md, every start, update and end."""

from __future__ import annotations

from detector.analysis.formats.base import Format
from detector.analysis.sounds import Sound
from detector.interfaces import Message


class JsonLines(Format):
    """What `sound-detector --input FILE` writes to a pipe."""

    ending = ".jsonl"

    def event(self, message: Message) -> str:
        """One object on one line."""
        return message.line.decode()

    def sound(self, sound: Sound) -> str:
        """Nothing: its end was told."""
        return ""
