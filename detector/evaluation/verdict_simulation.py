"""What verdicts would do: somebody gives them in a recording's first half, and its second half is told anew.

The truth gives the verdicts: on the first events of the first half, the oldest first. The second half goes
through the daemon's own `VerdictStage` with them, and its events are counted with and without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from detector.datasets.annotations import Annotation
from detector.evaluation.class_map import ClassMap
from detector.records import Event, Label
from detector.verdicts.event_verdict import RIGHT, WRONG, EventVerdict
from detector.verdicts.verdict_book import VerdictBook
from detector.verdicts.verdict_stage import VerdictStage

NEAR_SECONDS = 1.0
"""A label is right where such a sound is annotated within this time of the event."""


@dataclass(frozen=True, slots=True)
class VerdictFigures:
    """What verdicts did to the second halves of all recordings."""

    asked: int
    """Verdicts in each recording, at most."""
    named: bool
    """Whether they name the right label of a wrong event, where the truth knows one."""
    given: int
    """Verdicts, over all recordings."""
    right: int
    """Events whose label is right, without verdicts."""
    lost: int
    """Of these, those that are vetoed or have a wrong label with verdicts."""
    wrong: int
    """Events whose label is wrong, without verdicts."""
    still_wrong: int
    """Of these, those that are told with verdicts, under a wrong label."""
    label_again: int
    """Of the wrong ones, those whose label a verdict had called wrong."""
    label_still_wrong: int
    """Of these, those that are told with verdicts, under a wrong label."""
    kind_again: int
    """Of the wrong ones, those whose label a verdict had called wrong on such a sound."""
    kind_still_wrong: int
    """Of these, those that are told with verdicts, under a wrong label."""
    renamed_right: int
    """Events that are told under another label, which is right."""
    renamed_wrong: int
    """Events that are told under another label, which is wrong."""


COUNTS = tuple(field.name for field in fields(VerdictFigures) if field.name not in ("asked", "named"))
STILL_WRONG = {
    "wrong": "still_wrong",
    "label_again": "label_still_wrong",
    "kind_again": "kind_still_wrong",
}
"""Count of wrong events -> count of those of them that are told under a wrong label with verdicts."""


@dataclass(frozen=True, slots=True)
class HeardRecording:
    """A recording's truth, and what the pipeline says without verdicts."""

    seconds: float
    annotations: tuple[Annotation, ...]
    messages: tuple[Event, ...]
    """All phases of all events, in the order of their decision."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """One event from its start to its end, and the truth of it."""

    messages: tuple[Event, ...]
    onset: float
    """Seconds."""
    offset: float
    """Seconds."""
    classes: frozenset[str]
    """Of all sounds that are annotated beside it."""
    source: str | None
    """The class of the one whose onset is nearest; None where nothing is annotated."""
    is_right: bool

    @property
    def label(self) -> Label:
        return self.messages[-1].label

    @property
    def kind(self) -> tuple[str, str | None]:
        """Its label, and on what sound it stands."""
        return self.label.name, self.source

    @property
    def decisive(self) -> Event | None:
        """The message that gave its last label, which a verdict is on; None where it has no embedding."""
        decisive = self.messages[0]
        for before, after in pairwise(self.messages):
            if after.label != before.label:
                decisive = after
        return None if decisive.embedding is None else decisive


class VerdictSimulation:
    """Simulates verdicts on recordings of a model with these labels.

    `ignored` are labels whose events get no verdict and count neither for nor against.
    """

    def __init__(
        self,
        labels: Sequence[Label],
        class_map: ClassMap,
        *,
        sample_rate: int,
        ignored: Collection[str] = (),
    ) -> None:
        self._labels = labels
        self._rate = sample_rate
        self._ignored = frozenset(ignored)
        self._names = {
            name: _with_ancestors([labels[index] for index in columns])
            for name, columns in zip(class_map.classes, class_map.columns, strict=True)
        }
        self._first_name = {
            name: min((labels[index] for index in columns), key=lambda label: label.reported_as is not None)
            for name, columns in zip(class_map.classes, class_map.columns, strict=True)
            if columns
        }

    def run(self, recordings: Sequence[HeardRecording], asked: int, *, named: bool) -> VerdictFigures:
        """Give `asked` verdicts in the first half of every recording, and count in the second halves."""
        counts: Counter[str] = Counter()
        for recording in recordings:
            counts.update(self._counted(recording, asked, named=named))
        return VerdictFigures(asked=asked, named=named, **{name: counts[name] for name in COUNTS})

    def _counted(self, recording: HeardRecording, asked: int, *, named: bool) -> Iterator[str]:
        """The name of a count, for each verdict or event that counts in it."""
        sounds = self._sounds(recording)
        middle = recording.seconds / 2
        judged = [one for one in sounds if one.onset < middle and one.decisive is not None][:asked]
        yield from ["given"] * len(judged)
        book = VerdictBook()
        book.exchange(
            [self._verdict(one, number, named=named) for number, one in enumerate(judged)],
            [*self._labels, *(one.label for one in sounds)],  # with the user's groups
        )
        stage = VerdictStage(book)
        wrong = [one for one in judged if not one.is_right]
        labels, kinds = {one.label.name for one in wrong}, {one.kind for one in wrong}
        for sound in (one for one in sounds if one.onset >= middle):
            told = stage.push(sound.messages)[-1]
            outcome = None if told.verdict is None else told.verdict.outcome
            is_right = outcome != "veto" and self._is_right(told.label, sound.classes)
            if outcome == "rename":
                yield "renamed_right" if is_right else "renamed_wrong"
            if sound.is_right:
                yield "right"
                if not is_right:
                    yield "lost"
                continue
            is_still_wrong = outcome != "veto" and not is_right
            for name, counts in (
                ("wrong", True),
                ("label_again", sound.label.name in labels),
                ("kind_again", sound.kind in kinds),
            ):
                if counts:
                    yield name
                    if is_still_wrong:
                        yield STILL_WRONG[name]

    def _verdict(self, sound: _Sound, number: int, *, named: bool) -> EventVerdict:
        message = sound.decisive
        if message is None or message.embedding is None:
            raise ValueError("an event without an embedding gets no verdict")
        right = self._first_name.get(sound.source) if named and sound.source is not None else None
        return EventVerdict(
            event_id=str(number),
            label=message.label.name,
            said=RIGHT if sound.is_right else WRONG if right is None else right.name,
            at=float(number),
            embedding=message.embedding.values,
            base=message.embedding.network,
            score=message.top_score,
        )

    def _sounds(self, recording: HeardRecording) -> list[_Sound]:
        """The events of labels that count, the oldest decision first."""
        messages: dict[int, list[Event]] = {}
        for message in recording.messages:
            messages.setdefault(message.id, []).append(message)
        return [
            self._sound(tuple(own), recording.annotations)
            for own in messages.values()
            if own[-1].label.name not in self._ignored
        ]

    def _sound(self, messages: tuple[Event, ...], annotations: Sequence[Annotation]) -> _Sound:
        last = messages[-1]
        onset, offset = last.onset / self._rate, max(last.offset or 0, last.onset) / self._rate
        beside = [
            one
            for one in annotations
            if onset < one.offset + NEAR_SECONDS and offset > one.onset - NEAR_SECONDS
        ]
        classes = frozenset(one.label for one in beside)
        nearest = min(beside, key=lambda one: abs(one.onset - onset), default=None)
        return _Sound(
            messages=messages,
            onset=onset,
            offset=offset,
            classes=classes,
            source=None if nearest is None else nearest.label,
            is_right=self._is_right(last.label, classes),
        )

    def _is_right(self, label: Label, classes: Collection[str]) -> bool:
        return any(label.class_id in self._names.get(name, ()) for name in classes)


def _with_ancestors(labels: Sequence[Label]) -> frozenset[str]:
    """Class ids of labels and of all above them: `Animal` is right for a dog."""
    return frozenset().union(*({label.class_id, *label.ancestors} for label in labels))
