"""Scores as log-odds and back: where priors are subtracted and models add up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOWEST = 1 / 512
"""Scores below this say nothing more: YAMNet's file tells scores in steps of 1/256."""


def logits(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of scores 0..1, which are first brought to at least `LOWEST` and as far from 1."""
    kept = np.clip(scores, np.float32(LOWEST), np.float32(1 - LOWEST))
    odds: NDArray[np.float32] = np.log(kept / (1 - kept))
    return odds


def logistic(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores 0..1 from log-odds."""
    scores: NDArray[np.float32] = np.float32(1) / (np.float32(1) + np.exp(-values))
    return scores
