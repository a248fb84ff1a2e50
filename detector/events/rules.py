"""Each reported label's own thresholds and times, as arrays in the order of the labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OFF_SHARE = 0.5
"""threshold_off where none is given, as a share of threshold_on."""


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What one label may set for itself; None takes the common value."""

    threshold_on: float | None = None
    """Score 0..1 that counts as a vote."""
    threshold_off: float | None = None
    """Score 0..1 below which an event fades."""
    min_duration: int | None = None
    """Samples a sound must last to be reported."""
    refractory: int | None = None
    """Samples after an event's end in which the label stays quiet."""


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """One value per reported label."""

    threshold_on: NDArray[np.float32]
    """Shape (labels,), 0..1."""
    threshold_off: NDArray[np.float32]
    """Shape (labels,), 0..1, below threshold_on."""
    min_duration: NDArray[np.int64]
    """Shape (labels,), samples."""
    refractory: NDArray[np.int64]
    """Shape (labels,), samples."""


def make_rules(
    thresholds: Sequence[float],
    *,
    common: LabelRule,
    own: Mapping[int, LabelRule] | None = None,
) -> Rules:
    """Combine the model's `thresholds` (one per label), the common rule and labels' own ones.

    A label's own value wins over the common one, which wins over the model's; threshold_off
    falls back to half of threshold_on, and never lies above it.
    """
    own = own or {}
    rows = [own.get(label_index, LabelRule()) for label_index in range(len(thresholds))]
    on = [
        _first(row.threshold_on, common.threshold_on, models)
        for row, models in zip(rows, thresholds, strict=True)
    ]
    off = [
        min(_first(row.threshold_off, common.threshold_off, OFF_SHARE * own_on), own_on)
        for row, own_on in zip(rows, on, strict=True)
    ]
    return Rules(
        threshold_on=np.maximum(np.array(on, dtype=np.float32), np.finfo(np.float32).tiny),
        threshold_off=np.array(off, dtype=np.float32),
        min_duration=np.array(
            [_first(row.min_duration, common.min_duration, 0) for row in rows], dtype=np.int64
        ),
        refractory=np.array([_first(row.refractory, common.refractory, 0) for row in rows], dtype=np.int64),
    )


def raised(threshold: float, log_odds: float) -> float:
    """A threshold 0..1 that asks for so much more, or less where it is negative; 0 and 1 stay."""
    if log_odds == 0:
        return threshold
    return threshold / (threshold + (1 - threshold) * math.exp(-log_odds))


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)
