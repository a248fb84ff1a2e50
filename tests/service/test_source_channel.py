"""What a channel makes of the events of its pipeline: verdicts come first, then whoever keeps their sound."""

from __future__ import annotations

from typing import Any

import numpy as np

from detector.assemble.stages import make_pipeline
from detector.config.settings import Settings
from detector.records import Embedding, Event, Phase, Scores
from detector.service.source_channel import SourceChannel
from detector.verdicts.event_verdict import EventVerdict
from detector.verdicts.verdict_book import VerdictBook
from detector.verdicts.verdict_stage import VerdictStage
from detector.wire.message import EventBody, VetoBody
from tests.support.fakes import FakeClassifier, FakeSource, make_label, make_spec

DOG, CAT = make_label("Dog"), make_label("Cat")
SOUND = np.float32([1.0, 0.5, 0.0])


class Clips:
    """Whoever keeps the sound of events."""

    def __init__(self) -> None:
        self.noted: list[tuple[int, bool]] = []

    def hear(self, scores: Scores) -> None:
        """Nothing is to be known of them here."""

    def note(self, event: Event, body: EventBody, *, is_reported: bool) -> None:
        self.noted.append((event.id, is_reported))


def event(id: int, label: Any, phase: Phase = "start") -> Event:
    return Event(phase, id, label, 0, None, 100, 0.9, 0.9, -20.0, embedding=Embedding("fake", SOUND))


def test_a_vetoed_event_says_so_and_its_sound_is_not_kept() -> None:
    book, clips = VerdictBook(), Clips()
    book.exchange([EventVerdict("old-1", "Dog", "wrong", 0.0, SOUND, "fake", 0.9)], [DOG, CAT])
    spec = make_spec(DOG, CAT)
    keeper: Any = clips
    channel = SourceChannel(
        source=FakeSource([]),
        pipeline=make_pipeline(Settings(), FakeClassifier(spec, lambda window: [0.0, 0.0])),
        sample_rate=16000,
        event_ids="run",
        queue_blocks=2,
        clips=keeper,
        verdicts=VerdictStage(book),
    )
    first, second = channel.bodies([event(1, DOG), event(2, CAT)])
    assert isinstance(first, EventBody) and isinstance(second, EventBody)
    assert (first.id, first.label, first.vetoed) == ("run-1", "Dog", VetoBody(1, "old-1"))
    assert (second.id, second.label, second.vetoed) == ("run-2", "Cat", None)
    assert first.embedding is not None
    assert clips.noted == [(1, False), (2, True)]
