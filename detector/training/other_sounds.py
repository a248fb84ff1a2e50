"""A bank of other sounds, so that a head knows what it is not to take for what it was taught.

It holds embeddings, no sound: of clips in simulated scenes, a few windows of each, in pairs that follow on
each other. `scripts/make_other_sounds.py` makes the file; LICENSE says from what.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILES = {"yamnet": "other_sounds_yamnet.npz"}
"""Base model -> the file in this package; for other bases there is none."""
MADE_UP = "made-up"
"""First word of the groups that are synthetic: they teach, but what they are taken for says little."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundGroup:
    """Sounds of one kind."""

    embeddings: NDArray[np.float32]
    """Shape (windows, features)."""
    pairs: NDArray[np.intp]
    """Shape (pairs, 2): rows of windows that follow on each other."""
    sound: NDArray[np.intp]
    """Shape (pairs,): which sound a pair is of, 0.. in each group."""

    @property
    def count(self) -> int:
        """How many sounds there are."""
        return int(self.sound.max(initial=-1)) + 1


Bank = Mapping[str, SoundGroup]
"""Name of a group -> its sounds."""


def load_bank(base: str) -> Bank:
    """Read the bank that ships for a base model; empty where there is none."""
    name = FILES.get(base)
    if name is None:
        return {}
    return read_bank(files("detector.training").joinpath(name).read_bytes())


def read_bank(content: bytes) -> Bank:
    """Read the file's content; ValueError, KeyError where it is none."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        scale = np.float32(kept["scale"])
        rows, group, sound = kept["rows"], kept["group"], kept["sound"]
        names = [str(name) for name in kept["groups"]]
    bank = {}
    for number, name in enumerate(names):
        own = np.flatnonzero(group == number)
        of_pair = sound[own].reshape(-1, 2)[:, 0]
        bank[name] = SoundGroup(
            embeddings=rows[own].astype(np.float32) * scale,
            pairs=np.arange(len(own)).reshape(-1, 2),
            sound=np.unique(of_pair, return_inverse=True)[1],
        )
    return bank


def write_bank(path: Path, groups: Mapping[str, tuple[NDArray[np.float32], NDArray[np.intp]]]) -> None:
    """Write groups: rows (2 x pairs, features), not negative, and the sound (2 x pairs,) that each is of.

    Values are kept in 255 steps of their maximum, which is as fine as YAMNet's own 8 bits.
    """
    rows = np.concatenate([values for values, _ in groups.values()])
    scale = float(rows.max()) / 255
    number = np.repeat(np.arange(len(groups)), [len(values) for values, _ in groups.values()])
    np.savez_compressed(
        path,
        rows=np.round(rows / scale).astype(np.uint8),
        scale=np.float32(scale),
        group=number.astype(np.uint8),
        sound=np.concatenate([sound for _, sound in groups.values()]).astype(np.uint16),
        groups=np.array(list(groups)),
    )
