"""Scores in, events out: voting, nesting, the event of each event, and its dates."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from detector.events.active_event import NEVER, ActiveEvent, Suppression
from detector.events.boundaries import UNHEARD_DBFS, LevelHistory
from detector.events.hierarchy import Hierarchy
from detector.events.hysteresis import TABLE, Observation, State
from detector.events.labels import LabelMap
from detector.events.onset import PAST_SECONDS, Evidence, log_odds
from detector.events.rules import Rules
from detector.events.voting import Voting
from detector.records import Event, Phase, Scores, Span


class EventTracker:
    """Turns windows' scores into events of the reported labels.

    `hop` [samples] is the distance of windows while something may begin, `longest_hop` that of windows which
    still follow on each other; `release` [samples]
    how long a score must stay below threshold_off before the event ends; `update` [samples] how often
    a sound that goes on is reported again, 0 for never; `needed` of `of` windows confirm a label.

    One sound, one event: while an event sounds, and for windows that still contain it, the
    labels above it and its family cast no votes (`Hierarchy.relatives`). A more specific label
    that is confirmed later takes over: the general event ends and the specific one starts.
    A label that has others below it needs one vote more, so that the more specific ones come first.
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
        longest_hop: int | None = None,
        release: int,
        update: int = 0,
        started: int = 0,
    ) -> None:
        """`started` is how many events the replaced tracker has started: ids go on from there."""
        self._labels = labels
        self._rules = rules
        self._history = history
        self._hierarchy = Hierarchy(labels.reported, labels.member_ids)
        self._voting = Voting(rules.threshold_on, needed=needed, of=of)
        self._general_voting = Voting(rules.threshold_on, needed=needed + 1, of=of + 1)
        self._general = frozenset(p for p, below in enumerate(self._hierarchy.descendants) if below)
        self._longest_hop = hop if longest_hop is None else longest_hop
        self._release = release
        self._update = update
        self._active: dict[int, ActiveEvent] = {}
        self._suppression = Suppression(np.full(len(labels.reported), NEVER, dtype=np.int64))
        self._spans: deque[Span] = deque(maxlen=of + 1)  # of the windows that `_general_voting` remembers
        self._hop_seconds = hop / history.sample_rate
        windows = round((history.reach_seconds + PAST_SECONDS) / self._hop_seconds) + of + 1
        self._recent_scores: deque[tuple[int, NDArray[np.float32]]] = deque(maxlen=windows)  # for onsets
        self._started = started

    @property
    def active(self) -> bool:
        """Whether any event is not over: the gate must stay open."""
        return bool(self._active)

    @property
    def settled(self) -> bool:
        """Whether what the newest window says is an event already: the next window may wait."""
        if not self._active or any(event.state is State.RISING for event in self._active.values()):
            return False
        return self._voting.voted() <= self._active.keys()

    @property
    def started(self) -> int:
        """How many events were started so far."""
        return self._started

    def push(self, scores: Scores) -> list[Event]:
        """Take one window's scores, return what they start, continue or end."""
        values = self._labels.apply(scores.values)
        self._recent_scores.append((scores.span.stop, values))
        self._vote(scores.span, values)
        events = self._continue(scores.span, values)
        return events + self._start_confirmed(scores.span)

    def flush(self) -> list[Event]:
        """The stream ended, or a gap follows: end what is open at the last sample known.

        Windows after the gap that reach back before it do not report the same sound again.
        """
        now = self._history.stop
        events: list[Event] = []
        for event in list(self._active.values()):
            if self._spans and event.last_window == self._spans[-1]:
                # It sounded in the newest window; what came after that, its level tells.
                event.last_window = Span(event.last_window.start, now)
            events += self._end(event, now)
            self._suppression.votes_from[event.label_index] = now
            self._silence_relatives(event.label_index, now)
        self._forget_votes()
        return events

    def _vote(self, span: Span, values: NDArray[np.float32]) -> None:
        if self._spans and span.stop - self._spans[-1].stop > self._longest_hop:
            self._forget_votes()
        self._spans.append(span)
        votes = np.where(self._suppression.votes_from > span.start, np.float32(0), values)
        self._voting.push(votes)
        self._general_voting.push(votes)

    def _forget_votes(self) -> None:
        self._spans.clear()
        self._voting.forget()
        self._general_voting.forget()

    def _continue(self, span: Span, values: NDArray[np.float32]) -> list[Event]:
        events: list[Event] = []
        for event in list(self._active.values()):
            event.score = float(values[event.label_index])
            state, report = TABLE[event.state, self._observe(event, span)]
            event.state = state
            if report == "start":
                events.append(self._start(event, span.stop))
            elif state is State.OVER:
                events += self._end(event, span.stop)
            elif self._update and state is not State.RISING and span.stop - event.reported_at >= self._update:
                events.append(self._event("update", event, span.stop))
        return events

    def _observe(self, event: ActiveEvent, span: Span) -> Observation:
        if event.score < self._rules.threshold_off[event.label_index]:
            expired = span.stop - event.last_window.stop >= self._release
            return Observation.EXPIRED if expired else Observation.BELOW
        event.last_window = span
        self._settle_peak(event)
        event.top_score = max(event.top_score, event.score)
        self._silence_relatives(event.label_index, span.stop)
        return Observation.LASTED if self._has_lasted(event, span) else Observation.ABOVE

    def _has_lasted(self, event: ActiveEvent, span: Span) -> bool:
        """Whether the sound, not the windows that contain it, reached its minimum duration."""
        needed = self._rules.min_duration[event.label_index]
        if needed == 0 or event.state is not State.RISING:
            return True
        return bool(self._history.offset(span, event.onset) - event.onset >= needed)

    def _start_confirmed(self, span: Span) -> list[Event]:
        confirmed = self._voting.confirmed()
        if not confirmed:
            return []
        events: list[Event] = []
        mean = self._voting.mean()
        general_confirmed = self._general.intersection(self._general_voting.confirmed())
        for label_index in self._hierarchy.choose(confirmed, mean, self._rules.threshold_on):
            if label_index in self._active or self._suppression.starts_from[label_index] > span.stop:
                continue
            if self._voting.newest(label_index) < self._rules.threshold_off[label_index]:
                continue  # its votes are old: the sound is over, or its event has just ended
            own_line = self._hierarchy.ancestors[label_index] | {label_index}
            if label_index in self._general and not general_confirmed & own_line:
                continue
            event = self._make_active(label_index, span)
            for above in sorted(self._hierarchy.ancestors[label_index] & self._active.keys()):
                events += self._end(self._active[above], span.stop)
            self._active[label_index] = event
            self._silence_relatives(label_index, span.stop)
            event.state, report = TABLE[State.RISING, self._observe(event, span)]
            if report == "start":
                events.append(self._start(event, span.stop))
        return events

    def _make_active(self, label_index: int, span: Span) -> ActiveEvent:
        voting = self._general_voting if label_index in self._general else self._voting
        first = self._spans[-1 - voting.first_vote(label_index)]
        onset = self._history.onset(
            first, self._evidence(label_index), after=int(self._suppression.onsets_from[label_index])
        )
        return ActiveEvent(
            label_index=label_index,
            onset=onset,
            last_window=span,
            score=voting.newest(label_index),
            top_score=voting.highest(label_index),
            peak_dbfs=UNHEARD_DBFS,
            peak_settled_at=onset,
        )

    def _evidence(self, label_index: int) -> Evidence:
        scores = np.array([values[label_index] for _, values in self._recent_scores])
        threshold = log_odds(self._rules.threshold_on[label_index : label_index + 1])
        return Evidence(
            stops=np.array([stop for stop, _ in self._recent_scores]),
            excess=log_odds(scores) - threshold,
            hop_seconds=self._hop_seconds,
        )

    def _start(self, event: ActiveEvent, now: int) -> Event:
        self._started += 1
        event.id = self._started
        return self._event("start", event, now)

    def _end(self, event: ActiveEvent, now: int) -> list[Event]:
        """Forget an event. Only one whose start was reported gets an end and suppresses its label."""
        del self._active[event.label_index]
        self._suppression.onsets_from[event.label_index] = event.last_window.stop
        if not event.id:
            return []
        self._suppression.starts_from[event.label_index] = now + self._rules.refractory[event.label_index]
        return [self._event("end", event, now)]

    def _settle_peak(self, event: ActiveEvent) -> None:
        """What lies before the last window that scored is certainly part of the sound."""
        if event.last_window.start > event.peak_settled_at:
            event.peak_dbfs = max(
                event.peak_dbfs, self._history.peak(event.peak_settled_at, event.last_window.start)
            )
            event.peak_settled_at = event.last_window.start

    def _silence_relatives(self, label_index: int, stop: int) -> None:
        for relative in self._hierarchy.relatives(label_index):
            self._suppression.votes_from[relative] = stop

    def _event(self, phase: Phase, event: ActiveEvent, now: int) -> Event:
        event.reported_at = now
        offset = self._history.offset(event.last_window, event.onset) if phase == "end" else None
        newest = self._history.peak(
            event.peak_settled_at, event.last_window.stop if offset is None else offset
        )
        return Event(
            phase=phase,
            id=event.id,
            label=self._labels.reported[event.label_index],
            onset=event.onset,
            offset=offset,
            decided=now,
            score=event.score,
            top_score=event.top_score,
            level_dbfs=max(event.peak_dbfs, newest),
        )
