"""The history, from the settings: where it is, whether one is kept, and its two ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detector.config.settings import Settings
from detector.history.archive import FileArchive
from detector.history.journal import Journal
from detector.history.places import writing_path


@dataclass(frozen=True, slots=True)
class History:
    """What writes it and what reads it."""

    journal: Journal
    archive: FileArchive


def make_history(settings: Settings, environ: Mapping[str, str]) -> History | None:
    """Build the history's two ends, nothing opened yet; None where none is kept."""
    if not keeps_history(settings):
        return None
    from detector.history.numbers import Numbers
    from detector.history.store import Store

    wanted = settings.history
    path = writing_path(wanted.path, environ)
    numbers = Numbers()
    store = Store(
        path,
        numbers,
        keep_seconds=wanted.keep_days * 86400.0,
        max_bytes=wanted.max_megabytes * 1_000_000,
    )
    journal = Journal(store, numbers)
    archive = FileArchive(path, oldest_seq=lambda: store.oldest_seq, newest_seq=lambda: journal.recorded_seq)
    return History(journal, archive)


def keeps_history(settings: Settings) -> bool:
    """Whether events are kept: as it was said, else where the sound is live."""
    if settings.history.enabled is not None:
        return settings.history.enabled
    return settings.source.input in (None, "-")
