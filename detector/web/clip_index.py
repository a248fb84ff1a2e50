"""Which clip has the sound of an event: the folder of clips, looked at again only where it has changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from detector.clips.clip_folder import ClipStore, StoredClip, clips_of

FRESH_SECONDS = 2.0
"""A folder that changed so recently is read again: file systems keep its time only roughly."""


@dataclass(slots=True)
class _Day:
    changed: int
    """When the folder did, in ns since 1970, as far as that was seen; 0 to look again."""
    events: dict[str, str] = field(default_factory=dict)
    """The clip that has an event, by their ids."""
    clips: frozenset[str] = frozenset()


class ClipIndex:
    """Finds clips by their own ids and by those of events; any thread may use it."""

    def __init__(self, folder: Path | None, *, utc: Callable[[], float] = time.time) -> None:
        """`folder` None is that no clips are kept; `utc` is UTC seconds since 1970."""
        self._store = None if folder is None else ClipStore(folder)
        self._utc = utc
        self._days: dict[Path, _Day] = {}
        self._lock = Lock()

    def of_event(self, id: str) -> str | None:
        """The id of the clip that has the event's sound, as of the last `refresh`."""
        return next((day.events[id] for day in self._days.values() if id in day.events), None)

    def find(self, id: str) -> StoredClip | None:
        """The clip of exactly this id; None where there is none. Raises ClipError."""
        return None if self._store is None else self._store.exact(id)

    def refresh(self) -> None:
        """Read the folders of days that have changed. Raises ClipError."""
        with self._lock:
            folders = self._folders()
            self._days = {path: day for path, day in self._days.items() if path in folders}
            for path in folders:
                with suppress(FileNotFoundError):
                    changed = path.stat().st_mtime_ns
                    known = self._days.get(path)
                    if known is None or known.changed != changed:
                        fresh = self._utc() - changed / 1e9 < FRESH_SECONDS
                        self._days[path] = _read(path, known, 0 if fresh else changed)

    def _folders(self) -> list[Path]:
        return [] if self._store is None else [*self._store.days()]


def _read(path: Path, known: _Day | None, changed: int) -> _Day:
    """A day's clips; what is beside a sound does not change, so only new clips are opened."""
    clips = {clip.entry.id: clip for clip in clips_of(path)}
    kept = {} if known is None else {event: clip for event, clip in known.events.items() if clip in clips}
    new = clips.keys() - (frozenset() if known is None else known.clips)
    for id in new:
        kept.update((sound.id, id) for sound in clips[id].facts().sounds)
    return _Day(changed, kept, frozenset(clips))
