"""One event as it travels: the record, the body of its message, the encoded message."""

from detector.records import Event, Label, Phase
from detector.wire.encoding import encode
from detector.wire.message import event_body

DOG = Label(name="Dog", class_id="/m/0bt9lr", model="yamnet")
T0 = 1_785_593_001.5
"""UTC seconds of sample 0: 2026-08-01T14:03:21.500Z."""


def make_event(phase: Phase = "start", id: int = 1, label: Label = DOG, **changes) -> Event:
    values = {"onset": 16_000, "decided": 24_000, "offset": None, "score": 0.87654, "level_dbfs": -23.456}
    if phase == "end":
        values |= {"offset": 40_000, "decided": 56_000, "score": 0.1}
    return Event(phase=phase, id=id, label=label, **({"top_score": 0.9} | values | changes))


def make_body(phase: Phase = "start", id: int = 1, label: Label = DOG, source: str = "Mic", **changes):
    event = make_event(phase, id, label, **changes)
    return event_body(
        event, to_utc=lambda n: T0 + n / 16_000, sample_rate=16_000, source=source, run_id="run"
    )


def make_message(seq: int | None = 1, phase: Phase = "start", **changes):
    return encode(make_body(phase, **changes), seq)
