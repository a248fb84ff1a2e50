"""What several tests of the analysis use: sounds, events, and workers that can be sent to other processes."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

from detector.analysis.sounds import Sound
from detector.errors import ModelError, UnsupportedFormat
from detector.records import Event
from detector.wire.message import EventBody
from tests.support.fakes import make_label

RATE = 10
"""A recording of ten samples a second."""


def make_event(phase: str, id: int, onset: int, decided: int, offset: int | None = None, name="Dog") -> Event:
    """An event of the label `name`."""
    return Event(phase, id, make_label(name), onset, offset, decided, 0.5, 0.75, -20.0)


def make_sound(onset: float, offset: float, label: str = "Dog", **fields: object) -> Sound:
    """A sound whose message holds what its formats ask for."""
    told = {
        "kind": "end",
        "time": "1970-01-01T00:00:01.000Z",
        "score": 0.75,
        "start_time": "1970-01-01T00:00:00.000Z",
        "end_time": "1970-01-01T00:00:01.000Z",
        "duration": round(offset - onset, 3),
        "label": label,
        "class_id": f"/{label}",
        "top_score": 0.75,
        "level_dbfs": -20.0,
        "source": "a b.wav",
        "model": "fake",
        "id": "run-1",
    }
    return Sound(onset, offset, label, f"/{label}", 0.75, -20.0, EventBody(**(told | fields)))


def doubler():
    """Work that doubles numbers."""
    return lambda number, tell: 2 * number


def careful_doubler():
    """Work that says how far it is, refuses 13 with one line and has a bug at 14."""

    def work(number, tell):
        tell(0.5, number)
        logging.getLogger("detector.test").warning("number %d", number)
        if number == 13:
            raise UnsupportedFormat("13 cannot be doubled")
        return {14: lambda: 1 // 0}.get(number, lambda: 2 * number)()

    return work


def mortal_doubler():
    """Work that kills its own process at 13, as the system does for want of memory."""

    def work(number, tell):
        if number == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * number

    return work


class OnceMortal:
    """Work that kills its own process the first time that it is at 13."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __call__(self):
        def work(number, tell):
            if number == 13 and not self.mark.exists():
                self.mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return 2 * number

        return work


def missing_model():
    """No worker can be made."""
    raise ModelError("model fake is not on this machine")
