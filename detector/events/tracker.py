"""Scores in, events out: one event for each sound, under its best label."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from detector.events.active_sound import NEVER, ActiveSound, Suppression
from detector.events.boundaries import UNHEARD_DBFS, LevelHistory
from detector.events.competition import Competition
from detector.events.hysteresis import TABLE, Observation, State
from detector.events.labels import LabelMap
from detector.events.onset import PAST_SECONDS, Onset, RecentWindows, wanted_log_odds
from detector.events.presets import Preset
from detector.events.rules import Rules
from detector.events.voting import Voting
from detector.records import Event, Phase, Scores, Span

YOUNG_SECONDS = 6.0
"""So long after its onset a sound's label may be corrected, and other labels are taken for its own."""
SAME_SOUND_SECONDS = 2.5
"""A label that began so much later than a young sound, or less, is another name for that sound."""
CORRECTS_LOG_ODDS = 0.5
"""A label must be ahead of the reported one by this to correct it, unless it is a more specific one."""
CARRIES_LOG_ODDS = 1.0
"""A label this close to the best one keeps the sound going."""
BESIDE_LOG_ODDS = 1.0
"""A label that an older sound's label leads by more than this is no sound beside it."""
OWN_LOG_ODDS = 2.0
"""A label this close to the best one begins no sound of its own, however long the sound goes on."""
TAIL_SECONDS = 0.5
"""So long after a sound's offset no other one begins: it is the same sound's echo."""


class EventTracker:
    """Turns windows' scores into events of the reported labels.

    `preset` tells how many windows must agree; `hop` [samples] is the distance of windows while something may
    begin, `longest_hop` that of windows which still follow on each other; `release` [samples] how long the
    scores must stay below threshold_off before a sound is over; `update` [samples] how often a long sound is
    reported again, 0 for never.

    One sound, one event (docs/decisions/0014). Only the best label of the newest windows begins a sound; the
    less the level rose at its onset, the more it must score. While a sound is young its label is the best one
    over all its windows so far. Another label is a sound of its own if its onset is later.
    """

    def __init__(
        self,
        labels: LabelMap,
        rules: Rules,
        history: LevelHistory,
        *,
        preset: Preset,
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
        self._competition = Competition(labels, rules)
        self._voting = Voting(rules.threshold_on, needed=preset.needed, of=preset.of)
        self._rivals = preset.rivals
        self._longest_hop = self._usual_hop = hop if longest_hop is None else longest_hop
        self._release = release
        self._update = update
        self._young = round(YOUNG_SECONDS * history.sample_rate)
        self._same_sound = round(SAME_SOUND_SECONDS * history.sample_rate)
        self._active: list[ActiveSound] = []
        self._suppression = Suppression(np.full(len(labels.competing), NEVER, dtype=np.int64))
        self._not_before = NEVER
        self._spans: deque[Span] = deque(maxlen=preset.of)  # of the windows that `_voting` remembers
        windows = round((history.reach_seconds + PAST_SECONDS) * history.sample_rate / hop) + preset.of + 1
        self._recent_windows = RecentWindows(
            windows=windows, hop=hop, longest_hop=self._longest_hop, sample_rate=history.sample_rate
        )
        self.started = started
        """How many events were started so far: the newest one's id."""

    @property
    def active(self) -> bool:
        """Whether any event is not over: the gate must stay open."""
        return bool(self._active)

    @property
    def settled(self) -> bool:
        """Whether what the newest window says is an event already: the next window may wait."""
        if not self._active or any(sound.state is State.RISING for sound in self._active):
            return False
        claimed = set().union(*(self._claimed(sound) for sound in self._active))
        return self._voting.voted() <= claimed

    def expect_hop(self, hop: int) -> None:
        """From now on windows that lie so far apart [samples] still follow on each other."""
        self._longest_hop = max(self._usual_hop, hop)

    def push(self, scores: Scores) -> list[Event]:
        """Take one window's scores, return what they start, continue or end."""
        values = self._labels.apply(scores.values)
        values = np.where(self._suppression.votes_from > scores.span.start, np.float32(0), values)
        self._recent_windows.push(scores.span.stop, values)
        if self._spans and scores.span.stop - self._spans[-1].stop > self._longest_hop:
            self._forget_votes()
        self._spans.append(scores.span)
        self._voting.push(values)
        excess = self._competition.excess(self._voting.mean())
        events = self._continue(scores.span, values, excess)
        return events + self._begin(scores.span, excess)

    def flush(self) -> list[Event]:
        """The stream ended, or a gap follows: end what is open; windows across the gap do not repeat it."""
        now = self._history.stop
        events: list[Event] = []
        for sound in list(self._active):
            if self._spans and sound.last_window == self._spans[-1]:
                # It sounded in the newest window; what came after that, its level tells.
                sound.last_window = Span(sound.last_window.start, now)
            self._suppression.votes_from[self._competition.relatives(sound.label_index)] = now
            events += self._end(sound, now)
        self._forget_votes()
        return events

    def _forget_votes(self) -> None:
        self._spans.clear()
        self._voting.forget()

    def _is_young(self, sound: ActiveSound, now: int) -> bool:
        return now - sound.onset <= self._young

    def _claimed(self, sound: ActiveSound) -> set[int]:
        """Labels that are names of this sound."""
        close = np.flatnonzero(sound.close_labels(OWN_LOG_ODDS))
        return {*self._competition.relatives(sound.label_index).tolist(), *close.tolist()}

    def _continue(self, span: Span, values: NDArray[np.float32], excess: NDArray[np.float64]) -> list[Event]:
        events: list[Event] = []
        for sound in (going_on := list(self._active)):
            corrected = False
            if self._is_young(sound, span.stop):
                sound.total += values
                sound.windows += 1
                sound.peaks = np.maximum(sound.peaks, excess)
                corrected = self._correct(sound, going_on)
            sound.score = float(values[sound.label_index])
            state, report = TABLE[sound.state, self._observe(sound, span, values)]
            sound.state = state
            due = self._update and span.stop - sound.reported_at >= self._update
            if report == "start":
                events.append(self._start(sound, span.stop))
            elif state is State.OVER:
                events += self._end(sound, span.stop)
            elif state is not State.RISING and (due or corrected):
                events.append(self._event("update", sound, span.stop))
        return events

    def _correct(self, sound: ActiveSound, going_on: list[ActiveSound]) -> bool:
        """Let the best label over the whole sound name it, if it began with it and is of no other sound."""
        excess = self._competition.excess(sound.mean().astype(np.float32))
        excess[len(self._labels.reported) :] = -np.inf
        best = self._competition.speaker(self._competition.leader(excess), excess)
        now = sound.label_index
        is_ahead = self._competition.lead(best, now, excess) >= CORRECTS_LOG_ODDS
        if best == now or not (is_ahead or self._competition.is_more_specific(best, now)):
            return False
        others = [other.label_index for other in going_on if other is not sound]
        if any(best in self._competition.relatives(other) for other in others):
            return False
        if best not in self._competition.relatives(now):
            if self._rivals:
                return False  # it is an event beside
            onset = self._onset(best, sound.not_before)
            if onset.sample > sound.onset + self._same_sound:
                sound.total[best] = min(sound.total[best], sound.total[sound.label_index])
                return False
        if sound.id:
            sound.earlier.append(sound.label_index)
        sound.label_index = best
        return True

    def _observe(self, sound: ActiveSound, span: Span, values: NDArray[np.float32]) -> Observation:
        carrying = sound.close_labels(CARRIES_LOG_ODDS)
        if not (values[carrying] >= self._rules.threshold_off[carrying]).any():
            expired = span.stop - sound.last_window.stop >= self._release
            return Observation.EXPIRED if expired else Observation.BELOW
        sound.last_window = span
        sound.settle_peak(self._history)
        sound.top_score = max(sound.top_score, sound.score)
        return Observation.LASTED if self._has_lasted(sound, span) else Observation.ABOVE

    def _has_lasted(self, sound: ActiveSound, span: Span) -> bool:
        """Whether the sound, not the windows that contain it, reached its minimum duration."""
        needed = self._rules.min_duration[sound.label_index]
        is_known = needed == 0 or sound.state is not State.RISING
        return is_known or bool(self._history.offset(span, sound.onset) - sound.onset >= needed)

    def _begin(self, span: Span, excess: NDArray[np.float64]) -> list[Event]:
        free = excess.copy()
        for sound in self._active:
            free[self._competition.relatives(sound.label_index)] = -np.inf
            if not self._is_young(sound, span.stop):
                free[sound.close_labels(OWN_LOG_ODDS)] = -np.inf
        leader = self._competition.leader(free)
        is_over = self._voting.newest(leader) < self._rules.threshold_off[leader]
        if free[leader] < 0 or is_over or not self._voting.is_confirmed(leader):
            return []
        best = self._competition.speaker(leader, free)
        if best >= len(self._labels.reported) or self._suppression.starts_from[best] > span.stop:
            return []
        if not self._rivals and self._scores_less_than_active(leader, span, excess):
            return []
        onset = self._onset(leader, self._not_before)
        is_same = not self._rivals and self._began_with_active(onset, span)
        if free[leader] < wanted_log_odds(onset) or is_same:
            return []
        sound = self._make_active(best, onset, span, excess)
        self._active.append(sound)
        lasted = self._has_lasted(sound, span)
        sound.state, report = TABLE[State.RISING, Observation.LASTED if lasted else Observation.ABOVE]
        return [self._start(sound, span.stop)] if report == "start" else []

    def _scores_less_than_active(self, label_index: int, span: Span, excess: NDArray[np.float64]) -> bool:
        """Whether a label is but another name for a sound that goes on, and scores less than that one's."""
        return any(
            self._competition.lead(sound.label_index, label_index, excess)
            > (0 if self._is_young(sound, span.stop) else BESIDE_LOG_ODDS)
            for sound in self._active
        )

    def _began_with_active(self, onset: Onset, span: Span) -> bool:
        """Whether a sound is one that goes on, under another name: both began at once."""
        return any(
            self._is_young(sound, span.stop) and onset.sample <= sound.onset + self._same_sound
            for sound in self._active
        )

    def _make_active(
        self, label_index: int, onset: Onset, span: Span, excess: NDArray[np.float64]
    ) -> ActiveSound:
        return ActiveSound(
            label_index=label_index,
            onset=onset.sample,
            not_before=self._not_before,
            last_window=span,
            total=self._voting.mean().astype(np.float64) * len(self._spans),
            windows=len(self._spans),
            peaks=excess.copy(),
            score=self._voting.newest(label_index),
            top_score=self._voting.highest(label_index),
            peak_dbfs=UNHEARD_DBFS,
            peak_settled_at=onset.sample,
        )

    def _onset(self, label_index: int, not_before: int) -> Onset:
        """When the sound began that the newest windows name so."""
        evidence = self._recent_windows.evidence(label_index, self._competition.thresholds[label_index])
        first = self._spans[-1 - self._voting.first_vote(label_index)]
        return self._history.onset(first, evidence, after=not_before)

    def _start(self, sound: ActiveSound, now: int) -> Event:
        self.started += 1
        sound.id = self.started
        return self._event("start", sound, now)

    def _end(self, sound: ActiveSound, now: int) -> list[Event]:
        """Forget a sound. Only one whose start was reported gets an end and suppresses its label."""
        self._active.remove(sound)
        offset = self._history.offset(sound.last_window, sound.onset)
        latest = offset + round(TAIL_SECONDS * self._history.sample_rate)
        self._not_before = max(self._not_before, min(sound.last_window.stop, latest))
        if not sound.id:
            return []
        self._suppression.starts_from[sound.label_index] = now + self._rules.refractory[sound.label_index]
        return [self._event("end", sound, now)]

    def _event(self, phase: Phase, sound: ActiveSound, now: int) -> Event:
        sound.reported_at = now
        offset = self._history.offset(sound.last_window, sound.onset) if phase == "end" else None
        newest = self._history.peak(
            sound.peak_settled_at, sound.last_window.stop if offset is None else offset
        )
        return Event(
            phase=phase,
            id=sound.id,
            label=self._labels.competing[sound.label_index],
            onset=sound.onset,
            offset=offset,
            decided=now,
            score=sound.score,
            top_score=sound.top_score,
            level_dbfs=max(sound.peak_dbfs, newest),
            alternatives=sound.alternatives(self._competition.thresholds, self._labels.competing),
            earlier=tuple(self._labels.competing[index] for index in sound.earlier),
        )
