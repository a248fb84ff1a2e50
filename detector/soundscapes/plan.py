"""Which sound begins when in a soundscape: drawn from a seed, before any sound is mixed.

Classes take turns in shuffled rounds; a share of the sounds begins while the one before goes on, the others
after a pause. Sounds of one class keep a distance, so that each is a separate event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAD_SECONDS = 5.0
"""Background alone at the beginning."""
TAIL_SECONDS = 3.0
"""And at the end."""


@dataclass(frozen=True, slots=True)
class SoundscapeRules:
    """How dense and how loud."""

    seconds: float
    """Length of one soundscape."""
    pause_seconds: tuple[float, float] = (1.0, 8.0)
    """Between the end of a sound and the next, drawn evenly."""
    overlap: float = 0.2
    """Share of sounds that begin inside the one before."""
    snr_db: tuple[float, float] = (6.0, 30.0)
    """Sound over background, drawn evenly."""
    same_class_seconds: float = 3.0
    """Least distance from the end of a sound to the next of its class."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One sound of the plan."""

    label: str
    clip: int
    """Index of the clip in its class."""
    onset: float
    """Seconds."""
    seconds: float
    """Length."""
    snr_db: float


class Planner:
    """Draws one soundscape after another; clips are used in shuffled order, none twice before all were used.

    `lengths`: class -> the length of each of its clips [s].
    """

    def __init__(self, lengths: Mapping[str, Sequence[float]], rules: SoundscapeRules, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._lengths = lengths
        self._rules = rules
        self._turns = self._endless(len(lengths))
        self._clips = {name: self._endless(len(own)) for name, own in lengths.items()}

    def plan(self) -> list[Placed]:
        """The next soundscape, by onset."""
        rules, rng = self._rules, self._rng
        names = list(self._lengths)
        ended: dict[str, float] = {}
        placed: list[Placed] = []
        while True:
            name = names[next(self._turns)]
            if placed and rng.random() < rules.overlap:
                last = placed[-1]
                onset = last.onset + rng.uniform(0.2, 0.8) * last.seconds
            else:
                onset = max([LEAD_SECONDS, *ended.values()]) + rng.uniform(*rules.pause_seconds)
            if name in ended:
                onset = max(onset, ended[name] + rules.same_class_seconds)
            clip = next(self._clips[name])
            seconds = self._lengths[name][clip]
            if onset + seconds > rules.seconds - TAIL_SECONDS:
                return sorted(placed, key=lambda sound: sound.onset)
            placed.append(Placed(name, clip, onset, seconds, rng.uniform(*rules.snr_db)))
            ended[name] = onset + seconds

    def _endless(self, count: int) -> Iterator[int]:
        """0..count-1 in a new order again and again."""
        while True:
            yield from self._rng.permutation(count).tolist()
