"""Events and sounds for the tests of the analysis."""

from __future__ import annotations

from detector.analysis.sounds import Sound
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
