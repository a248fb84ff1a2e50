"""What waits for one reader in the event loop: a few things at most, so that a slow reader costs little."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, Literal, TypeVar

T = TypeVar("T")


class MailboxClosed(Exception):
    """Nothing more will come: what gave the things has ended, or the reader was too slow."""

    def __init__(self, reason: str, *, refused: bool) -> None:
        super().__init__(reason)
        self.refused = refused
        """Whether it would be refused again."""


class Mailbox(Generic[T]):
    """A bounded queue of one reader; it is filled and read in the same event loop."""

    def __init__(self, most: int, *, when_full: Literal["close", "drop oldest", "drop new"]) -> None:
        """`when_full`: end the reading, or lose the oldest thing or the new one."""
        self._things: deque[T] = deque()
        self._most, self._when_full = most, when_full
        self._filled = asyncio.Event()
        self.reason: str | None = None
        """Why nothing more comes; None while it does."""
        self._refused = False
        self.lost = 0
        """Things that found no room."""

    def put(self, thing: T) -> None:
        """Leave a thing for the reader."""
        if self.reason is not None:
            return
        if len(self._things) >= self._most:
            self.lost += 1
            if self._when_full == "close":
                self.close("read too slowly")
                return
            if self._when_full == "drop new":
                return
            self._things.popleft()
        self._things.append(thing)
        self._filled.set()

    def close(self, reason: str, *, refused: bool = False) -> None:
        """Nothing more comes; what waits is still read, unless the reader was too slow."""
        if self.reason is None:
            self.reason, self._refused = reason, refused
            if self._when_full == "close" and len(self._things) >= self._most:
                self._things.clear()
        self._filled.set()

    async def get(self) -> T:
        """Wait for the next thing; raises MailboxClosed, with the reason, when none will come."""
        while not self._things:
            if self.reason is not None:
                raise MailboxClosed(self.reason, refused=self._refused)
            self._filled.clear()
            await self._filled.wait()
        return self._things.popleft()

    def __len__(self) -> int:
        """Things that wait."""
        return len(self._things)
