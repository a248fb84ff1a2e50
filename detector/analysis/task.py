"""What is asked of a worker for one recording, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from detector.analysis.recordings import Recording
from detector.analysis.summary import Summary


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write of each recording."""

    formats: tuple[str, ...] = ("jsonl",)
    plot: bool = False
    report: bool = False

    @property
    def pictures(self) -> bool:
        """Whether something has to be drawn."""
        return self.plot or self.report


@dataclass(frozen=True, slots=True)
class Task:
    """One recording to analyze."""

    recording: Recording
    folder: str
    """Where results go."""
    wanted: Wanted
    start: float | None = None
    """UTC seconds at which it began, where the user said so."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it."""

    summary: Summary
    outputs: tuple[str, ...]
    """Names of the files written, below the folder."""
