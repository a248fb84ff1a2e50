"""What is asked of a worker for one recording, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detector.analysis.recording_files import RecordingFile
from detector.analysis.shard import Shard
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
class AnalyzeRequest:
    """What the command line asked for."""

    paths: tuple[str, ...]
    """Recordings, and folders of them."""
    wanted: Wanted = Wanted()
    out: Path | None = None
    """A folder for the results; None is standard output."""
    overwrite: bool = False
    """Analyze again what the folder already holds."""
    start: float | None = None
    """UTC seconds at which the recordings began, where the user said so."""
    jobs: int = 0
    """Processes; 0 is one for each core."""
    shard: Shard | None = None
    """Only this share of the recordings."""
    dask: str | None = None
    """A Dask scheduler, `tcp://HOST:PORT`, or `local[N]`; None is processes of our own."""
    quiet: bool = False
    traces: bool = False
    """Whether tracebacks of bugs are shown."""


@dataclass(frozen=True, slots=True)
class Task:
    """One recording to analyze."""

    recording: RecordingFile
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
    damage: str = ""
    """What of the recording could not be read; empty where all of it was."""
