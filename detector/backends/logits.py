"""Scores as log-odds and back: where priors are subtracted and models add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOWEST = 1e-9
"""Log-odds beyond -20.7 count as this: no network means more than that by `never`."""
HIGHEST = 1 - 2**-23
"""The score next to 1 in single precision: log-odds of 15.9."""


def logits(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of scores 0..1, which are first brought into `LOWEST`..`HIGHEST`."""
    kept = np.clip(scores, np.float32(LOWEST), np.float32(HIGHEST))
    odds: NDArray[np.float32] = np.log(kept / (1 - kept))
    return odds


def logistic(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores 0..1 from log-odds."""
    scores: NDArray[np.float32] = np.float32(1) / (np.float32(1) + np.exp(-values))
    return scores
