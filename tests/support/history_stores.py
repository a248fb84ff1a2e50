"""Stores of the history in a file, and messages to put there."""

import sqlite3
from contextlib import closing

from detector.history.event_store import EventStore
from detector.history.sequence_numbers import SequenceNumbers
from detector.wire.encoding import encode
from detector.wire.message import EventBody, StatusBody, utc_text

T0 = 1_785_593_001.5
"""UTC seconds: 2026-08-01T14:03:21.500Z."""

DAY = 86400.0


class Clocks:
    """A machine's two clocks: time passes on both, and somebody may set the one that people read."""

    def __init__(self):
        self._monotonic, self._utc = 1000.0, T0

    def monotonic(self):
        return self._monotonic

    def utc(self):
        return self._utc

    def pass_by(self, seconds):
        self._monotonic += seconds
        self._utc += seconds

    def step(self, seconds):
        self._utc += seconds


def make_message(seq=1, kind="start", *, id=None, label="Dog", start=T0, stop=None, top_score=0.9, **more):
    values = {
        "score": top_score,
        "top_score": top_score,
        "start_time": utc_text(start),
        "end_time": None if stop is None else utc_text(stop),
        "time": utc_text(start + 1),
        "duration": 1.0,
        "source": "Mic",
        "model": "yamnet",
        "level_dbfs": -23.5,
    }
    body = EventBody(
        kind=kind, id=id or f"run-{seq}", label=label, class_id=f"/m/{label.lower()}", **(values | more)
    )
    return encode(body, seq)


def make_status(state="listening"):
    return encode(StatusBody(state=state, source="Mic", time=None))


def make_store(path, numbers=None, *, keep_days=90, max_bytes=500_000_000, utc=lambda: T0, **options):
    numbers = SequenceNumbers(utc=lambda: T0) if numbers is None else numbers
    return EventStore(path, numbers, keep_seconds=keep_days * DAY, max_bytes=max_bytes, utc=utc, **options)


def rows(path, column="seq"):
    """One column of every row, in order; read without any help of the code under test."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(f"SELECT {column} FROM messages ORDER BY seq")]  # noqa: S608
