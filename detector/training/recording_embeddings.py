"""The embeddings of a recording, window by window, through the daemon's own pipeline.

Level handling, window grid and gate are those of the settings, so that a head learns from exactly what it
will be given. Windows for which the gate was shut are kept too, and marked: a quiet recording that never
opened the gate has no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.audition.side_by_side import GATED, UNGATED, MakePipeline, MakeSource, run_recording
from detector.interfaces import Embedder
from detector.records import ModelSpec, Scores, Window


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedRecording:
    """One recording's windows, in order."""

    stops: NDArray[np.float64]
    """Shape (windows,): the end of each window [s]."""
    embeddings: NDArray[np.float16]
    """Shape (windows, features); halves are exact for the 8 bits of YAMNet's, and half the cache."""
    is_open: NDArray[np.bool_]
    """Shape (windows,): whether the gate was open, so that the daemon would have classified it."""

    def part(self, start: float, stop: float | None) -> EmbeddedRecording:
        """The windows that end in a section [s]; `stop` None is the recording's end."""
        last = np.inf if stop is None else stop
        return self._where((self.stops > start) & (self.stops <= last + 1e-6))

    def counted(self) -> EmbeddedRecording:
        """The windows with an open gate; all, where it never opened."""
        return self._where(self.is_open) if self.is_open.any() else self

    def _where(self, wanted: NDArray[np.bool_]) -> EmbeddedRecording:
        return EmbeddedRecording(self.stops[wanted], self.embeddings[wanted], self.is_open[wanted])


class RecordingEmbedder:
    """Computes the embeddings of recordings; `pipelines` are called GATED and UNGATED."""

    def __init__(
        self, embedder: Embedder, pipelines: Mapping[str, MakePipeline], make_source: MakeSource
    ) -> None:
        self._embedder = embedder
        self._pipelines = pipelines
        self._make_source = make_source

    def embed(self, path: Path) -> EmbeddedRecording:
        """Run one recording through both pipelines, embedding each window once; raises SourceError."""
        kept = _EmbeddingKeeper(self._embedder)
        _, outputs = run_recording(self._make_source(path), kept, self._pipelines)
        stops = [scores.span.stop for scores in outputs[UNGATED].scores]
        opened = {scores.span.stop for scores in outputs[GATED].scores}
        embeddings = np.array([kept.embeddings[stop] for stop in stops], np.float16)
        return EmbeddedRecording(
            stops=np.array(stops) / self._embedder.spec.sample_rate,
            embeddings=embeddings.reshape(len(stops), self._embedder.embedding_length),
            is_open=np.array([stop in opened for stop in stops], np.bool_),
        )


class _EmbeddingKeeper:
    """Fills `Classifier` with an embedder, and keeps the embedding of each window by its end."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.embeddings: dict[int, NDArray[np.float32]] = {}

    @property
    def spec(self) -> ModelSpec:
        return self._embedder.spec

    def scores(self, window: Window) -> Scores:
        scores, self.embeddings[window.span.stop] = self._embedder.hear(window)
        return scores

    def close(self) -> None:
        """The embedder belongs to whoever made it."""
