"""What keeps something of the sound around events: clips, pictures."""

from __future__ import annotations

from typing import Protocol

from detector.records import Block, Event
from detector.wire.message import EventBody


class SoundRecorder(Protocol):
    """Gets every block before the pipeline does, and every event that comes of it."""

    def push(self, block: Block) -> None:
        """Keep the newest sound."""

    def note(self, event: Event, body: EventBody, *, is_reported: bool) -> None:
        """Take what is known of a sound; one that is not reported leaves nothing behind."""

    def submit_due(self) -> None:
        """Hand over what is complete."""

    def finish(self) -> None:
        """No more sound for now: hand over what there is."""
