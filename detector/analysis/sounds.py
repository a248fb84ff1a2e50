"""Sounds that are over, in the order in which they began.

Events tell an end when it is decided, so a short sound inside a long one ends first; tables go by
the beginning.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from heapq import heappop, heappush, heappushpop

from detector.events.naming import shown
from detector.records import Event
from detector.wire.message import EventBody

LATEST_SECONDS = 30.0
"""An event that starts now began at most this long ago: a few windows, and the reach of dating."""

MOST_SHOWN = 4000
"""Sounds that a picture and a page show: more would be unreadable, and memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One event from its start to its end."""

    onset: float
    """When it began [s since the recording's start]."""
    offset: float
    """When it ended [s]."""
    label: str
    """As people read it: with its model where several labels have the name."""
    class_id: str
    top_score: float
    level_dbfs: float
    end: EventBody
    """The body of its end's message."""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.offset - self.onset


def make_sound(
    event: Event, body: EventBody, *, sample_rate: int, shared: Collection[str] = frozenset()
) -> Sound:
    """The sound that an event's end completes; `body` is its message's. `shared` names get their model."""
    offset = event.decided if event.offset is None else event.offset
    return Sound(
        onset=event.onset / sample_rate,
        offset=offset / sample_rate,
        label=shown(event.label, shared),
        class_id=event.label.class_id,
        top_score=event.top_score,
        level_dbfs=event.level_dbfs,
        end=body,
    )


class InOrder:
    """Takes events as they come and gives sounds by their onsets, as soon as none earlier can follow."""

    def __init__(self, *, sample_rate: int, shared: Collection[str] = frozenset()) -> None:
        self._rate = sample_rate
        self._shared = shared
        self._open: dict[int, int] = {}
        self._held: list[tuple[int, int, Sound]] = []

    def push(self, event: Event, body: EventBody) -> list[Sound]:
        """Take one event and its message's body."""
        if event.phase == "start":
            self._open[event.id] = event.onset
        elif event.phase == "end":
            self._open.pop(event.id, None)
            sound = make_sound(event, body, sample_rate=self._rate, shared=self._shared)
            heappush(self._held, (event.onset, event.id, sound))
        settled = min([event.decided - round(LATEST_SECONDS * self._rate), *self._open.values()])
        return self._until(settled)

    def flush(self) -> list[Sound]:
        """The recording ended: the rest."""
        return self._until(None)

    def _until(self, sample: int | None) -> list[Sound]:
        ready: list[Sound] = []
        while self._held and (sample is None or self._held[0][0] < sample):
            ready.append(heappop(self._held)[2])
        return ready


class Longest:
    """Keeps the longest sounds, at most `most` of them."""

    def __init__(self, most: int = MOST_SHOWN) -> None:
        self._most = most
        self._heap: list[tuple[float, int, Sound]] = []
        self.count = 0
        """Sounds taken so far."""

    def push(self, sound: Sound) -> None:
        """Take one more."""
        self.count += 1
        item = (sound.seconds, -self.count, sound)
        if len(self._heap) < self._most:
            heappush(self._heap, item)
        else:
            heappushpop(self._heap, item)

    def sounds(self) -> list[Sound]:
        """Those kept, by onset."""
        return sorted((sound for _, _, sound in self._heap), key=lambda sound: (sound.onset, sound.label))
