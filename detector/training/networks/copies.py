"""Every clip as it is and in altered copies, heard once and kept: in memory, and in a folder if there is one.

Stretching and shifting take longer than an epoch of a small network, so copies are made before training
starts, in parallel, and chosen among while it goes on. What comes out depends on the seed, the clip and the
number of the copy alone, not on how many processes made it or in which order.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams
from detector.errors import SourceError
from detector.training.augmentation import ON_SAMPLES, Samples, alter
from detector.training.networks.hearing import FULL_SCALE, HeardClip, Hearing
from detector.training.recipe import Example, Progress
from detector.workers.pool import Pool
from detector.workers.worker import Ended, Failed, Work


@dataclass(frozen=True, slots=True)
class Copy:
    """One clip, unaltered (number 0) or altered."""

    example: Example
    number: int
    names: frozenset[str] = frozenset()
    """Alterations it may get."""


@dataclass(frozen=True, slots=True)
class Ear:
    """How clips are heard; the same in every process."""

    front_end: LogMelParams
    window: int
    level: bool
    seed: int
    backgrounds: tuple[Example, ...] = ()
    """Clips of the background class, to mix in."""
    cache: Path | None = None

    def hear(self, copy: Copy) -> HeardClip:
        """Hear one; raises SourceError."""
        file = self._file(copy)
        if file is not None and (kept := _read(file)) is not None:
            return kept
        hearing = Hearing(self.front_end, self.window, level=self.level)
        samples = hearing.read(copy.example)
        if copy.number:
            rng = np.random.default_rng([self.seed, copy.number, *_identity(copy.example)])
            floats = samples.astype(np.float32) / np.float32(FULL_SCALE)
            altered = alter(
                floats, self.front_end.sample_rate, copy.names, rng, partial(self._background, hearing)
            )
            samples = np.round(np.clip(altered * FULL_SCALE, -32768, 32767)).astype(np.int16)
        heard = hearing.clip(samples)
        if file is not None:
            _write(file, heard)
        return heard

    def _background(self, hearing: Hearing, rng: np.random.Generator) -> Samples | None:
        if not self.backgrounds:
            return None
        example = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        return hearing.read(example).astype(np.float32) / np.float32(FULL_SCALE)

    def _file(self, copy: Copy) -> Path | None:
        """Where it is kept; None where it is not: what is fast to hear again needs no folder."""
        if self.cache is None or not copy.number:
            return None
        status = copy.example.path.stat()
        others = [str(each.path) for each in self.backgrounds] if "background" in copy.names else []
        said = (
            *(str(copy.example.path.resolve()), status.st_size, status.st_mtime_ns),
            *(copy.example.start, copy.example.stop, copy.number, sorted(copy.names), others),
            *(self.front_end, self.level, self.seed),
        )
        return self.cache / f"{blake2b(repr(said).encode(), digest_size=16).hexdigest()}.npz"


@dataclass(slots=True)
class Copies:
    """Hears copies when they are first asked for, many at once, and remembers them."""

    ear: Ear
    jobs: int
    """Processes; 0 is one for each core."""
    _heard: dict[tuple[Path, float, float | None, int, frozenset[str]], HeardClip] = field(
        default_factory=dict
    )

    def hear(self, wanted: Sequence[Copy], progress: Progress) -> list[HeardClip]:
        """Return each, in order; raises SourceError."""
        missing = list({_key(copy): copy for copy in wanted if _key(copy) not in self._heard}.values())
        processes = min(self.jobs or os.cpu_count() or 1, len(missing) // 8)  # a process takes a second
        heard = self._in_processes(missing, processes) if processes > 1 else self._here(missing)
        for done, (copy, clip) in enumerate(heard, start=1):
            self._heard[_key(copy)] = clip
            progress("hearing", done, len(missing))
        return [self._heard[_key(copy)] for copy in wanted]

    def _here(self, copies: Sequence[Copy]) -> Iterator[tuple[Copy, HeardClip]]:
        for copy in copies:
            yield copy, self.ear.hear(copy)

    def _in_processes(self, copies: Sequence[Copy], processes: int) -> Iterator[tuple[Copy, HeardClip]]:
        with Pool[Copy, HeardClip](partial(_worker, self.ear), processes) as pool:
            for index, said in pool.run(copies):
                if isinstance(said, Ended):
                    yield copies[index], said.result
                elif isinstance(said, Failed):
                    raise SourceError(said.reason)


def _worker(ear: Ear) -> Work[Copy, HeardClip]:
    def work(copy: Copy, tell: Callable[[float, float], None], /) -> HeardClip:
        return ear.hear(copy)

    return work


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
    said = repr((example.path.parent.name, example.path.name, example.start, example.stop))
    return list(blake2b(said.encode(), digest_size=8).digest())


def _read(file: Path) -> HeardClip | None:
    try:
        with np.load(file) as stored:
            return HeardClip(stored["frames"], stored["gains_db"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # absent, or cut short by a crash: it is made anew


def _write(file: Path, heard: HeardClip) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.savez(stream, frames=heard.frames, gains_db=heard.gains_db)
    part.replace(file)
