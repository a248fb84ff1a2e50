"""Labelled clips to be judged on, as they are and made harder: quieter, or in white noise.

Clips are at 32 kHz and 16 bits; the level of the noise refers to the clip's active parts, so that a short
bark is in as much noise as a long rain. `clip SNR` refers to the whole clip, as is usual: short sounds in
silence are easier then.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.sounds import Samples, data_folder, quantised

RATE = 32000
"""Of every clip [Hz]; what a recording has less of is empty above."""
PIECE = RATE // 10
"""Samples of the pieces in which activity is judged."""

CONDITIONS = ("clean", "-20 dB", "-40 dB", "SNR 20", "SNR 6")


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording and what it is known to be."""

    kind: str
    """The data set's name for it: `Dog bark`, `air_conditioner`."""
    path: Path

    def samples(self, condition: str) -> NDArray[np.int16]:
        """Read it and make it harder; the same noise every time."""
        import soundfile
        import soxr

        given, rate = soundfile.read(self.path, dtype="float64", always_2d=True)
        clip = soxr.resample(given.mean(axis=1), rate, RATE)
        what, _, number = condition.rpartition(" ")
        if what.endswith("SNR"):
            rng = np.random.default_rng(sum(self.path.name.encode()))
            mean_square = active_mean_square(clip) if what == "SNR" else float(np.square(clip).mean())
            power = mean_square / 10 ** (float(number) / 10)
            clip = clip + np.sqrt(power) * rng.standard_normal(len(clip))
        elif condition != "clean":
            clip = clip * 10 ** (float(condition.removesuffix(" dB")) / 20)
        return quantised(clip)


def active_mean_square(clip: Samples) -> float:
    """Mean square of the pieces that are within 20 dB of the loudest."""
    pieces = np.square(clip[: max(1, len(clip) // PIECE) * PIECE])
    if len(pieces) < PIECE:
        return float(pieces.mean())
    means = pieces.reshape(-1, PIECE).mean(axis=1)
    return float(means[means >= means.max() / 100].mean())


def esc10(limit: int | None) -> list[Clip]:
    """ESC-10 (K. J. Piczak, CC BY 3.0); `limit` takes that many of each class."""
    folder = data_folder() / "esc10"
    paths = sorted(folder.glob("*/*.ogg"))
    return _limited([Clip(path.parent.name.partition(" - ")[2], path) for path in paths], limit)


def urbansound8k(limit: int | None) -> list[Clip]:
    """The folds of UrbanSound8K that are there (CC BY-NC 3.0: for judging only); `limit` as above."""
    folder = data_folder() / "urbansound8k"
    table = folder / "metadata" / "UrbanSound8K.csv"
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    clips = [
        Clip(
            row["class"],
            folder / "audio" / f"fold{row['fold']}" / Path(row["slice_file_name"]).with_suffix(".ogg"),
        )
        for row in rows
    ]
    return _limited([clip for clip in clips if clip.path.is_file()], limit)


CORPORA: dict[str, Callable[[int | None], list[Clip]]] = {"ESC-10": esc10, "UrbanSound8K": urbansound8k}


def _limited(clips: list[Clip], limit: int | None) -> list[Clip]:
    """Take so many of each class, evenly over those there are."""

    def each() -> Iterator[Clip]:
        for kind in dict.fromkeys(clip.kind for clip in clips):
            members = [clip for clip in clips if clip.kind == kind]
            step = 1 if limit is None else max(1, len(members) // limit)
            yield from islice(members[::step], limit)

    return list(each())
