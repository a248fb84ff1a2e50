"""Scores in, events out: voting, nesting, the life of each event, and its dates."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from detector.events.dating import UNHEARD_DBFS, LevelHistory
from detector.events.hysteresis import TABLE, Heard, State
from detector.events.labels import LabelMap
from detector.events.life import NEVER, Life, Past
from detector.events.nesting import Nesting
from detector.events.onset import PAST_SECONDS, Evidence, log_odds
from detector.events.rules import Rules
from detector.events.voting import Voting
from detector.records import Event, Phase, Scores, Span


class EventTracker:
    """Turns windows' scores into events of the reported labels.

    `hop` [samples] is the distance at which windows follow on each other; `release` [samples]
    how long a score must stay below threshold_off; `update` [samples] how often a sound that
    goes on is told again, 0 for never; `needed` of `of` windows confirm a label.

    One sound, one event: while an event sounds, and for windows that still contain it, the
    labels above it and its family cast no votes (`Nesting.relatives`). A more specific label
    that becomes sure later takes over: the general event ends and the specific one starts.
    A label that has others below it needs one vote more, so that those are heard first.
    """

    def __init__(
        self,
        labels: LabelMap,
        rules: Rules,
        history: LevelHistory,
        *,
        needed: int,
        of: int,
        hop: int,
        release: int,
        update: int = 0,
        started: int = 0,
    ) -> None:
        """`started` is how many events the tracker that this one replaces has told: ids go on."""
        self._labels = labels
        self._rules = rules
        self._history = history
        self._nesting = Nesting(labels.reported, labels.member_ids)
        self._voting = Voting(rules.threshold_on, needed=needed, of=of)
        self._patient = Voting(rules.threshold_on, needed=needed + 1, of=of + 1)
        self._general = frozenset(p for p, below in enumerate(self._nesting.descendants) if below)
        self._hop = hop
        self._release = release
        self._update = update
        self._lives: dict[int, Life] = {}
        self._past = Past(np.full(len(labels.reported), NEVER, dtype=np.int64))
        self._spans: deque[Span] = deque(maxlen=of + 1)  # of the windows that `_patient` remembers
        self._hop_seconds = hop / history.sample_rate
        windows = round((history.reach_seconds + PAST_SECONDS) / self._hop_seconds) + of + 1
        self._said: deque[tuple[int, NDArray[np.float32]]] = deque(maxlen=windows)  # for dating
        self._started = started

    @property
    def active(self) -> bool:
        """Whether any event is not over: the gate must stay open."""
        return bool(self._lives)

    @property
    def started(self) -> int:
        """Events told so far."""
        return self._started

    def push(self, scores: Scores) -> list[Event]:
        """Take one window's scores, return what they start, continue or end."""
        values = self._labels.apply(scores.values)
        self._said.append((scores.span.stop, values))
        self._vote(scores.span, values)
        told = self._continue(scores.span, values)
        return told + self._begin(scores.span)

    def flush(self) -> list[Event]:
        """The stream ended, or a gap follows: end what is open at the last sample known.

        Windows behind the gap that reach back before it do not tell the same sound again.
        """
        now = self._history.stop
        told: list[Event] = []
        for life in list(self._lives.values()):
            told += self._end(life, now)
            self._past.voice_from[life.place] = now
            self._silence_relatives(life.place, now)
        self._forget_votes()
        return told

    def _vote(self, span: Span, values: NDArray[np.float32]) -> None:
        if self._spans and span.stop - self._spans[-1].stop > self._hop:
            self._forget_votes()
        self._spans.append(span)
        votes = np.where(self._past.voice_from > span.start, np.float32(0), values)
        self._voting.push(votes)
        self._patient.push(votes)

    def _forget_votes(self) -> None:
        self._spans.clear()
        self._voting.forget()
        self._patient.forget()

    def _continue(self, span: Span, values: NDArray[np.float32]) -> list[Event]:
        told: list[Event] = []
        for life in list(self._lives.values()):
            life.score = float(values[life.place])
            state, telling = TABLE[life.state, self._heard(life, span)]
            life.state = state
            if telling == "start":
                told.append(self._start(life, span.stop))
            elif state is State.OVER:
                told += self._end(life, span.stop)
            elif self._update and state is not State.RISING and span.stop - life.told >= self._update:
                told.append(self._event("update", life, span.stop))
        return told

    def _heard(self, life: Life, span: Span) -> Heard:
        if life.score < self._rules.threshold_off[life.place]:
            expired = span.stop - life.last_heard.stop >= self._release
            return Heard.EXPIRED if expired else Heard.QUIET
        life.last_heard = span
        self._settle_peak(life)
        life.top_score = max(life.top_score, life.score)
        self._silence_relatives(life.place, span.stop)
        return Heard.LASTED if self._lasted(life, span) else Heard.HEARD

    def _lasted(self, life: Life, span: Span) -> bool:
        """Whether the sound, not the windows that contain it, reached its minimum duration."""
        needed = self._rules.min_duration[life.place]
        if needed == 0 or life.state is not State.RISING:
            return True
        return bool(self._history.offset(span, life.onset) - life.onset >= needed)

    def _begin(self, span: Span) -> list[Event]:
        confirmed = self._voting.confirmed()
        if not confirmed:
            return []
        told: list[Event] = []
        mean = self._voting.mean()
        patient = self._general.intersection(self._patient.confirmed())
        for place in self._nesting.choose(confirmed, mean, self._rules.threshold_on):
            if place in self._lives or self._past.start_from[place] > span.stop:
                continue
            if self._voting.newest(place) < self._rules.threshold_off[place]:
                continue  # its votes are old: nothing to begin, or an event that has just ended
            spoken_for = self._nesting.ancestors[place] | {place}
            if place in self._general and not patient & spoken_for:
                continue
            life = self._birth(place, span)
            for above in sorted(self._nesting.ancestors[place] & self._lives.keys()):
                told += self._end(self._lives[above], span.stop)
            self._lives[place] = life
            self._silence_relatives(place, span.stop)
            life.state, telling = TABLE[State.RISING, self._heard(life, span)]
            if telling == "start":
                told.append(self._start(life, span.stop))
        return told

    def _birth(self, place: int, span: Span) -> Life:
        voting = self._patient if place in self._general else self._voting
        first = self._spans[-1 - voting.first_vote(place)]
        onset = self._history.onset(first, self._evidence(place), after=int(self._past.onset_from[place]))
        return Life(
            place=place,
            onset=onset,
            last_heard=span,
            score=voting.newest(place),
            top_score=voting.highest(place),
            peak_dbfs=UNHEARD_DBFS,
            peaked=onset,
        )

    def _evidence(self, place: int) -> Evidence:
        scores = np.array([values[place] for _, values in self._said])
        threshold = log_odds(self._rules.threshold_on[place : place + 1])
        return Evidence(
            stops=np.array([stop for stop, _ in self._said]),
            excess=log_odds(scores) - threshold,
            hop_seconds=self._hop_seconds,
        )

    def _start(self, life: Life, now: int) -> Event:
        self._started += 1
        life.id = self._started
        return self._event("start", life, now)

    def _end(self, life: Life, now: int) -> list[Event]:
        """Let an event go; only one that the world knew of is told, and keeps its label quiet."""
        del self._lives[life.place]
        self._past.onset_from[life.place] = life.last_heard.stop
        if not life.id:
            return []
        self._past.start_from[life.place] = now + self._rules.refractory[life.place]
        return [self._event("end", life, now)]

    def _settle_peak(self, life: Life) -> None:
        """What lies before the last window that scored is certainly part of the sound."""
        if life.last_heard.start > life.peaked:
            life.peak_dbfs = max(life.peak_dbfs, self._history.peak(life.peaked, life.last_heard.start))
            life.peaked = life.last_heard.start

    def _silence_relatives(self, place: int, stop: int) -> None:
        for relative in self._nesting.relatives(place):
            self._past.voice_from[relative] = stop

    def _event(self, phase: Phase, life: Life, now: int) -> Event:
        life.told = now
        offset = self._history.offset(life.last_heard, life.onset) if phase == "end" else None
        newest = self._history.peak(life.peaked, life.last_heard.stop if offset is None else offset)
        return Event(
            phase=phase,
            id=life.id,
            label=self._labels.reported[life.place],
            onset=life.onset,
            offset=offset,
            decided=now,
            score=life.score,
            top_score=life.top_score,
            level_dbfs=max(life.peak_dbfs, newest),
        )
