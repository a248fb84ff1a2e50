"""Who watches a source now: sinks ask for it here, and the daemon sees whether anybody does.

Sinks watch and leave on their own threads; the daemon's thread asks `is_watched` with each block, which costs
nothing, and gives what it made of the block to all watchers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Literal

from detector.errors import SinkError
from detector.interfaces import Message

LiveKind = Literal["spectrogram", "sound", "full sound"]
"""What can be watched of a source; full sound has the classifier's own rate."""
SOUND: tuple[LiveKind, ...] = ("sound", "full sound")

Watcher = Callable[[Message], None]
"""Takes a message on the daemon's thread, at once: it drops what it has no room for."""


class LiveTap:
    """One source, as it can be watched."""

    def __init__(self, name: Callable[[], str]) -> None:
        """`name` tells what events call the source."""
        self._name = name
        self._lock = threading.Lock()
        self._watchers: dict[LiveKind, tuple[Watcher, ...]] = {}

    @property
    def name(self) -> str:
        """What events call the source."""
        return self._name()

    def is_watched(self, kind: LiveKind) -> bool:
        """Whether anybody watches this of the source."""
        return kind in self._watchers

    def watch(self, kind: LiveKind, watcher: Watcher) -> Callable[[], None]:
        """Give the watcher what comes from now on, until what is returned is called."""
        with self._lock:
            self._watchers[kind] = (*self._watchers.get(kind, ()), watcher)
        return lambda: self._leave(kind, watcher)

    def give(self, kind: LiveKind, message: Message) -> None:
        """Hand a message to all who watch this."""
        for watcher in self._watchers.get(kind, ()):
            watcher(message)

    def _leave(self, kind: LiveKind, watcher: Watcher) -> None:
        with self._lock:
            left = tuple(other for other in self._watchers.get(kind, ()) if other is not watcher)
            if left:
                self._watchers[kind] = left
            else:
                self._watchers.pop(kind, None)


class LiveTaps:
    """The sources of a daemon that can be watched, in the order of the settings."""

    def __init__(self, taps: Sequence[LiveTap] = ()) -> None:
        self._taps = list(taps)

    def add(self, name: Callable[[], str]) -> LiveTap:
        """One more source; `name` tells what events call it."""
        tap = LiveTap(name)
        self._taps.append(tap)
        return tap

    def find(self, source: str) -> LiveTap:
        """The source of this name; of an empty name the first. Raises SinkError where there is none."""
        if not self._taps:
            raise SinkError("this program hears nothing that can be watched as it sounds")
        if not source:
            return self._taps[0]
        for tap in self._taps:
            if tap.name == source:
                return tap
        names = ", ".join(repr(tap.name) for tap in self._taps)
        raise SinkError(f"expected the name of a source, {names}, got {source[:40]!r}")
