"""The settings of one label or group, and what thresholds and durations may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from detector.config.constraints import Limit

ThresholdOn = Annotated[float, Limit(0, 1, above=True)]
ThresholdOff = Annotated[float, Limit(0, 1)]
UpToADay = Annotated[float, Limit(0, 86400, "s")]


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """Settings of one label or group; None takes the value of `events`."""

    threshold_on: ThresholdOn | None = None
    """Score 0..1 that starts an event."""
    threshold_off: ThresholdOff | None = None
    """Score below which the event ends."""
    min_duration_seconds: UpToADay | None = None
    """Shorter sounds are not reported."""
    refractory_seconds: UpToADay | None = None
    """After an event's end this label is not reported for this long."""
