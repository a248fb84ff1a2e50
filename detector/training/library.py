"""All recordings as a base model hears them: from the cache, or listened to now and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from detector.errors import DatasetError, DetectorError
from detector.training.cache import EmbeddingCache, content_sha256
from detector.training.listening import Listened, Listener
from detector.training.processes import do_all
from detector.training.recipe import Progress

MakeListener = Callable[[], Listener]
"""Picklable, so that each process builds its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Recordings that were listened to."""

    heard: Mapping[Path, Listened]
    unheard: Mapping[Path, str]
    """Why a recording could not be listened to."""

    def __getitem__(self, path: Path) -> Listened:
        """What was heard of it; DatasetError where that was not possible."""
        found = self.heard.get(path)
        if found is None:
            raise DatasetError(f"{path}: {self.unheard.get(path, 'was not listened to')}")
        return found


def make_library(
    paths: Iterable[Path], make: MakeListener, cache: EmbeddingCache, *, jobs: int, progress: Progress
) -> Library:
    """Listen to what the cache does not know yet; a break loses only what was being listened to."""
    wanted = list(dict.fromkeys(paths))
    outcomes = do_all(partial(_worker, make, cache), wanted, what="listening", jobs=jobs, progress=progress)
    heard = {path: said for path, said in zip(wanted, outcomes, strict=True) if isinstance(said, Listened)}
    unheard = {
        path: str(said)
        for path, said in zip(wanted, outcomes, strict=True)
        if isinstance(said, DetectorError)
    }
    return Library(heard, unheard)


def _worker(make: MakeListener, cache: EmbeddingCache) -> Callable[[Path], Listened]:
    listener: Listener | None = None

    def listen(path: Path) -> Listened:
        nonlocal listener
        content = content_sha256(path)
        known = cache.get(content)
        if known is not None:
            return known
        listener = listener or make()  # not before it is needed: a warm cache needs no model
        heard = listener.listen(path)
        cache.put(content, heard)
        return heard

    return listen
