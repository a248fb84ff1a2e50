"""The life of one event, as a table.

A sound that was confirmed is RISING until it has lasted the minimum duration, then SOUNDING;
when its score falls below threshold_off it is FADING, and comes back or, after the release
time, is over. Each window gives one input: HEARD (score >= threshold_off), LASTED (heard, and
long enough), QUIET (below), EXPIRED (below for the whole release time). What the daemon tells
the world is in the table too: nothing, a start, or an end.

    RISING ──LASTED──> SOUNDING ──QUIET──> FADING ──EXPIRED──> OVER
      └─EXPIRED─> OVER (never told)  <──HEARD──┘
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Literal


class State(Enum):
    """Where an event is in its life."""

    RISING = auto()
    SOUNDING = auto()
    FADING = auto()
    OVER = auto()


class Heard(Enum):
    """What one window says of a label that has an event."""

    HEARD = auto()
    LASTED = auto()
    QUIET = auto()
    EXPIRED = auto()


Telling = Literal["start", "end"] | None

TABLE: dict[tuple[State, Heard], tuple[State, Telling]] = {
    (State.RISING, Heard.HEARD): (State.RISING, None),
    (State.RISING, Heard.LASTED): (State.SOUNDING, "start"),
    (State.RISING, Heard.QUIET): (State.RISING, None),
    (State.RISING, Heard.EXPIRED): (State.OVER, None),
    (State.SOUNDING, Heard.HEARD): (State.SOUNDING, None),
    (State.SOUNDING, Heard.LASTED): (State.SOUNDING, None),
    (State.SOUNDING, Heard.QUIET): (State.FADING, None),
    (State.SOUNDING, Heard.EXPIRED): (State.OVER, "end"),
    (State.FADING, Heard.HEARD): (State.SOUNDING, None),
    (State.FADING, Heard.LASTED): (State.SOUNDING, None),
    (State.FADING, Heard.QUIET): (State.FADING, None),
    (State.FADING, Heard.EXPIRED): (State.OVER, "end"),
}
"""(state, input) -> (next state, what to tell). Every pair is there; OVER takes no input."""
