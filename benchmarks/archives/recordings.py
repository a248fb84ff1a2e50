"""An archive of a given length: a few recordings of real clips with quiet between, under many names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.sounds import RATE, esc10, noise, quantised

ROOMS = ("hall", "yard")
BEGIN = datetime(2026, 8, 1, tzinfo=UTC)
QUIET_DBFS = -60.0
QUIET_SECONDS = 60
"""Of noise, which is repeated."""
KINDS = ((10, 0.10), (20, 0.04), (30, 0.02), (45, 0.02), (60, 0.01))
"""Minutes of a recording, and the share of them that clips take."""
ABOUT = (
    "Recordings of 10, 20, 30, 45 and 60 minutes (16 kHz, mono, FLAC): ESC-10 clips of 5 s, which take "
    f"10, 4, 2, 2 and 1 % of the time, between pink noise at {QUIET_DBFS:.0f} dBFS. Each stands there under "
    "many names, by hard links."
)


def write_archive(folder: Path, hours: float, kinds: Sequence[tuple[int, float]] = KINDS) -> list[Path]:
    """Make `ROOM/20260801T000000Z.flac` and so on, without gaps in a room, at least so many hours."""
    bases = _bases(folder / ".bases", kinds)
    clocks = dict.fromkeys(ROOMS, BEGIN)
    paths: list[Path] = []
    left = timedelta(hours=hours)
    while left > timedelta():
        room = min(ROOMS, key=lambda name: clocks[name])
        minutes, _ = kinds[len(paths) % len(kinds)]
        path = folder / room / f"{clocks[room]:%Y%m%dT%H%M%SZ}.flac"
        path.parent.mkdir(exist_ok=True)
        path.hardlink_to(bases[minutes])
        paths.append(path)
        length = timedelta(minutes=minutes)
        clocks[room] += length
        left -= length
    return paths


def _bases(folder: Path, kinds: Sequence[tuple[int, float]]) -> dict[int, Path]:
    """A recording of each kind."""
    import soundfile

    folder.mkdir(parents=True)
    clips = [quantised(clip) for _, clip in esc10()]
    quiet = quantised(noise("pink", QUIET_DBFS, QUIET_SECONDS))
    rng = np.random.default_rng(16)
    paths = {}
    for minutes, share in kinds:
        paths[minutes] = folder / f"{minutes}.flac"
        soundfile.write(paths[minutes], _recording(rng, quiet, clips, minutes, share), RATE, subtype="PCM_16")
    return paths


def _recording(
    rng: np.random.Generator,
    quiet: NDArray[np.int16],
    clips: list[NDArray[np.int16]],
    minutes: int,
    share: float,
) -> NDArray[np.int16]:
    sound = np.resize(quiet, minutes * 60 * RATE)
    slot = round(len(clips[0]) / share)
    for start in range(0, len(sound) - slot + 1, slot):
        clip = clips[rng.integers(len(clips))]
        begin = start + int(rng.integers(slot - len(clip) + 1))
        sound[begin : begin + len(clip)] = clip
    return sound
