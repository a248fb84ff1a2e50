"""A first look at every recording, before anything is learned from it: can it be read, what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.errors import DetectorError
from detector.sources.recording import Recording
from detector.training.cache import content_sha256
from detector.training.processes import do_all
from detector.training.recipe import Progress

LOOK_RATE = 16000
"""Hertz; every model hears this much, so what differs only above it is the same."""


@dataclass(frozen=True, slots=True)
class Look:
    """One recording at first sight."""

    content: str
    """sha256 of the file."""
    sound: str
    """Digest of the samples at LOOK_RATE: the same for copies in other lossless formats."""
    seconds: float
    peak_dbfs: float
    """Largest sample re full scale; -inf for digital silence."""
    level_dbfs: float
    """RMS of its median second re full scale: what it is like most of the time."""


def look_at(path: Path) -> Look:
    """Read one recording to its end; raises DetectorError where it cannot be read."""
    content = content_sha256(path)
    digest = hashlib.blake2b(digest_size=16)
    peak, samples = 0, 0
    powers = []
    recording = Recording(path=path, sample_rate=LOOK_RATE, block_length=LOOK_RATE)
    try:
        for block in recording.blocks():
            digest.update(block.samples.tobytes())
            peak = max(peak, int(np.abs(block.samples.astype(np.int32)).max(initial=0)))
            powers.append(float(np.mean(np.square(block.samples, dtype=np.float64))))
            samples = block.stop
    finally:
        recording.close()
    level = float(np.sqrt(np.median(powers))) if powers else 0.0
    return Look(content, digest.hexdigest(), samples / LOOK_RATE, _dbfs(peak), _dbfs(level))


def _dbfs(value: float) -> float:
    """Of a value in units of a sample's."""
    return 20 * float(np.log10(value / 32768)) if value else -np.inf


def look_at_all(paths: Sequence[Path], *, jobs: int, progress: Progress) -> list[Look | DetectorError]:
    """One look, or why there is none, for each path."""
    return do_all(_looker, paths, what="reading", jobs=jobs, progress=progress)


def _looker() -> Callable[[Path], Look]:
    return look_at
