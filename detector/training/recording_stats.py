"""Statistics of every recording, computed before training: can it be read, how loud and how long is it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.errors import DetectorError
from detector.sources.recording import Recording
from detector.training.embedding_cache import content_sha256
from detector.workers.progress import Progress
from detector.workers.tasks import run_tasks

STATS_RATE = 16000
"""Hertz; every model uses these frequencies, so recordings that differ only above them are the same."""

TASKS_PER_PROCESS = 4
"""Fewer are done before a process has started."""


@dataclass(frozen=True, slots=True)
class RecordingStats:
    """What is measured of one recording."""

    content: str
    """sha256 of the file."""
    sound: str
    """Digest of the samples at STATS_RATE: the same for copies in other lossless formats."""
    seconds: float
    peak_dbfs: float
    """Largest sample re full scale; -inf for digital silence."""
    level_dbfs: float
    """RMS of its median second re full scale: what it is like most of the time."""


def measure_recording(path: Path) -> RecordingStats:
    """Read one recording to its end; raises DetectorError where it cannot be read."""
    content = content_sha256(path)
    digest = hashlib.blake2b(digest_size=16)
    peak, samples = 0, 0
    powers = []
    recording = Recording(path=path, sample_rate=STATS_RATE, block_length=STATS_RATE)
    try:
        for block in recording.blocks():
            digest.update(block.samples.tobytes())
            peak = max(peak, int(np.abs(block.samples.astype(np.int32)).max(initial=0)))
            powers.append(float(np.mean(np.square(block.samples, dtype=np.float64))))
            samples = block.stop
    finally:
        recording.close()
    level = float(np.sqrt(np.median(powers))) if powers else 0.0
    return RecordingStats(content, digest.hexdigest(), samples / STATS_RATE, _dbfs(peak), _dbfs(level))


def _dbfs(value: float) -> float:
    """Of a value in units of a sample's."""
    return 20 * float(np.log10(value / 32768)) if value else -np.inf


def measure_recordings(
    paths: Sequence[Path], *, jobs: int, progress: Progress
) -> list[RecordingStats | DetectorError]:
    """Statistics for each path, or the error why there are none."""
    return run_tasks(
        _make_measurer,
        paths,
        what="reading",
        jobs=jobs,
        progress=progress,
        tasks_per_process=TASKS_PER_PROCESS,
    )


def _make_measurer() -> Callable[[Path], RecordingStats]:
    return measure_recording
