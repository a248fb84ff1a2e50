"""A picture of each event: the spectrogram of its first seconds, made once they have been heard.

While nothing sounds, only references to the newest blocks are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.history.picture_table import EventPicture
from detector.records import Block, Event, Span
from detector.wire.message import EventBody

LONGEST_COLUMNS = 100
"""Columns in a picture at most: 5 s."""

BEFORE_SECONDS = 0.5
"""Sound in front of the event: its beginning shows."""

AFTER_SECONDS = 0.5
"""Sound behind it, if that is heard before its end is known."""

HELD_SECONDS = 6.5
"""Sound that is kept, for events whose beginning is known late."""

STEP = 4
"""Values are rounded to this, 2 dB: so a picture takes two thirds, and looks the same."""


@dataclass(slots=True)
class _Planned:
    """A picture to be made."""

    id: str
    span: Span


class EventPictures:
    """Makes the pictures of one source's events; see `service.sound_recorder.SoundRecorder`."""

    def __init__(self, *, sample_rate: int, keep: Callable[[EventPicture], None]) -> None:
        """`sample_rate` in hertz; `keep` stores a picture, at once."""
        self._rate = sample_rate
        self._keep = keep
        self._blocks: deque[Block] = deque()
        self._stop = 0
        self._planned: dict[int, _Planned] = {}
        self._made: set[int] = set()

    def push(self, block: Block) -> None:
        """Keep the newest sound."""
        self._blocks.append(Block(block.start, block.samples))  # without the originals
        self._stop = block.stop
        oldest = self._stop - HELD_SECONDS * self._rate
        while self._blocks[0].stop <= oldest:
            self._blocks.popleft()

    def note(self, event: Event, body: EventBody, *, is_reported: bool) -> None:
        """Plan the picture of a sound when it is first reported; its end shortens it."""
        planned = self._planned.get(event.id)
        if planned is None and is_reported and event.id not in self._made:
            planned = self._planned[event.id] = _Planned(body.id, self._first_seconds(event.onset))
        if event.offset is None:
            return
        self._made.discard(event.id)
        if planned is not None:
            stop = min(planned.span.stop, event.offset + round(AFTER_SECONDS * self._rate), self._stop)
            self._make(event.id, Span(planned.span.start, stop))
            self._made.discard(event.id)

    def submit_due(self) -> None:
        """Make the pictures whose sound has been heard."""
        if self._planned:  # else, as nearly always, nothing sounds
            for id, planned in list(self._planned.items()):
                if planned.span.stop <= self._stop:
                    self._make(id, planned.span)

    def finish(self) -> None:
        """No more sound for now: make all pictures of what has been heard."""
        for id, planned in list(self._planned.items()):
            self._make(id, Span(planned.span.start, min(planned.span.stop, self._stop)))
        self._made.clear()
        self._blocks.clear()

    def _first_seconds(self, onset: int) -> Span:
        """From a little before the event, or from the oldest sound that is there."""
        held = self._blocks[0].start if self._blocks else onset
        start = max(held, onset - round(BEFORE_SECONDS * self._rate))
        return Span(start, start + round((LONGEST_COLUMNS / 20 + 0.014) * self._rate))

    def _make(self, id: int, span: Span) -> None:
        from detector.audio.mel_columns import mel_columns

        planned = self._planned.pop(id)
        self._made.add(id)
        columns = mel_columns(self._rate)(self._samples(span))[:LONGEST_COLUMNS]
        if len(columns):
            width, height = columns.shape
            rounded = np.minimum((columns.astype(np.uint16) + STEP // 2) // STEP * STEP, 255 // STEP * STEP)
            rows = rounded.astype(np.uint8).T[::-1].tobytes()
            self._keep(EventPicture(planned.id, rows, width, height))

    def _samples(self, span: Span) -> NDArray[np.int16]:
        """The sound of a span; what is missing is silent."""
        samples = np.zeros(max(0, span.length), np.int16)
        for block in self._blocks:
            first, last = max(block.start, span.start), min(block.stop, span.stop)
            if first < last:
                part = block.samples[first - block.start : last - block.start]
                samples[first - span.start : last - span.start] = part
        return samples
