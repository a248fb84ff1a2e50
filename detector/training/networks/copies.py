"""The spectrograms of every clip and of its altered copies: made once, kept in memory and in a folder.

Stretching and shifting take longer than an epoch of a small network, so copies are made before training
starts, in parallel, and chosen among while it goes on. What comes out depends on the seed, the clip and the
number of the copy alone, not on how many processes made it or in which order.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams
from detector.errors import DetectorError, SourceError
from detector.training.augmentation import ON_SAMPLES, Samples, alter
from detector.training.networks.clip_patches import FULL_SCALE, ClipFrames, PatchMaker
from detector.training.recipe import Example
from detector.workers.progress import Progress
from detector.workers.tasks import run_tasks

TASKS_PER_PROCESS = 8
"""A process that makes fewer copies costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One clip, unaltered (number 0) or altered."""

    example: Example
    number: int
    names: frozenset[str] = frozenset()
    """Alterations it may get."""


@dataclass(frozen=True, slots=True)
class CopyMaker:
    """Makes copies of clips and their spectrograms; the same in every process."""

    front_end: LogMelParams
    window: int
    level: bool
    seed: int
    backgrounds: tuple[Example, ...] = ()
    """Clips of the background class, to mix in."""
    cache: Path | None = None

    def make(self, copy: Copy) -> ClipFrames:
        """Make one; raises SourceError."""
        file = self._file(copy)
        if file is not None and (kept := _load(file)) is not None:
            return kept
        maker = PatchMaker(self.front_end, self.window, level=self.level)
        samples = maker.read(copy.example)
        if copy.number:
            rng = np.random.default_rng([self.seed, copy.number, *_identity(copy.example)])
            floats = samples.astype(np.float32) / np.float32(FULL_SCALE)
            altered = alter(
                floats, self.front_end.sample_rate, copy.names, rng, partial(self._background, maker)
            )
            samples = np.round(np.clip(altered * FULL_SCALE, -32768, 32767)).astype(np.int16)
        made = maker.clip(samples)
        if file is not None:
            _write(file, made)
        return made

    def _background(self, maker: PatchMaker, rng: np.random.Generator) -> Samples | None:
        if not self.backgrounds:
            return None
        example = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        return maker.read(example).astype(np.float32) / np.float32(FULL_SCALE)

    def _file(self, copy: Copy) -> Path | None:
        """Where it is kept; None for an unaltered clip, which is fast to make again."""
        if self.cache is None or not copy.number:
            return None
        status = copy.example.path.stat()
        others = [str(each.path) for each in self.backgrounds] if "background" in copy.names else []
        decisive = (
            *(str(copy.example.path.resolve()), status.st_size, status.st_mtime_ns),
            *(copy.example.start, copy.example.stop, copy.number, sorted(copy.names), others),
            *(self.front_end, self.level, self.seed),
        )
        return self.cache / f"{blake2b(repr(decisive).encode(), digest_size=16).hexdigest()}.npz"


@dataclass(slots=True)
class CopyStore:
    """Makes copies when they are first asked for, many at once, and keeps them in memory."""

    maker: CopyMaker
    jobs: int
    """Processes; 0 is one for each core."""
    _clips: dict[tuple[Path, float, float | None, int, frozenset[str]], ClipFrames] = field(
        default_factory=dict
    )

    def get(self, wanted: Sequence[Copy], progress: Progress) -> list[ClipFrames]:
        """Return each, in order; raises SourceError."""
        missing = list({_key(copy): copy for copy in wanted if _key(copy) not in self._clips}.values())
        made = run_tasks(
            partial(_make_work, self.maker),
            missing,
            what="reading",
            jobs=self.jobs,
            progress=progress,
            tasks_per_process=TASKS_PER_PROCESS,
        )
        for copy, clip in zip(missing, made, strict=True):
            if isinstance(clip, DetectorError):
                raise SourceError(str(clip)) from clip
            self._clips[_key(copy)] = clip
        return [self._clips[_key(copy)] for copy in wanted]


def _make_work(maker: CopyMaker) -> Callable[[Copy], ClipFrames]:
    return maker.make


def planned(
    examples: Sequence[Example], names: Callable[[NDArray[np.float32]], frozenset[str]], copies: int
) -> list[list[Copy]]:
    """List each example's copies, the unaltered one first; a class without alterations has no others."""
    plans = []
    for example in examples:
        own = names(example.targets) & frozenset(ON_SAMPLES)
        altered = [Copy(example, number, own) for number in range(1, copies + 1)] if own else []
        plans.append([Copy(example, 0), *altered])
    return plans


def _key(copy: Copy) -> tuple[Path, float, float | None, int, frozenset[str]]:
    return copy.example.path, copy.example.start, copy.example.stop, copy.number, copy.names


def _identity(example: Example) -> list[int]:
    """Numbers that tell a clip from others wherever its folder lies."""
    text = repr((example.path.parent.name, example.path.name, example.start, example.stop))
    return list(blake2b(text.encode(), digest_size=8).digest())


def _load(file: Path) -> ClipFrames | None:
    try:
        with np.load(file) as stored:
            return ClipFrames(stored["frames"], stored["gains_db"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # absent, or cut short by a crash: it is made anew


def _write(file: Path, clip: ClipFrames) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.savez(stream, frames=clip.frames, gains_db=clip.gains_db)
    part.replace(file)
