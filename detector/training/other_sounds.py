"""A bank of other sounds, so that a head knows what it is not to take for what it was taught.

It holds embeddings, no sound: of clips in simulated scenes, a few windows of each, in pairs that follow on
each other, by every network that can be a head's base. `scripts/make_other_sounds.py` makes the file; LICENSE
says from what.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.training.layers import signed_sqrt

FILE = "other_sounds.npz"
"""In this package."""
MADE_UP = "made-up"
"""First word of the groups that are synthetic: they teach, but what they are taken for says little."""
STEPS = 127
"""Square roots are kept in so many steps of either sign."""


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


@dataclass(frozen=True, slots=True, eq=False)
class HeardGroup:
    """What several networks make of the sounds of one kind, before they are written."""

    embeddings: Mapping[str, NDArray[np.float32]]
    """Network -> shape (2 x pairs, features)."""
    sound: NDArray[np.intp]
    """Shape (2 x pairs,): which sound each window is of."""


def load_bank(networks: Sequence[str]) -> Bank:
    """Read the bank that ships, for heads on these networks; empty where it lacks one of them."""
    return read_bank(files("detector.training").joinpath(FILE).read_bytes(), networks)


def read_bank(content: bytes, networks: Sequence[str]) -> Bank:
    """Read the file's content: these networks' embeddings side by side; ValueError or KeyError if damaged."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        if not set(networks) <= {str(name) for name in kept["networks"]}:
            return {}
        roots = [kept[f"{name} roots"] * np.float32(kept[f"{name} step"]) for name in networks]
        group, sound = kept["group"], kept["sound"]
        names = [str(name) for name in kept["groups"]]
    rows = np.concatenate([np.copysign(np.square(values), values) for values in roots], axis=1)
    bank = {}
    for number, name in enumerate(names):
        own = np.flatnonzero(group == number)
        of_pair = sound[own].reshape(-1, 2)[:, 0]
        bank[name] = SoundGroup(
            embeddings=rows[own],
            pairs=np.arange(len(own)).reshape(-1, 2),
            sound=np.unique(of_pair, return_inverse=True)[1],
        )
    return bank


def write_bank(path: Path, groups: Mapping[str, HeardGroup]) -> None:
    """Write groups, all heard by the same networks: their square roots, which is what heads learn from."""
    networks = list(next(iter(groups.values())).embeddings)
    arrays = {}
    for name in networks:
        roots = signed_sqrt(np.concatenate([one.embeddings[name] for one in groups.values()]))
        step = float(np.abs(roots).max()) / STEPS
        arrays[f"{name} roots"] = np.round(roots / step).astype(np.int8)
        arrays[f"{name} step"] = np.array(step, np.float32)
    number = np.repeat(np.arange(len(groups)), [len(one.sound) for one in groups.values()])
    np.savez_compressed(
        path,
        allow_pickle=False,
        **arrays,
        networks=np.array(networks),
        group=number.astype(np.uint8),
        sound=np.concatenate([one.sound for one in groups.values()]).astype(np.uint16),
        groups=np.array(list(groups)),
    )
