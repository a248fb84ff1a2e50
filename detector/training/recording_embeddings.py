"""What a base model makes of a recording, window by window, through the daemon's own pipeline.

Level handling, window grid and gate are those of the settings, so that a head learns from just what it
will be given. Windows for which the gate was shut are kept too, marked: of a recording that never opened it
they are all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.evaluation.hearing import MakeSource
from detector.interfaces import Classifier, Embedder
from detector.pipeline import Pipeline
from detector.records import ModelSpec, Scores, Window

GATED, UNGATED = "as set", "gate off"
"""Names of the pipelines that a RecordingEmbedder is made with."""

MakePipeline = Callable[[Classifier], Pipeline]
"""A fresh pipeline for one stream."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedRecording:
    """One recording's windows, in order."""

    stops: NDArray[np.float64]
    """Shape (windows,): where each one ends [s]."""
    embeddings: NDArray[np.float16]
    """Shape (windows, features); halves are exact for the 8 bits of YAMNet's, and half the cache."""
    is_open: NDArray[np.bool_]
    """Shape (windows,): whether the daemon would have classified it."""

    def part(self, start: float, stop: float | None) -> EmbeddedRecording:
        """The windows that end in a stretch [s]."""
        last = np.inf if stop is None else stop
        return self._where((self.stops > start) & (self.stops <= last + 1e-6))

    def counted(self) -> EmbeddedRecording:
        """The windows with an open gate; all, where it never opened."""
        return self._where(self.is_open) if self.is_open.any() else self

    def _where(self, wanted: NDArray[np.bool_]) -> EmbeddedRecording:
        return EmbeddedRecording(self.stops[wanted], self.embeddings[wanted], self.is_open[wanted])


class RecordingEmbedder:
    """Listens to recordings; `pipelines` are called GATED and UNGATED."""

    def __init__(
        self, embedder: Embedder, pipelines: Mapping[str, MakePipeline], make_source: MakeSource
    ) -> None:
        self._embedder = embedder
        self._pipelines = pipelines
        self._make_source = make_source

    def embed(self, path: Path) -> EmbeddedRecording:
        """Run one recording through both pipelines, embedding each window once; raises SourceError."""
        notes = _Notes(self._embedder)
        everything = self._run(path, UNGATED, notes)
        opened = set(self._run(path, GATED, notes))
        length = self._embedder.embedding_length
        embeddings = np.array([notes.embeddings[stop] for stop in everything], np.float16)
        return EmbeddedRecording(
            stops=np.array(everything) / self._embedder.spec.sample_rate,
            embeddings=embeddings.reshape(len(everything), length),
            is_open=np.array([stop in opened for stop in everything], np.bool_),
        )

    def _run(self, path: Path, name: str, notes: _Notes) -> list[int]:
        """Where the windows end [samples]."""
        notes.stops = []
        source, pipeline = self._make_source(path), self._pipelines[name](notes)
        try:
            for block in source.blocks():
                pipeline.push(block)
        finally:
            source.close()
        pipeline.flush()
        return notes.stops


class _Notes:
    """Fills `Classifier`; writes down what it is asked for. A window's place decides its samples."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._scores: dict[int, Scores] = {}
        self.embeddings: dict[int, NDArray[np.float32]] = {}
        self.stops: list[int] = []

    @property
    def spec(self) -> ModelSpec:
        return self._embedder.spec

    def scores(self, window: Window) -> Scores:
        stop = window.span.stop
        if stop not in self._scores:
            self._scores[stop], self.embeddings[stop] = self._embedder.hear(window)
        self.stops.append(stop)
        return self._scores[stop]

    def close(self) -> None:
        """Nothing is held."""
