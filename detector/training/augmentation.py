"""Altered copies of a clip: time stretch, pitch shift, gain, noise, and a background mixed in.

Chosen for all classes, or for some: Salamon and Bello found that what helps one class harms another
(IEEE SPL 2017, arXiv:1608.04363); the ranges are about theirs. ON_PATCHES are named here too, since a
user chooses among all, but they work on patches: `networks.batches` does them.
Shapes: samples float32 (n,) in [-1, 1], at any rate; a stretched clip has another length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import ConfigError, ModelError

Samples = NDArray[np.float32]
_Foreign: TypeAlias = Any
"""librosa's module, which is not followed by the type checker."""

STRETCH = (0.8, 1.25)
"""Speed; the pitch stays."""
PITCH_SEMITONES = (-3.0, 3.0)
GAIN_DB = (-12.0, 6.0)
NOISE_SNR_DB = (6.0, 30.0)
NOISE_SLOPES = (0.0, 2.0)
"""Its power falls with frequency to this power: white, pink, brown."""
BACKGROUND_SNR_DB = (3.0, 20.0)
SHARE = 0.7
"""How likely each of the chosen alterations is in one copy."""
QUIETEST = 1e-5
"""A clip whose RMS is below this gets no noise in proportion to it."""

ON_SAMPLES = ("stretch", "pitch", "gain", "noise", "background")
ON_PATCHES = ("filter", "specaugment", "mixup")


def check_names(chosen: Sequence[str]) -> None:
    """ConfigError where an alteration is unknown, of `name` and `class=name`."""
    for choice in chosen:
        name = choice.rpartition("=")[2]
        if name not in ON_SAMPLES + ON_PATCHES:
            raise ConfigError(
                f"augmentation {name!r} is unknown; expected CLASS=NAME or NAME, one of "
                f"{', '.join(ON_SAMPLES + ON_PATCHES)}"
            )


@dataclass(frozen=True, slots=True)
class Augmentations:
    """Which alterations each class gets."""

    by_class: tuple[frozenset[str], ...]
    """In the order of the task's classes."""

    @classmethod
    def of(cls, chosen: Sequence[str], classes: Sequence[str]) -> Augmentations:
        """Read `name` (for all) and `class=name` (for one); ConfigError where either is unknown."""
        check_names(chosen)
        own: dict[str, set[str]] = {name: set() for name in classes}
        for choice in chosen:
            label, _, name = choice.rpartition("=")
            if label and label not in own:
                raise ConfigError(f"augmentation {choice!r}: there is no class {label!r} in the dataset")
            for each in [label] if label else classes:
                own[each].add(name)
        return cls(tuple(frozenset(own[name]) for name in classes))

    def for_targets(self, targets: NDArray[np.float32]) -> frozenset[str]:
        """What a clip gets: what every class that sounds in it allows; nothing for a clip of no class."""
        sounding = np.flatnonzero(targets)
        return (
            frozenset.intersection(*(self.by_class[index] for index in sounding))
            if len(sounding)
            else frozenset()
        )


def alter(
    samples: Samples,
    sample_rate: int,
    names: frozenset[str],
    rng: np.random.Generator,
    background: Callable[[np.random.Generator], Samples | None],
) -> Samples:
    """Return one altered copy; `background` gives some background to mix in, or None."""
    for name in ON_SAMPLES:  # in this order: noise and gain come after what changes the sound itself
        if name not in names or rng.random() > SHARE:
            continue
        if name == "stretch":
            samples = stretched(samples, float(np.exp(rng.uniform(*np.log(STRETCH)))))
        elif name == "pitch":
            samples = shifted(samples, sample_rate, float(rng.uniform(*PITCH_SEMITONES)))
        elif name == "gain":
            samples = samples * np.float32(10 ** (rng.uniform(*GAIN_DB) / 20))
        elif name == "noise":
            noise = coloured_noise(len(samples), float(rng.uniform(*NOISE_SLOPES)), rng)
            samples = mixed(samples, noise, float(rng.uniform(*NOISE_SNR_DB)))
        elif (other := background(rng)) is not None:
            samples = mixed(
                samples, _fitted(other, len(samples), rng), float(rng.uniform(*BACKGROUND_SNR_DB))
            )
    return np.clip(samples, -1.0, 1.0)


def stretched(samples: Samples, rate: float) -> Samples:
    """Play it `rate` times as fast at the same pitch."""
    altered: Samples = _effects().time_stretch(samples, rate=rate)
    return altered


def shifted(samples: Samples, sample_rate: int, semitones: float) -> Samples:
    """Move its pitch; the length stays."""
    altered: Samples = _effects().pitch_shift(samples, sr=sample_rate, n_steps=semitones, res_type="soxr_qq")
    return altered


def coloured_noise(length: int, slope: float, rng: np.random.Generator) -> Samples:
    """Make noise of RMS 1 whose power falls with frequency to the power of `slope`."""
    spectrum = rng.normal(size=(2, length // 2 + 1)) * np.arange(1, length // 2 + 2) ** (-slope / 2)
    noise = np.fft.irfft(spectrum[0] + 1j * spectrum[1], n=length)
    scaled: Samples = (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)
    return scaled


def mixed(samples: Samples, other: Samples, snr_db: float) -> Samples:
    """Add another sound, so much below this one's RMS; silence stays silent."""
    own, its = (float(np.sqrt(np.mean(np.square(each, dtype=np.float64)))) for each in (samples, other))
    if own < QUIETEST or its < QUIETEST:
        return samples
    return samples + other * np.float32(own / its * 10 ** (-snr_db / 20))


def _fitted(other: Samples, length: int, rng: np.random.Generator) -> Samples:
    """Take a stretch of that length, repeated where it is shorter."""
    if len(other) < length:
        other = np.tile(other, -(-length // len(other)))
    start = int(rng.integers(0, len(other) - length + 1))
    return other[start : start + length]


def _effects() -> _Foreign:
    try:
        from librosa import effects
    except ImportError as error:
        raise ModelError(
            "time stretch and pitch shift need librosa (pip install 'sound-detector[train]')"
        ) from error
    found: _Foreign = effects
    return found
