"""The request of `sound-detector record`, and the taker that fulfils it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from detector.collecting.taking import Continuous, Countdown, Taker
from detector.collecting.triggered import Triggered

Mode = Literal["countdown", "triggered", "background"]

RATE_HZ = 44100
"""Of every clip, whatever the device: no model uses a higher rate."""
COUNT_SECONDS = 3.0
PREROLL_SECONDS = 0.5
POSTROLL_SECONDS = 0.5
"""With the pre-roll, every triggered clip is longer than YAMNet's window of 0.975 s."""
RELEASE_SECONDS = 1.0
"""The two notes of a doorbell are one sound."""
SHORTEST_SECONDS = 1.0
STRETCH_SECONDS = 30.0
"""Clips of a room closer together than this are too similar to be in two folds."""

LIVE_COUNT = 10
"""Clips of a sound from a microphone."""
BACKGROUND_MINUTES = 3.0
"""Length of a recording of the room from a microphone."""


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What the command line asked for."""

    label: str
    dataset: Path
    """The folder that has a folder for each class."""
    mode: Mode
    seconds: float
    """Length of a clip; of a triggered one, the most."""
    count: int | None
    """Clips wanted; None: until a recording ends, or the default number from a microphone."""
    keep_all: bool = False
    """Keep also what is too quiet or clipped."""


def with_default_count(request: RecordRequest) -> RecordRequest:
    """The request with a number of clips: the default of a microphone, which does not end, if it has none."""
    if request.count is not None:
        return request
    of_room = request.mode == "background"
    return replace(request, count=clips_in(BACKGROUND_MINUTES, request.seconds) if of_room else LIVE_COUNT)


def clips_in(minutes: float, seconds: float) -> int:
    """How many clips of so many seconds fill so many minutes, at least one."""
    return max(1, round(minutes * 60 / seconds))


def make_taker(request: RecordRequest) -> Taker:
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
