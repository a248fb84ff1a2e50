"""Messages that wait to be written and sent: a bounded queue that gives up events last."""

from __future__ import annotations

from collections import deque

from detector.interfaces import Message


class Waiting:
    """Used under its owner's lock."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._others = 0  # those that are no events
        self.dropped = 0
        """Messages there was no room for."""

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        """Queue a message; where there is no room the oldest that is no event goes, else the oldest."""
        if len(self._messages) >= self._limit:
            self._make_room()
        self._messages.append(message)
        self._others += message.seq is None

    def take(self) -> list[Message]:
        """Everything, in order."""
        messages = list(self._messages)
        self._messages.clear()
        self._others = 0
        return messages

    def _make_room(self) -> None:
        self.dropped += 1
        if not self._others:
            self._messages.popleft()
            return
        index = next(i for i, message in enumerate(self._messages) if message.seq is None)
        del self._messages[index]
        self._others -= 1
