"""The newest sounds as the daemon told them: what the page shows where it has no history to read."""

from __future__ import annotations

from collections.abc import Iterator

from detector.history.archive import Query, hour_of
from detector.interfaces import Message
from detector.wire.message import EventBody, event_of
from detector.wire.request import Filter
from detector.wire.utc_time import utc_seconds

MOST_SOUNDS = 500
MOST_MESSAGES = 20
"""Of one sound: a siren may go on for hours."""


class RecentSounds:
    """Keeps the messages of the newest sounds, each sound where its newest message stands."""

    def __init__(self, most: int = MOST_SOUNDS) -> None:
        """`most` sounds are kept; 0 is none."""
        self.most = most
        self._sounds: dict[str, list[Message]] = {}

    def take(self, message: Message) -> None:
        """Keep an event that was told; other messages are not kept."""
        if not isinstance(message.body, EventBody) or not self.most:
            return
        messages = self._sounds.pop(message.body.id, [])
        self._sounds[message.body.id] = [*messages[1 - MOST_MESSAGES :], message]
        while len(self._sounds) > self.most:
            del self._sounds[next(iter(self._sounds))]

    def find(self, query: Query) -> Iterator[Message]:
        """The newest message of each sound that a query asks for, the newest first."""
        wanted = Filter.of((label.strip() for label in query.labels), query.min_score)
        found = (messages[-1] for messages in reversed([*self._sounds.values()]))  # others may be added now
        return (message for message in found if wanted.passes(message) and _is_within(query, message))

    def messages_of(self, id: str) -> list[Message]:
        """The messages of one sound, in order; empty where it is not known."""
        return [*self._sounds.get(id, ())]

    def after(self, seq: int) -> list[Message]:
        """The messages with a greater number, in order."""
        newer = (m for messages in [*self._sounds.values()] for m in messages if (m.seq or 0) > seq)
        return sorted(newer, key=lambda message: message.seq or 0)


def _is_within(query: Query, message: Message) -> bool:
    event, seq = event_of(message), message.seq or 0
    if query.sources and event.source not in query.sources:
        return False
    if query.before is not None and seq >= query.before:
        return False
    start = utc_seconds(event.start_time)
    if query.hour is not None and hour_of(query.zone, start) != query.hour:
        return False
    since = query.since is None or (start is not None and start >= query.since)
    return since and (query.until is None or (start is not None and start < query.until))
