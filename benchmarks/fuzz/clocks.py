"""A clock that jumps: years, both ways, at any moment and at each start; an input is one machine's life.

Three bytes are one step: what happens, and how much of it. Time passes on the steady clock and on the one
that people read; only the second one can be set.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from benchmarks.fuzz.target import Finding, Run, Target
from detector.events.timeline import SLEW, SoundTimes, Timeline
from detector.history.event_store import EventStore
from detector.history.retention import LONGEST_PAUSE, PAUSE_SHARE
from detector.history.sequence_numbers import SequenceNumbers
from detector.history.when import parse_when
from detector.interfaces import Message
from detector.records import Event, Label, Phase
from detector.sources.lateness import Lateness
from detector.sources.pipe import PAUSE_SECONDS, PROOF_SECONDS, Pace
from detector.wire.encoding import encode
from detector.wire.message import EventBody, utc_text

_BEGUN = 1_785_593_001.5
_DAY = 86400.0
_YEAR = 365 * _DAY
_KEEP = 8 * _DAY
_STEPS = (
    0.5,
    5.0,
    59.0,
    61.0,
    3600.0,
    43200.0,
    _DAY,
    1.9 * _DAY,
    2.1 * _DAY,
    7.9 * _DAY,
    90 * _DAY,
    _YEAR,
    50 * _YEAR,
)
_MOST_STEPS = 40
_RATE = 16000


class _Machine:
    """Two clocks and how they came to stand where they do."""

    def __init__(self) -> None:
        self.passed = 0.0
        """Seconds that have really passed."""
        self.set_by = 0.0
        """How far the clock that people read is ahead of them."""

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def utc(self) -> float:
        return _BEGUN + self.passed + self.set_by

    def set(self, seconds: float) -> None:
        """Set the clock, within what a machine can show: 1970 to 2262."""
        self.set_by = min(max(self.utc() + seconds, 0.0), 9.2e9) - _BEGUN - self.passed


def _steps(data: bytes) -> Iterator[tuple[int, float, int]]:
    """What happens, an amount of time with its sign, and a small number."""
    for at in range(0, min(len(data), 3 * _MOST_STEPS) - 2, 3):
        kind, size, small = data[at : at + 3]
        yield kind, _STEPS[size // 2 % len(_STEPS)] * (-1 if size % 2 else 1), small


@contextmanager
def _histories(folder: Path) -> Iterator[Run]:
    """Events are kept for their time, in one unbroken row, and no number comes twice."""
    # Each step waits for the disk; memory will do, since nothing here is about power cuts.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else folder
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=place) as life:

        def run(data: bytes) -> None:
            for stale in Path(life).iterdir():
                stale.unlink()
            _live(Path(life) / "history.db", data)

        yield run


def _live(path: Path, data: bytes) -> None:
    machine = _Machine()
    heard_at: dict[int, float] = {}
    believed = 0.0  # pauses that the program may have counted although they never were
    forward = False  # since the last start, the clock was set forward: what a pause can be mistaken for
    store, numbers = _opened(path, machine)
    try:
        for kind, seconds, small in _steps(data):
            if kind % 8 < 3:
                seqs = [numbers.take() for _ in range(1 + small % 4)]
                if seqs[0] <= max(heard_at, default=0):
                    raise Finding(f"number {seqs[0]} was given twice")
                heard_at |= dict.fromkeys(seqs, machine.passed)
                store.write([_message(seq, machine.utc()) for seq in seqs])
            elif kind % 8 < 5:
                machine.passed += abs(seconds) % (3 * _DAY)
            elif kind % 8 < 7:
                machine.set(seconds)
                forward = forward or seconds > 0
            else:
                store.close()
                step = seconds * (small % 3 - 1)
                machine.set(step)
                if forward or step > 0:
                    believed += min(LONGEST_PAUSE, PAUSE_SHARE * _KEEP)
                forward = False
                store, numbers = _opened(path, machine)
            while store.tidy():
                pass
            _check_kept(store, heard_at, machine.passed, believed)
    finally:
        store.close()


def _opened(path: Path, machine: _Machine) -> tuple[EventStore, SequenceNumbers]:
    numbers = SequenceNumbers(utc=machine.utc)
    store = EventStore(
        path,
        numbers,
        keep_seconds=_KEEP,
        max_bytes=500_000_000,
        utc=machine.utc,
        monotonic=machine.monotonic,
    )
    store.write([])
    numbers.begin()
    return store, numbers


def _check_kept(store: EventStore, heard_at: dict[int, float], passed: float, believed: float) -> None:
    oldest = store.oldest_seq
    gone = [seq for seq in heard_at if oldest is None or seq < oldest]
    for seq in gone:
        if passed - heard_at[seq] < _KEEP - believed - 1.0:
            raise Finding(f"an event was deleted after {(passed - heard_at[seq]) / _DAY:.2f} of 8 days")


def _message(seq: int, utc: float) -> Message:
    time = utc_text(utc)
    body = EventBody(
        kind="start",
        id=f"r-{seq}",
        label="Dog",
        class_id="/m/0bt9lr",
        score=0.9,
        top_score=0.9,
        start_time=time,
        end_time=None,
        time=time,
        duration=0.5,
        source="Mic",
        model="yamnet",
        level_dbfs=-20.0,
    )
    return encode(body, seq)


_LABEL = Label("Dog", "/m/0bt9lr", "fuzz")


@contextmanager
def _timelines(folder: Path) -> Iterator[Run]:
    """Samples become times that go forward within a sound, and agree with the clock where that is steady."""

    def run(data: bytes) -> None:
        machine, samples = _Machine(), 0
        timeline = Timeline(sample_rate=_RATE, start=machine.utc())
        times = SoundTimes()
        open_id, begun = 0, 0.0
        for kind, seconds, small in _steps(data):
            if kind % 4 == 0:
                machine.set(seconds)
            late = small / 255 if kind % 4 == 1 else 0.0
            machine.passed += 0.1
            samples += _RATE // 10
            timeline.observe(samples, machine.utc() + late)
            _agree(timeline.utc(samples), machine.utc(), late)
            if kind % 4 == 3 and not open_id:
                open_id, begun = samples, times.of(_event(samples, samples, "start"), timeline)(samples)
            elif kind % 4 == 2 and open_id:
                ended = times.of(_event(open_id, samples, "end"), timeline)(samples)
                if not math.isclose(ended - begun, (samples - open_id) / _RATE, abs_tol=1e-3):
                    raise Finding(f"a sound of {(samples - open_id) / _RATE} s lasted {ended - begun} s")
                open_id = 0

    yield run


def _agree(said: float, utc: float, late: float) -> None:
    if abs(said - utc) > 1.0 + late + SLEW:
        raise Finding(f"a sample is dated {said - utc:+.3f} s off a clock that was read {late:.3f} s late")


def _event(start: int, stop: int, phase: Phase) -> Event:
    return Event(
        phase=phase,
        id=start,
        label=_LABEL,
        onset=start,
        offset=None if phase == "start" else stop,
        decided=stop,
        score=0.9,
        top_score=0.9,
        level_dbfs=-20.0,
    )


@contextmanager
def _arrivals(folder: Path) -> Iterator[Run]:
    """Whatever the times at which sound arrives: losses are not negative, no fast stream is dated by them."""

    def run(data: bytes) -> None:
        lateness, pace = Lateness(rate=_RATE), Pace()
        now, ahead, fast = 1000.0, 0.0, False
        for kind, seconds, small in _steps(data):
            waited = abs(seconds) % 30.0 if kind % 3 == 0 else small / 1000
            now += waited
            lost = lateness.lost(now, small * 16)
            if lost < 0 or lost / _RATE > now - 1000.0:
                raise Finding(f"{lost} frames were lost in {now - 1000.0} s")
            if waited >= PAUSE_SECONDS:
                ahead, fast = 0.0, False
            sound = small / 100
            ahead += sound - waited
            fast = fast or ahead > PROOF_SECONDS + 1.0
            if pace.is_dated(sound, now, waited) and fast:
                raise Finding(f"a stream that is {ahead:.1f} s ahead of sound is dated by arrival")

    yield run


@contextmanager
def _moments(folder: Path) -> Iterator[Run]:
    """Inputs are moments as people write them, asked at some moment between 1970 and 2262."""

    def run(data: bytes) -> None:
        now = datetime.fromtimestamp(Random(data).uniform(0, 9.2e9), UTC)
        found = parse_when(data.decode("utf-8", "replace"), now)
        if not math.isfinite(found):
            raise Finding(f"{data!r} means {found}")

    yield run


def _lives() -> Sequence[bytes]:
    random = Random(1)
    lives = [random.randbytes(3 * length) for length in (1, 5, 10, 20, 40) for _ in range(6)]
    return (bytes((0, 0, 1, 7, 22, 2, 0, 0, 1, 7, 23, 2, 0, 0, 1)), *lives)


_WORDS = (b"\0\0\0", b"\5\x16\0", b"\5\x17\0", b"\7\x16\2", b"\7\x17\2", b"\4\x0c\0", b"\3\x18\xff")
_TIME_WORDS = (
    b"ago",
    b"days",
    b"h",
    b"w",
    b"seq:",
    b"yesterday",
    b"now",
    b"-",
    b":",
    b"T",
    b"Z",
    b"+01:00",
    b"999999999",
)

TARGETS = (
    Target("clock and history", 40, _lives, _histories, _WORDS, guided=False),
    Target("clock and times", 60, _lives, _timelines, _WORDS),
    Target("clock and arrival", 40, _lives, _arrivals, _WORDS),
    Target(
        "moment",
        40,
        lambda: (
            b"2026-11-20 14:30",
            b"3 days ago",
            b"seq:12",
            b"14:30:05",
            b"yesterday",
            b"0001-01-01T00:00+14:00",
        ),
        _moments,
        _TIME_WORDS,
    ),
)
