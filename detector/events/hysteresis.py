"""The states of one event, as a table.

An event that was confirmed is RISING until the sound has lasted its minimum duration, then it is
SOUNDING. When the score falls below threshold_off it is FADING: it comes back, or it is OVER after
the release time. Each window gives one input: ABOVE (score >= threshold_off), LASTED (above, and the
sound is long enough), BELOW (score < threshold_off) or EXPIRED (below for the whole release time).
The table also says what is reported: nothing, a start, or an end.

    RISING ──LASTED──> SOUNDING ──BELOW──> FADING ──EXPIRED──> OVER
      └─EXPIRED─> OVER (never reported)  <──ABOVE──┘
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Literal


class State(Enum):
    """The state of an event."""

    RISING = auto()
    SOUNDING = auto()
    FADING = auto()
    OVER = auto()


class Observation(Enum):
    """What one window's score means for a label that has an event."""

    ABOVE = auto()
    LASTED = auto()
    BELOW = auto()
    EXPIRED = auto()


Report = Literal["start", "end"] | None

TABLE: dict[tuple[State, Observation], tuple[State, Report]] = {
    (State.RISING, Observation.ABOVE): (State.RISING, None),
    (State.RISING, Observation.LASTED): (State.SOUNDING, "start"),
    (State.RISING, Observation.BELOW): (State.RISING, None),
    (State.RISING, Observation.EXPIRED): (State.OVER, None),
    (State.SOUNDING, Observation.ABOVE): (State.SOUNDING, None),
    (State.SOUNDING, Observation.LASTED): (State.SOUNDING, None),
    (State.SOUNDING, Observation.BELOW): (State.FADING, None),
    (State.SOUNDING, Observation.EXPIRED): (State.OVER, "end"),
    (State.FADING, Observation.ABOVE): (State.SOUNDING, None),
    (State.FADING, Observation.LASTED): (State.SOUNDING, None),
    (State.FADING, Observation.BELOW): (State.FADING, None),
    (State.FADING, Observation.EXPIRED): (State.OVER, "end"),
}
"""(state, input) -> (next state, what to report). Every pair is there; OVER takes no input."""
