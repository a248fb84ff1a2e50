"""Which clip has the sound of an event: the folder of its day, looked at again only when it changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from detector.clips.clip_folder import ClipStore, StoredClip, clips_of

FRESH_SECONDS = 2.0
"""A folder that changed so recently is read again: file systems keep its time only roughly."""
LONGEST_BEFORE = timedelta(minutes=10)
"""A clip begins at most so long before an event in it: it may lie in the folder of the day before."""


@dataclass(slots=True)
class _Day:
    changed: int
    """When the folder did, in ns since 1970, as far as that was seen; 0 to look again."""
    events: dict[str, str] = field(default_factory=dict)
    """The clip that has an event, by their ids."""
    clips: frozenset[str] = frozenset()


class ClipIndex:
    """Finds clips by the ids of events; any thread may use it."""

    def __init__(self, folder: Path | None, *, utc: Callable[[], float] = time.time) -> None:
        """`folder` None is that no clips are kept; `utc` is UTC seconds since 1970."""
        self._store = None if folder is None else ClipStore(folder)
        self._utc = utc
        self._days: dict[str, _Day] = {}
        self._lock = Lock()

    def of_events(self, starts: Mapping[str, str | None]) -> dict[str, StoredClip]:
        """The clips of these events, by the events' ids; `starts` tells when each began, as on the wire."""
        if self._store is None:
            return {}
        days = {id: _days_of(start) for id, start in starts.items()}
        with self._lock:
            for day in sorted({day for each in days.values() for day in each}):
                self._refresh(day, self._store.folder / day)
            names = {
                id: known.events[id]
                for id, each in days.items()
                for day in each
                if (known := self._days.get(day)) is not None and id in known.events
            }
        found = {id: self._store.exact(name) for id, name in names.items()}
        return {id: clip for id, clip in found.items() if clip is not None}

    def _refresh(self, day: str, folder: Path) -> None:
        """Read the folder of a day where it has changed; one that is gone, or a link, has no clips."""
        try:
            changed = folder.lstat().st_mtime_ns
            is_link = folder.is_symlink()
        except OSError:
            self._days.pop(day, None)
            return
        known = self._days.get(day)
        if is_link or (known is not None and known.changed == changed):
            return
        fresh = self._utc() - changed / 1e9 < FRESH_SECONDS
        with suppress(OSError):
            self._days[day] = _read(folder, known, 0 if fresh else changed)


def _days_of(start: str | None) -> Iterable[str]:
    """The folders in which the clip of an event may be."""
    try:
        began = datetime.fromisoformat(str(start)).astimezone(UTC)
        return {f"{moment:%Y-%m-%d}" for moment in (began, began - LONGEST_BEFORE)}
    except (ValueError, OverflowError):
        return ()


def _read(folder: Path, known: _Day | None, changed: int) -> _Day:
    """A day's clips; what is beside a sound does not change, so only new clips are opened."""
    clips = {clip.entry.id: clip for clip in clips_of(folder)}
    kept = {} if known is None else {event: clip for event, clip in known.events.items() if clip in clips}
    new = clips.keys() - (frozenset() if known is None else known.clips)
    for id in new:
        kept.update((sound.id, id) for sound in clips[id].facts().sounds)
    return _Day(changed, kept, frozenset(clips))
