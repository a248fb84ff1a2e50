"""ESC-10 sounds over faint pink noise, each with a known onset, a few seconds apart.

Only clips with a clear attack are used. Where the sound begins is the first 10 ms within 30 dB of the clip's
loudest 50 ms; its attack is clear where at most 100 ms later 50 ms are within 10 dB of that loudest. Each is
cut there and 2 s later, and laid over the noise at an SNR of 10 to 30 dB (as in the gate: the mean
square of what is within 20 dB of its loudest 100 ms). The next begins 3 to 4 s after it; sounds of one class
are ten sounds apart. Everything is drawn with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.sounds import RATE, Samples, active_mean_square, noise, quantised

NOISE_DBFS = -50.0
LEAD_SECONDS = 5.0
LENGTH_SECONDS = 2.0
FADE_SECONDS = 0.05
SPACING_SECONDS = (3.0, 4.0)
SNR_DB = (10.0, 30.0)

LABELS: dict[str, frozenset[str]] = {
    "Dog bark": frozenset(
        {"Dog", "Bark", "Bow-wow", "Yip", "Howl", "Growling", "Whimper (dog)", "Domestic animals, pets"}
        | {"Animal"}
    ),
    "Rain": frozenset({"Rain", "Raindrop", "Rain on surface", "Water"}),
    "Sea waves": frozenset({"Ocean", "Waves, surf", "Water"}),
    "Baby cry": frozenset({"Baby cry, infant cry", "Crying, sobbing", "Whimper"}),
    "Clock tick": frozenset({"Clock", "Tick", "Tick-tock", "Mechanisms"}),
    "Person sneeze": frozenset({"Sneeze"}),
    "Helicopter": frozenset({"Helicopter", "Aircraft", "Aircraft engine", "Propeller, airscrew"}),
    "Chainsaw": frozenset({"Chainsaw", "Power tool", "Tools", "Light engine (high frequency)", "Engine"}),
    "Rooster": frozenset(
        {"Chicken, rooster", "Crowing, cock-a-doodle-doo", "Fowl", "Animal"}
        | {"Livestock, farm animals, working animals"}
    ),
    "Fire crackling": frozenset({"Fire", "Crackle"}),
}
"""ESC-10 class -> AudioSet names that are right for it: its own, those above and those below."""


@dataclass(frozen=True, slots=True)
class Onset:
    """One sound of the soundscape."""

    name: str
    """ESC-10 class."""
    sample: int
    """Where it begins."""


def attack(clip: Samples) -> int | None:
    """Sample at which the clip's sound begins; None where its attack is not clear."""
    step = RATE // 100
    power = np.square(clip[: len(clip) // step * step]).reshape(-1, step).mean(axis=1)  # (10 ms frames,)
    mean = np.convolve(power, np.full(5, 0.2), mode="valid")  # 50 ms from each of them on
    loudest = mean.max()
    if loudest == 0:
        return None
    begins = int(np.argmax(power >= loudest / 1000))
    return begins * step if (mean[begins : begins + 11] >= loudest / 10).any() else None


def clear_attacks(clips: Iterable[tuple[str, Samples]]) -> dict[str, list[Samples]]:
    """Class -> its clips with a clear attack, from there on."""
    chosen: dict[str, list[Samples]] = {name: [] for name in LABELS}
    for name, clip in clips:
        begins = attack(clip)
        if begins is not None:
            chosen[name].append(clip[begins : begins + round(LENGTH_SECONDS * RATE)])
    return {name: members for name, members in chosen.items() if members}


def make(clips: dict[str, list[Samples]], count: int, seed: int = 7) -> tuple[NDArray[np.int16], list[Onset]]:
    """A soundscape with `count` onsets: int16 (n,), and where each sound begins."""
    rng = np.random.default_rng(seed)
    spacing = rng.uniform(*SPACING_SECONDS, size=count)
    starts = np.round((LEAD_SECONDS + np.cumsum(spacing) - spacing[0]) * RATE).astype(int)
    sound = noise("pink", NOISE_DBFS, starts[-1] / RATE + SPACING_SECONDS[1] + LENGTH_SECONDS, seed)
    onsets = []
    names = list(clips)
    fade = round(FADE_SECONDS * RATE)
    for i, start in enumerate(starts):
        name = names[i % len(names)]
        clip = clips[name][i // len(names) % len(clips[name])].copy()
        clip[-fade:] *= np.linspace(1, 0, fade)
        clip *= np.sqrt(10 ** ((NOISE_DBFS + rng.uniform(*SNR_DB)) / 10) / active_mean_square(clip))
        sound[start : start + len(clip)] += clip
        onsets.append(Onset(name, int(start)))
    return quantised(sound), onsets
