"""What `sound-detector record` was asked for, and the taker that does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from detector.collecting.taking import Continuous, Countdown, Taker
from detector.collecting.triggered import Triggered

Mode = Literal["countdown", "triggered", "background"]

RATE_HZ = 44100
"""Of every clip, whatever the device: what the hungriest model hears, and every other fits into."""
COUNT_SECONDS = 3.0
PREROLL_SECONDS = 0.5
POSTROLL_SECONDS = 0.5
"""With the pre-roll, every triggered clip is longer than YAMNet's window of 0.975 s."""
RELEASE_SECONDS = 1.0
"""The two notes of a doorbell are one sound."""
SHORTEST_SECONDS = 1.0
STRETCH_SECONDS = 30.0
"""Cuts of a room that lie closer together than this are too much alike to be in two folds."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    label: str
    dataset: Path
    """The folder that has a folder for each class."""
    mode: Mode
    seconds: float
    """Length of a clip; of a triggered one, the most."""
    count: int | None
    """Clips wanted; None until the source ends."""
    keep_all: bool = False
    """Keep also what is too quiet or clipped."""


def make_taker(request: Request) -> Taker:
    """What cuts clips as they were asked for, at RATE_HZ."""
    length = _samples(request.seconds)
    if request.mode == "countdown":
        return Countdown(count=_samples(COUNT_SECONDS), length=length)
    if request.mode == "background":
        return Continuous(length=length, parts=max(1, round(STRETCH_SECONDS / request.seconds)))
    return Triggered(
        preroll=_samples(PREROLL_SECONDS),
        postroll=_samples(POSTROLL_SECONDS),
        release=_samples(RELEASE_SECONDS),
        longest=length,
        shortest=_samples(SHORTEST_SECONDS),
    )


def _samples(seconds: float) -> int:
    return round(seconds * RATE_HZ)
