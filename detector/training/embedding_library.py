"""The embeddings of all recordings: read from the cache, or computed now and kept there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from detector.errors import DatasetError, DetectorError
from detector.training.embedding_cache import EmbeddingCache, content_sha256
from detector.training.recording_embeddings import EmbeddedRecording, RecordingEmbedder
from detector.workers.progress import Progress
from detector.workers.tasks import run_tasks

TASKS_PER_PROCESS = 4
"""Fewer are done before a process has started."""

MakeEmbedder = Callable[[], RecordingEmbedder]
"""Picklable, so that each process builds its own."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingLibrary:
    """Embeddings by recording."""

    recordings: Mapping[Path, EmbeddedRecording]
    failures: Mapping[Path, str]
    """Why a recording has none."""

    def __getitem__(self, path: Path) -> EmbeddedRecording:
        """Its embeddings; DatasetError where it has none."""
        found = self.recordings.get(path)
        if found is None:
            raise DatasetError(f"{path}: {self.failures.get(path, 'its embeddings were not computed')}")
        return found


def embed_recordings(
    paths: Iterable[Path], make: MakeEmbedder, cache: EmbeddingCache, *, jobs: int, progress: Progress
) -> EmbeddingLibrary:
    """Compute what is not in the cache yet; a break loses only the recordings in work."""
    wanted = list(dict.fromkeys(paths))
    outcomes = run_tasks(
        partial(_worker, make, cache),
        wanted,
        what="embedding",
        jobs=jobs,
        progress=progress,
        tasks_per_process=TASKS_PER_PROCESS,
    )
    pairs = list(zip(wanted, outcomes, strict=True))
    return EmbeddingLibrary(
        {path: outcome for path, outcome in pairs if isinstance(outcome, EmbeddedRecording)},
        {path: str(outcome) for path, outcome in pairs if isinstance(outcome, DetectorError)},
    )


def _worker(make: MakeEmbedder, cache: EmbeddingCache) -> Callable[[Path], EmbeddedRecording]:
    embedder: RecordingEmbedder | None = None

    def embed(path: Path) -> EmbeddedRecording:
        nonlocal embedder
        content = content_sha256(path)
        known = cache.get(content)
        if known is not None:
            return known
        embedder = embedder or make()  # not before it is needed: a warm cache needs no model
        computed = embedder.embed(path)
        cache.put(content, computed)
        return computed

    return embed
