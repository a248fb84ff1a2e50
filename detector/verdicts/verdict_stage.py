"""Events in, the same events out: vetoed, renamed or as they were, by the verdicts in force.

A sound is judged when it starts, and again when its label is corrected. What was vetoed stays so under its id
until a correction is kept: that message is then the sound's `start`. A sound that people know already keeps
its label where the correction of it is vetoed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from detector.records import Alternative, Event, Label, VerdictNote
from detector.verdicts.verdict_book import VerdictBook
from detector.verdicts.verifier import Outcome

ALTERNATIVES = 3
"""At most so many are told."""


@dataclass(slots=True)
class _Sound:
    """What has become of a sound so far."""

    heard: Label
    """The detector's newest label."""
    told: Label | None = None
    """The label that people know; None while it is vetoed."""
    note: VerdictNote | None = None
    earlier: tuple[Label, ...] = ()
    """Labels under which it was told before."""
    is_changed: bool = False
    """Whether a verdict ever changed anything of it."""


class VerdictStage:
    """One for each stream; the book may be exchanged at any time, and counts from the next start on."""

    def __init__(self, book: VerdictBook) -> None:
        self._book = book
        self._sounds: dict[int, _Sound] = {}

    def push(self, events: Sequence[Event]) -> list[Event]:
        """Judge events; each of them comes out, a vetoed one with its `verdict`."""
        return [self._push(event) for event in events]

    def _push(self, event: Event) -> Event:
        sound = self._sounds.get(event.id)
        if sound is None:
            sound = self._sounds[event.id] = _Sound(event.label)
            self._judge(sound, event)
            told = self._as_told(sound, event)
        elif event.label.class_id == sound.heard.class_id:
            told = self._as_told(sound, event)
        else:
            was_vetoed = sound.told is None
            is_taken = self._judge(sound, event)
            told = self._as_told(sound, event)
            if was_vetoed and sound.told is not None:
                told = replace(told, phase="start")
            elif not is_taken:
                told = replace(told, embedding=None)  # of another label than the one that is told
        if event.phase == "end":
            del self._sounds[event.id]
        return told

    def _judge(self, sound: _Sound, event: Event) -> bool:
        """Judge the label that the detector gives now; returns False where the sound keeps its old one."""
        sound.heard = event.label
        if event.phase == "end" and sound.told is None:
            return True  # nothing follows an end that could still be told
        judgement = self._book.judge(event.label, event.embedding, event.top_score)
        target: Label | None = event.label
        note = None
        if judgement.outcome is Outcome.VETO:
            target = None
            note = VerdictNote("veto", event.label, judgement.verdicts, judgement.nearest)
        elif judgement.outcome is Outcome.RENAME:
            target = self._book.label_named(judgement.label) or event.label
            note = VerdictNote("rename", event.label, judgement.verdicts, judgement.nearest)
        sound.is_changed = sound.is_changed or note is not None
        if sound.told is not None:
            if target is None:
                return False
            if target != sound.told:
                sound.earlier += (sound.told,)
        sound.told, sound.note = target, note
        return True

    def _as_told(self, sound: _Sound, event: Event) -> Event:
        if sound.told is None:
            return replace(event, verdict=sound.note)
        if not sound.is_changed:
            return event
        return replace(
            event,
            label=sound.told,
            alternatives=_alternatives(sound, event),
            earlier=sound.earlier,
            verdict=sound.note,
        )


def _alternatives(sound: _Sound, event: Event) -> tuple[Alternative, ...]:
    """The others, in front of them the label that a verdict replaced."""
    others = [other for other in event.alternatives if other.label != sound.told]
    if sound.note is not None:
        heard = sound.note.heard
        score = next((other.score for other in others if other.label == heard), event.top_score)
        others = [other for other in others if other.label != heard]
        others.insert(0, Alternative(heard, score))
    return tuple(others[:ALTERNATIVES])
