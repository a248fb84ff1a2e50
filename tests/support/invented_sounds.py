"""Sounds that nobody made: events of some days, clips, a spectrogram that moves; some names are hostile."""

from __future__ import annotations

import base64
import io
import math
import random
import time
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.audio.level_minute import LevelMinute, bin_of, mean_square, minute_of
from detector.clips.clip_folder import ClipStore
from detector.clips.clip_record import ClipFacts, ClipSound, clip_id
from detector.clips.clip_record import moved as moment_of
from detector.history.event_store import EventStore
from detector.history.picture_table import EventPicture
from detector.history.sequence_numbers import SequenceNumbers
from detector.history.verdict_file import KeptMessage, VerdictFile
from detector.interfaces import Message
from detector.records import Embedding, Phase
from detector.wire.encoding import encode
from detector.wire.message import AlternativeBody, ClipBody, EventBody, VerdictBody, utc_text

HOSTILE = "<script>alert('label')</script> \x1b[31m& \"quoted\" \u202eabc"
"""A label as nobody should give one."""
LONG = "Klang" * 2000
"""A label of 10 000 letters."""

# label, class id, the labels above it, usual score, how common, hours of the day at which it is likely
Kind = tuple[str, str, tuple[str, ...], float, float, tuple[int, ...]]
KINDS: tuple[Kind, ...] = (
    ("Dog", "/m/0bt9lr", ("Domestic animals, pets", "Animal"), 0.82, 9.0, (7, 8, 17, 18, 19, 20)),
    ("Bird", "/m/015p6", ("Wild animals", "Animal"), 0.64, 12.0, (4, 5, 6, 7, 8, 9)),
    ("Doorbell", "/m/03wwcy", ("Door",), 0.77, 2.0, (10, 11, 12, 16, 17)),
    ("Smoke detector, smoke alarm", "/m/01y3hg", ("Alarm",), 0.93, 0.3, (12, 18)),
    ("Car", "/m/0k4j", ("Motor vehicle (road)", "Vehicle"), 0.55, 14.0, (7, 8, 9, 15, 16, 17, 18)),
    ("Music", "/m/04rlf", (), 0.71, 6.0, (18, 19, 20, 21, 22)),
    ("Baby cry, infant cry", "/t/dd00002", ("Crying, sobbing",), 0.69, 2.5, (1, 2, 3, 5, 13)),
    ("Water tap, faucet", "/m/02jz0l", ("Domestic sounds, home sounds",), 0.6, 7.0, (6, 7, 8, 12, 18, 22)),
    ("Glass", "/m/039jq", (), 0.58, 0.6, (12, 19)),
    (LONG, "own:long", (), 0.5, 0.1, (11,)),
    (HOSTILE, "own:<b>", ("<img src=x onerror=alert(1)>",), 0.5, 0.6, (9, 21)),
)
LABELS = tuple(kind[0] for kind in KINDS)
SOURCES = ("kitchen", "garden <i>& terrace</i>")

DAYS_OF_DETAIL = 2
"""Of so many days there are sound levels by minute, and pictures of events."""
LIKE_ALL = Embedding("invented", np.ones(8, dtype=np.float32))
"""The embedding of every sound, so that each can get a verdict."""
BANDS, COLUMNS = 64, 2
RATE = 16000
_RUN = "20260801T140000Z-fa4e"


class Scene:
    """The invented history of a place, and what happens there next."""

    def __init__(
        self,
        folder: Path,
        chance: random.Random,
        *,
        kinds: Sequence[Kind] = KINDS,
        sources: tuple[str, str] = SOURCES,
    ) -> None:
        self.history, self.clips = folder / "history.db", folder / "clips"
        self._chance, self._kinds, self._sources = chance, kinds, sources
        self._numbers = SequenceNumbers()
        self._store = EventStore(
            self.history, self._numbers, keep_seconds=90 * 86400.0, max_bytes=500_000_000, pictures=2000
        )
        self._verdicts = VerdictFile(self.history, keep=2000)
        self._store.write([])
        self._count = self._numbers.last
        self._clip_store = ClipStore(self.clips)
        self._minute = minute_of(time.time()) - 1
        self._newest: list[Message] = []

    @property
    def seq(self) -> int:
        """Number of the newest event."""
        return self._numbers.last

    def close(self) -> None:
        """Leave the history to a daemon."""
        self._store.close()

    def newest(self, count: int) -> list[Message]:
        """The newest events."""
        return self._newest[-count:]

    def keep(self, message: Message) -> None:
        """Write an event to the history that somebody else made."""
        self._store.write([message])

    def remember(self, days: int, a_day: int, now: float) -> None:
        """Write the history of the days up to `now` [UTC seconds], with a clip for every tenth sound."""
        midnight = now - now % 86400.0
        for day in range(days - 1, -1, -1):
            starts = sorted(self._moment(midnight - day * 86400.0) for _ in range(a_day))
            messages = [
                message
                for start, kind in starts
                if start < now - 60
                for message in self._sound(start, kind, now=start + 20)
                if isinstance(message.body, EventBody)
            ]
            whole_minutes = range(
                minute_of(midnight - day * 86400.0),
                min(minute_of(now), minute_of(midnight - (day - 1) * 86400.0)),
            )
            if day < DAYS_OF_DETAIL:
                minutes = [
                    level_of_minute(source, each) for source in {*self._sources} for each in whole_minutes
                ]
                self._store.write(messages, minutes, pictures_of(messages))
            else:
                self._store.write(messages)
            self._verdicts.keep_events([KeptMessage(each, LIKE_ALL) for each in messages])
            self._newest = (self._newest + messages)[-1000:]

    def happen(self, every: float) -> Iterator[tuple[Message, float]]:
        """A sound that begins now: its messages, each with the seconds to wait after it."""
        kind = self._chance.choices(self._kinds, [each[4] for each in self._kinds])[0]
        begun = time.time() - 0.8
        messages = self._sound(begun, kind, now=time.time(), clip=self._chance.random() < 0.6)
        pauses = [min(1.0, every / 4)] * (len(messages) - 1)
        for message, pause in zip(messages, [*pauses, max(0.0, every - sum(pauses))], strict=True):
            if message.seq is not None:
                self._store.write([message], pictures=pictures_of([message]))
                self._verdicts.keep_events([KeptMessage(message, LIKE_ALL)])
            yield message, pause
        last = minute_of(time.time()) - 1
        if last > self._minute:
            self._minute = last
            self._store.write([], [level_of_minute(source, last) for source in {*self._sources}])

    def give(self, id: str, said: str) -> VerdictBody:
        """Keep a verdict; raises VerdictError."""
        given = self._verdicts.give(id, said, at=time.time(), labels=LABELS)
        fell_out = None if given.fell_out is None else given.fell_out.event_id
        label = given.verdict.label
        return verdict_body(id, label, given.verdict.said, given.on_label, given.replaced, fell_out)

    def forget(self, id: str) -> VerdictBody:
        """Take a verdict back; raises VerdictError."""
        (taken,) = self._verdicts.forget(id)
        return verdict_body(id, taken.label, None, 0, taken.said, None)

    def _moment(self, midnight: float) -> tuple[float, Kind]:
        kind = self._chance.choices(self._kinds, [each[4] for each in self._kinds])[0]
        hour = self._chance.choice(kind[5]) if self._chance.random() < 0.8 else self._chance.randrange(24)
        return midnight + hour * 3600.0 + self._chance.random() * 3600.0, kind

    def _sound(self, start: float, kind: Kind, *, now: float, clip: bool | None = None) -> list[Message]:
        """Its `start`, mostly an `update`, its `end`, and its clip."""
        self._count += 1
        id, length = f"{_RUN}-{self._count}", round(0.5 + self._chance.expovariate(0.4), 3)
        score = min(0.99, max(0.3, self._chance.gauss(kind[3], 0.12)))
        source = self._sources[0 if self._chance.random() < 0.7 else 1]
        others = self._chance.sample(
            [label for label in LABELS if label not in (kind[0], LONG)], self._chance.randrange(3)
        )
        common: dict[str, Any] = {
            "id": id,
            "label": kind[0],
            "class_id": kind[1],
            "ancestors": kind[2],
            "top_score": round(score, 3),
            "start_time": utc_text(start),
            "source": source,
            "model": "invented",
            "level_dbfs": round(self._chance.uniform(-50, -12), 1),
            "alternatives": tuple(AlternativeBody(label, round(score * 0.6, 3)) for label in others),
        }
        messages: list[Message] = []
        phases: tuple[Phase, ...] = ("start", "update", "end") if length > 4 else ("start", "end")
        for phase, part in zip(phases, (0.3, 0.7, 1.0) if length > 4 else (0.4, 1.0), strict=True):
            ended = phase == "end"
            body = EventBody(
                kind=phase,
                score=round(score * (0.3 if ended else part), 3),
                end_time=utc_text(start + length) if ended else None,
                time=utc_text(start + length * part + 0.5),
                duration=round(length * part, 3),
                **common,
            )
            messages.append(encode(body, self._numbers.take()))
        if clip or (clip is None and self._chance.random() < 0.1):
            messages.append(self._clip(body, length, now))
        return messages

    def _clip(self, event: EventBody, length: float, now: float) -> Message:
        assert event.start_time is not None
        assert event.top_score is not None
        assert event.source is not None
        start, duration = moment_of(event.start_time, -1.0), min(8.0, length + 2.0)
        name = clip_id(start, event.label, event.id)
        sound = ClipSound(
            event.id, event.label, event.class_id, event.model, event.top_score, 1.0, duration - 1.0
        )
        began = utc_text(start.timestamp())
        facts = ClipFacts(name, event.label, began or "", duration, event.source, RATE, (sound,))
        stored = self._clip_store.write(facts, tone(self._count, duration), suffix=".wav", speech_score=0.01)
        return encode(
            ClipBody(
                id=name,
                state="saved",
                path=str(stored.path),
                label=event.label,
                start_time=began,
                duration=duration,
                events=(event.id,),
                source=event.source,
                time=utc_text(now),
            )
        )


def pictures_of(messages: Sequence[Message]) -> list[EventPicture]:
    """A picture of each sound that has ended: what `spectrogram_of` showed then."""
    found = []
    for event in (message.body for message in messages):
        if isinstance(event, EventBody) and event.kind == "end":
            start = moment_of(str(event.start_time), -0.25).timestamp()
            columns = [
                _column(event.source, start + number / 20)
                for number in range(round(20 * min(5.0, (event.duration or 0) + 0.5)))
            ]
            rows = bytes(column[band] for band in range(BANDS - 1, -1, -1) for column in columns)
            found.append(EventPicture(event.id, rows, len(columns), BANDS))
    return found


def level_of_minute(source: str, minute: int) -> LevelMinute:
    """The level of a minute: quiet nights, loud evenings, and an hour of each day that was not heard."""
    hour = minute % 1440 / 60
    if int(hour) == 4:
        return LevelMinute(source, minute, 0.0, 60.0)
    level = -62 + 16 * math.exp(-((hour - 19) ** 2) / 8) + 9 * math.exp(-((hour - 8) ** 2) / 4)
    level += 3 * math.sin(minute * 1.3 + len(source))
    levels = [level - 4, level - 2, level - 1, level, level + 3, level + 11]
    energies = [mean_square(each) for each in levels]
    histogram: Counter[int] = Counter()
    for each in levels:
        histogram[bin_of(each)] += 333
    return LevelMinute(source, minute, 60.0, 0.0, sum(energies) * 10, max(energies), histogram)


def verdict_body(
    id: str, label: str, said: str | None, on_label: int, replaced: str | None, fell_out: str | None
) -> VerdictBody:
    """The daemon's answer to a verdict."""
    return VerdictBody(
        id=id,
        label=label,
        said=said,
        replaced=replaced,
        fell_out=fell_out,
        on_label=on_label,
        taken_back=0 if said else 1,
        message=f"stored: {label} was {said}" if said else "taken back",
        time=utc_text(time.time()),
    )


def tone(number: int, seconds: float) -> bytes:
    """A WAV file with a tone that rises and falls, another one for each number."""
    t = np.arange(round(seconds * RATE)) / RATE
    swept = 2 * np.pi * (300 + 70 * (number % 12)) * t + 40 * np.sin(2 * np.pi * t)
    samples = np.rint(9000 * np.sin(swept) * np.sin(np.pi * t / seconds)).astype("<i2")
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return memory.getvalue()


def level_of(source: str, now: float) -> float | None:
    """A level that breathes [dBFS]; the second source is digitally silent for 3 s of every 20 s."""
    if source == SOURCES[1] and now % 20 < 3:
        return None
    return round(-48 + 14 * math.sin(now * 0.7 + len(source)) + 4 * math.sin(now * 5.1), 1)


def spectrogram_of(source: str, now: float) -> dict[str, object]:
    """The values of a `spectrogram` message: two new columns, the later one ending `now` [UTC seconds]."""
    columns = b"".join(_column(source, now + (part - 1) * 0.05) for part in range(COLUMNS))
    return {
        "time": utc_text(now),
        "source": source,
        "level_dbfs": level_of(source, now),
        "bands": BANDS,
        "columns": COLUMNS,
        "low_hertz": 125.0,
        "high_hertz": 7500.0,
        "columns_per_second": 20,
        "data": base64.b64encode(columns).decode(),
    }


def _column(source: str, at: float) -> bytes:
    """64 bands, the low one first, dB = value / 2 - 120: hum, a tone that wanders, and a bark every 4 s."""
    level = level_of(source, at)
    if level is None:
        return bytes(BANDS)
    wandering = 32 + 22 * math.sin(at * 0.5 + len(source))
    bark = math.exp(-6 * (at % 4.0))
    values = []
    for band in range(BANDS):
        decibels = -92 - 0.2 * band + 5 * math.sin(band * 1.7 + at * 9)
        decibels += 34 * math.exp(-((band - wandering) ** 2) / 5)
        decibels += 40 * bark * (1 if band % 7 < 3 and band < 45 else 0.3)
        decibels += 16 if band in (3, 4) else 0
        values.append(max(0, min(255, round((decibels + 120) * 2))))
    return bytes(values)


def sound_of(source: str, now: float) -> dict[str, object]:
    """The values of a `sound` message: a tenth of a second that ends `now` [UTC seconds]."""
    first = round(now * RATE) - RATE // 10
    hertz = 440.0 if source == SOURCES[0] else 330.0
    n = np.arange(first, first + RATE // 10)
    samples = np.rint(6000 * np.sin(2 * np.pi * hertz * n / RATE)).astype("<i2")
    return {
        "time": utc_text(now),
        "source": source,
        "sample_rate": RATE,
        "start": first,
        "samples": RATE // 10,
        "data": base64.b64encode(samples.tobytes()).decode(),
    }
