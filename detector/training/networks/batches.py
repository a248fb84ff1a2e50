"""Batches of random crops: the input of a network during training.

A crop is the network's input at some moment of the clip: it ends anywhere in the clip, begins with silence
where the clip is shorter than a window, holds some of the clip's sound, and has the daemon's gain. Some rows
of each batch are noise, of no class, so that the network does not give unknown sounds a high score.
Sources: SpecAugment (Park et al., 2019, arXiv:1904.08779); mixup (Zhang et al., 2018, arXiv:1710.09412).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.audio.logmel import LogMelParams
from detector.training.networks.clip_patches import ClipFrames

Patches = NDArray[np.float32]
"""Shape (n, frames, bands)."""
Targets = NDArray[np.float32]
"""Shape (n, classes)."""

LEAST_SHARE = 1 / 3
"""The shortest crop, as a share of a window."""
SOUNDING_DB = 25.0
"""A frame sounds where it is at most this far below the clip's loudest."""
TRIES = 8
NOISE_SHARE = 1 / 16
"""Of the rows of a batch."""
NOISE_SPAN = (-11.0, 0.0)
"""Log-mel level of that noise."""
MASKS = 2
MASK_SHARE = 1 / 8
"""Of the patch's frames or bands, at most, under one mask of SpecAugment."""
MIXUP_ALPHA = 0.3
FILTER_DB = 4.0
"""Standard deviation of a random microphone's gain at each of FILTER_KNOTS places over the bands."""
FILTER_KNOTS = 5
LOW_PASS_SHARE = 0.3
"""Of those microphones, the ones without any band above some cut, as at a lower sample rate."""
LOWEST_CUT = 0.6
"""The lowest such band, as a share of all: 4 kHz of 15."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One example: its copies, its classes, and the alterations of its patches."""

    clips: Sequence[ClipFrames]
    """The unaltered one first."""
    targets: NDArray[np.float32]
    """Shape (classes,)."""
    spec_augment: bool = False
    mixup: bool = False
    filter: bool = False


class Batches:
    """Makes the batches of an epoch; what they hold depends on the generator given for it alone.

    `no_class` (classes,): the target of noise.
    """

    def __init__(
        self, items: Sequence[Item], params: LogMelParams, frames: int, *, batch: int, no_class: Targets
    ) -> None:
        self._items = items
        self._params = params
        self._frames = frames
        self._noise_rows = max(1, round(batch * NOISE_SHARE)) if batch > 1 else 0
        self._clip_rows = batch - self._noise_rows
        self._no_class = no_class

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._items) // self._clip_rows)

    def epoch(self, rng: np.random.Generator) -> Iterator[tuple[Patches, Targets]]:
        """Show every example once, in random order."""
        order = rng.permutation(len(self._items))
        for rows in np.array_split(order, len(self)):
            yield self._batch([self._items[index] for index in rows], rng)

    def _batch(self, items: Sequence[Item], rng: np.random.Generator) -> tuple[Patches, Targets]:
        patches = np.stack([self._random_crop(item, rng) for item in items])
        filters = np.array([item.filter for item in items])
        patches[filters] = filtered(patches[filters], self._params, rng)
        targets = np.stack([item.targets for item in items])
        _mix(patches, targets, np.array([item.mixup for item in items]), rng)
        masked = np.array([item.spec_augment for item in items])
        patches[masked] = spec_augmented(patches[masked], rng)
        noise = self._noise(rng)
        return np.concatenate((patches, noise)), np.concatenate(
            (targets, np.tile(self._no_class, (len(noise), 1)))
        )

    def _random_crop(self, item: Item, rng: np.random.Generator) -> Patches:
        altered = item.clips[1:]
        clip = altered[int(rng.integers(len(altered)))] if altered and rng.random() < 0.75 else item.clips[0]
        loudness = clip.frames.max(axis=1)
        sounding = loudness >= loudness.max() - SOUNDING_DB / 10 * np.log(10)
        first = min(len(clip.frames), int(self._frames * LEAST_SHARE))
        stop = len(clip.frames)
        for _ in range(TRIES):
            stop = int(rng.integers(first, len(clip.frames) + 1))
            if sounding[max(0, stop - self._frames) : stop].any():
                break
        return crop(clip, stop, self._frames, self._params)

    def _noise(self, rng: np.random.Generator) -> Patches:
        """Make patches of steady noise, any slope, any level down to none."""
        bands = self._params.bands
        level = rng.uniform(*NOISE_SPAN, size=(self._noise_rows, 1, 1))
        slope = rng.uniform(-3, 3, size=(self._noise_rows, 1, 1)) * np.linspace(-1, 1, bands)
        flutter = np.log(rng.gamma(2.0, 0.5, size=(self._noise_rows, self._frames, bands)) + 1e-3)
        floor = np.log(self._params.log_offset)
        return np.maximum(level + slope + flutter, floor).astype(np.float32)


def crop(clip: ClipFrames, stop: int, frames: int, params: LogMelParams) -> Patches:
    """Cut the patch that ends with frame `stop`, with the gain of that moment, silence in front."""
    start = stop - frames
    heard = clip.frames[max(0, start) : stop].astype(np.float32)
    gain_db = float(clip.gains_db[stop - 1])
    if gain_db:
        heard = _amplified(heard, np.float32(10 ** (gain_db * params.power / 20)), params)
    silence = np.log(np.float32(params.log_offset))
    return np.pad(heard, ((max(0, -start), 0), (0, 0)), constant_values=silence)


def even_crops(clip: ClipFrames, count: int, frames: int, params: LogMelParams) -> Patches:
    """Cut `count` patches that end at even steps through a clip, the last at its end."""
    first = min(len(clip.frames), frames)
    stops = np.linspace(first, len(clip.frames), count).round().astype(int)
    return np.stack([crop(clip, int(stop), frames, params) for stop in stops])


def spec_augmented(patches: Patches, rng: np.random.Generator) -> Patches:
    """Cover random frames and random bands of each patch by its mean."""
    count, frames, bands = patches.shape
    covered = np.zeros(patches.shape, bool)
    for _ in range(MASKS):
        covered |= _stripe(count, frames, rng)[:, :, np.newaxis]
        covered |= _stripe(count, bands, rng)[:, np.newaxis, :]
    return np.where(covered, patches.mean(axis=(1, 2), keepdims=True), patches)


def filtered(patches: Patches, params: LogMelParams, rng: np.random.Generator) -> Patches:
    """Filter each patch as another microphone would: a smooth gain over the bands, for some with a cut."""
    count, _, bands = patches.shape
    knots = rng.normal(0, FILTER_DB, size=(count, FILTER_KNOTS))
    cut = np.where(rng.random(count) < LOW_PASS_SHARE, rng.uniform(LOWEST_CUT, 1, size=count), 1.0)
    places = np.linspace(0, FILTER_KNOTS - 1, bands)
    gains_db = np.array([np.interp(places, np.arange(FILTER_KNOTS), own) for own in knots])
    factors = 10 ** (gains_db.reshape(count, bands) * params.power / 20)
    factors[np.arange(bands) >= cut[:, np.newaxis] * bands] = 0
    return _amplified(patches, factors[:, np.newaxis, :].astype(np.float32), params)


def _amplified(
    log_mel: Patches, factor: np.float32 | NDArray[np.float32], params: LogMelParams
) -> NDArray[np.float32]:
    """The log-mel values of a sound that is stronger by this factor."""
    offset = np.float32(params.log_offset)
    louder: NDArray[np.float32] = np.log(np.maximum(np.exp(log_mel) - offset, 0) * factor + offset)
    return louder


def _stripe(count: int, length: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    width = rng.integers(0, max(1, round(length * MASK_SHARE)) + 1, size=(count, 1))
    start = (rng.random((count, 1)) * (length - width + 1)).astype(int)
    places = np.arange(length)
    stripe: NDArray[np.bool_] = (places >= start) & (places < start + width)
    return stripe


def _mix(patches: Patches, targets: Targets, chosen: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Mix each chosen row with another of the batch, in place, targets alike."""
    others = rng.permutation(len(patches))
    own = rng.beta(MIXUP_ALPHA, MIXUP_ALPHA, size=len(patches)).astype(np.float32)
    own = np.where(chosen & chosen[others], own, np.float32(1.0))
    patches[:] = (
        own[:, np.newaxis, np.newaxis] * patches + (1 - own[:, np.newaxis, np.newaxis]) * patches[others]
    )
    targets[:] = own[:, np.newaxis] * targets + (1 - own[:, np.newaxis]) * targets[others]
