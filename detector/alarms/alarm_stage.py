"""Patterns and the network's events together: one sound, one event.

A network hears an alarm too, and calls it a smoke alarm, a beep or an alarm clock before two cycles are over.
That event is corrected: it goes on under its id, with the pattern's label. What a network begins to hear of
such sounds while the pattern goes on is the same sound. Chirps correct and hide nothing: they go on for days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from detector.alarms.pattern_detector import PatternDetector, PatternSound
from detector.audio.level import Level
from detector.records import Alternative, Event, Label, Phase

MODEL = "patterns"
"""The `model` of events that are known by their pattern."""
_ABOVE = ("Smoke detector, smoke alarm", "Alarm")
"""Whoever asks for smoke alarms is told of a carbon monoxide alarm, too: a network cannot tell them apart."""
SMOKE_ALARM = Label("Smoke alarm (T3)", "pattern:T3", MODEL, ancestor_names=_ABOVE)
CO_ALARM = Label("CO alarm (T4)", "pattern:T4", MODEL, ancestor_names=_ABOVE)
CHIRP = Label("Low-battery chirp", "pattern:chirp", MODEL)
PATTERN_LABELS = (SMOKE_ALARM, CO_ALARM, CHIRP)
"""What events by their pattern may carry."""

SAME_SOUND = frozenset(
    {
        *("Smoke detector, smoke alarm", "Fire alarm", "Alarm", "Alarm clock", "Beep, bleep", "Buzzer"),
        *("Sine wave", "Busy signal", "Dial tone", "Reversing beeps", "Car alarm"),
    }
)
"""Names that a network gives to the beeps of an alarm. Sirens, bells and telephones are not among them."""


@dataclass(slots=True)
class _Alarm:
    """A pattern that goes on, as an event."""

    event: Event
    """The newest that was told."""
    adopted: int = 0
    """The id of the network's event that it corrected; 0 for none that goes on."""
    end: Event | None = None
    """The pattern is over: its end, which waits for that of the adopted event."""
    hidden: set[int] = field(default_factory=set)
    """Ids of the network's events that are this sound."""


class AlarmStage:
    """Adds the patterns' events to the network's; one for each stream.

    `take_id` gives the next event's id; `update` [samples] is how often a sound that goes on is told again, 0
    for never.
    """

    def __init__(
        self,
        detector: PatternDetector,
        labels: Collection[Label],
        take_id: Callable[[], int],
        *,
        update: int,
    ) -> None:
        self._detector = detector
        self._update = update
        self._take_id = take_id
        self._alarms: dict[int, _Alarm] = {}
        self._heard: dict[int, Event] = {}  # the network's events that go on and are no alarm's
        self.choose(labels)

    def choose(self, labels: Collection[Label]) -> None:
        """Report these of the patterns' labels from the next start on."""
        self._labels = {label.class_id: label for label in labels if label in PATTERN_LABELS}

    def push(self, level: Level, events: Sequence[Event]) -> list[Event]:
        """Take the next frame's level, and the network's events; returns what is told."""
        sounds = self._detector.push(level)
        if not sounds and not events:
            return []
        return [*self._network(events), *self._patterns(sounds)]

    def pass_through(self, events: Sequence[Event]) -> list[Event]:
        """Take the network's events between two frames."""
        return self._network(events)

    def flush(self, events: Sequence[Event]) -> list[Event]:
        """No more sound for now: `events` are the network's last ones, then the patterns end."""
        return [*self._network(events), *self._patterns(self._detector.flush())]

    def _network(self, events: Sequence[Event]) -> list[Event]:
        told = []
        for event in events:
            told += self._one(event) if self._alarms else [event]
            if event.phase == "end":
                self._heard.pop(event.id, None)
            elif event.label.name in SAME_SOUND and not any(
                self._owns(a, event) for a in self._alarms.values()
            ):
                self._heard[event.id] = event
            else:
                self._heard.pop(event.id, None)
        return told

    def _owns(self, alarm: _Alarm, event: Event) -> bool:
        return event.id == alarm.adopted or event.id in alarm.hidden

    def _one(self, event: Event) -> list[Event]:
        """What is told of a network's event while patterns go on."""
        for number, alarm in self._alarms.items():
            if event.id == alarm.adopted:
                return self._adopted(number, alarm, event)
            if event.id in alarm.hidden:
                if event.phase == "end":
                    alarm.hidden.discard(event.id)
                elif event.label.name not in SAME_SOUND:
                    alarm.hidden.discard(event.id)  # it is something else after all
                    return [replace(event, phase="start", earlier=())]
                return []
        if event.phase == "start" and event.label.name in SAME_SOUND:
            for alarm in self._alarms.values():
                if alarm.event.label != CHIRP and alarm.end is None:
                    alarm.hidden.add(event.id)
                    return []
        return [event]

    def _adopted(self, number: int, alarm: _Alarm, event: Event) -> list[Event]:
        if event.phase != "end":
            return []
        alarm.adopted = 0
        if alarm.end is None:
            return []
        del self._alarms[number]
        last = max(alarm.end.offset or 0, event.offset or 0)
        return [replace(alarm.end, offset=last, decided=max(event.decided, alarm.end.decided))]

    def _patterns(self, sounds: Sequence[PatternSound]) -> list[Event]:
        told: list[Event] = []
        for sound in sounds:
            alarm = self._alarms.get(sound.number)
            if sound.phase == "start":
                label = self._labels.get(f"pattern:{sound.pattern.name}")
                if label is not None:
                    told.append(self._start(sound, label))
            elif alarm is None:
                continue
            elif sound.phase == "end":
                told += self._end(alarm, sound)
            else:
                event = self._event("update", alarm.event, sound)
                if self._update and sound.decided - alarm.event.decided >= self._update:
                    alarm.event = event
                    told.append(event)
        return told

    def _start(self, sound: PatternSound, label: Label) -> Event:
        # The same alarm may have begun before its first whole cycle, drowned or cut short.
        earliest = sound.onset - (sound.offset - sound.onset)
        same = [event for event in self._heard.values() if label != CHIRP and event.onset >= earliest]
        if not same:
            event = Event(
                phase="start",
                id=self._take_id(),
                label=label,
                onset=sound.onset,
                offset=None,
                decided=sound.decided,
                score=sound.fit,
                top_score=sound.fit,
                level_dbfs=sound.level_dbfs,
                pattern=sound.pattern,
            )
            self._alarms[sound.number] = _Alarm(event)
            return event
        first = min(same, key=lambda event: event.onset)
        others = (Alternative(first.label, first.top_score), *first.alternatives)
        event = replace(
            self._event("update", first, sound),
            label=label,
            alternatives=tuple(others[:3]),
            earlier=(*first.earlier, first.label),
            embedding=None,
            verdict=None,
        )
        hidden = {e.id for e in same if e is not first}
        for e in same:
            del self._heard[e.id]
        self._alarms[sound.number] = _Alarm(event, adopted=first.id, hidden=hidden)
        return event

    def _event(self, phase: Phase, newest: Event, sound: PatternSound) -> Event:
        return replace(
            newest,
            phase=phase,
            offset=sound.offset if phase == "end" else None,
            decided=sound.decided,
            score=sound.fit,
            top_score=max(newest.top_score, sound.fit),
            level_dbfs=max(newest.level_dbfs, sound.level_dbfs),
            pattern=sound.pattern,
        )

    def _end(self, alarm: _Alarm, sound: PatternSound) -> list[Event]:
        end = self._event("end", alarm.event, sound)
        if alarm.adopted:
            alarm.end = end
            return []
        del self._alarms[sound.number]
        return [end]
