"""Several channels to one, so that what sounds in any of them is heard.

The mean of all channels is right as long as they agree. It is silence where two of them are in antiphase, as
a wrongly wired cable makes them, and it is too quiet where most of them are dead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CHUNK_SECONDS = 0.05
"""The channels are compared once in this time."""

MEMORY_SECONDS = 3.0
"""For this long earlier sound counts in the comparison."""

DEAD = 1e-5
"""A channel with less than this share of the loudest one's power is dead (-50 dB)."""

CANCEL, AGREE = 0.05, 0.2
"""Where the mean has less than CANCEL of the loudest channel's power, that channel is taken, until AGREE.

Both are for two channels, and for one that is louder than all others together. The mean of many channels that
have nothing to do with each other, as noise has, is quieter without any fault.
"""

MOST_NAMED = 8
"""Dead channels that are named."""


class Downmix:
    """One stream of several channels to one; how it is cut makes no difference."""

    def __init__(self, *, sample_rate: int, channels: int) -> None:
        self._channels = channels
        self._chunk = max(1, round(CHUNK_SECONDS * sample_rate))
        self._keep = float(np.exp(-CHUNK_SECONDS / MEMORY_SECONDS))
        self._filled = 0
        self._products: NDArray[np.float64] = np.zeros((channels, channels))
        self._weights: NDArray[np.float32] = np.full(channels, 1 / channels, np.float32)
        self._cancelling = False
        self.fault = ""
        """What is wrong with the channels, once that was noticed."""

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mix the next frames, shape (n, channels); shape (n,)."""
        parts, at = [], 0
        while at < len(samples):
            part = samples[at : at + self._chunk - self._filled]
            parts.append(part @ self._weights)
            self._products += part.T @ part
            at, self._filled = at + len(part), self._filled + len(part)
            if self._filled == self._chunk:
                self._compare()
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _compare(self) -> None:
        """Choose the weights of the next chunk by the channels' powers and that of their mean."""
        powers = self._products.diagonal()
        loudest = float(powers.max())
        if loudest > 0:
            alive = powers >= DEAD * loudest
            count = int(alive.sum())
            mean = float(self._products.sum()) / count**2  # dead channels add next to nothing
            alone = count > 2 and loudest > 0.5 * float(powers.sum())
            limit = (AGREE if self._cancelling else CANCEL) * (1 if alone else 2 / count)
            self._cancelling = count > 1 and mean < limit * loudest
            if self._cancelling:
                best = int(powers.argmax())
                self._weights = (np.arange(self._channels) == best).astype(np.float32)
                if alone:
                    self._note(
                        f"channel {best + 1} is far louder than the other {count - 1}; it is used alone"
                    )
                else:
                    self._note("the channels cancel each other (antiphase); the louder one is used")
            elif count < self._channels:
                self._weights = (alive / count).astype(np.float32)
                dead = [str(index + 1) for index in np.flatnonzero(~alive)]
                named = ", ".join(dead[:MOST_NAMED]) + (", …" if len(dead) > MOST_NAMED else "")
                verb = "s {} of {} are" if len(dead) > 1 else " {} of {} is"
                self._note(f"channel{verb.format(named, self._channels)} silent and left out of the mix")
            elif self.fault:
                self._weights = np.full(self._channels, 1 / self._channels, np.float32)
        self._products *= self._keep
        self._filled = 0

    def _note(self, fault: str) -> None:
        self.fault = self.fault or fault
