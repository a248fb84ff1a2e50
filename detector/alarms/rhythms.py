"""What alarms beep, and where a burst of beeps must sound and where it must not.

ISO 8201 and ANSI S3.41 give the pattern of smoke alarms (T3), NFPA 720 and UL 2034 that of carbon monoxide
alarms (T4). All allow 10 % on each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PatternName = Literal["T3", "T4", "chirp"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a burst, in units of the time from beep to beep, counted from the first beep's start."""

    start: float
    stop: float
    drop_db: float
    """How far the level must be below that of the beeps; 0 where a beep must sound."""
    beep: bool = False


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Bursts of equal beeps with longer pauses between them."""

    name: PatternName
    beeps: int
    """In each burst."""
    step_seconds: float
    """From the start of one beep to that of the next; a beep takes half of it."""
    cycle_seconds: float
    """From the start of one burst to that of the next."""
    slots: tuple[Slot, ...]
    """The beeps, then where it must be quiet: gaps, before the burst, behind it."""
    disturbed: int
    """So many beeps and quiet parts of a burst may be disturbed, and quiet parts of two bursts."""
    phase_seconds: float
    """How finely the start of a burst is searched."""


def _beeps(count: int, start: float, stop: float) -> tuple[Slot, ...]:
    return tuple(Slot(n + start, n + stop, 0.0, beep=True) for n in range(count))


def _gaps(count: int, start: float, stop: float, drop_db: float) -> tuple[Slot, ...]:
    """The ends of the gaps: their beginnings hold the room's echo."""
    return tuple(Slot(n + start, n + stop, drop_db) for n in range(count))


T3 = Rhythm(
    name="T3",
    beeps=3,
    step_seconds=1.0,
    cycle_seconds=4.0,
    slots=(
        *_beeps(3, 0.04, 0.46),
        *_gaps(3, 0.6, 0.97, 6.0),
        Slot(-0.47, -0.03, 6.0),
        Slot(-0.97, -0.53, 8.0),
        Slot(3.03, 3.47, 8.0),
    ),
    disturbed=1,
    phase_seconds=0.06,
)
T4 = Rhythm(
    name="T4",
    beeps=4,
    step_seconds=0.2,
    cycle_seconds=5.7,
    slots=(
        *_beeps(4, 0.05, 0.45),
        *_gaps(4, 0.65, 0.98, 1.5),
        Slot(-0.45, -0.05, 5.0),
        Slot(-0.95, -0.55, 7.0),
        Slot(-5.0, -1.0, 7.0),
        Slot(4.05, 4.45, 4.0),
        Slot(5.5, 9.0, 7.0),
    ),
    disturbed=2,
    phase_seconds=0.015,
)
