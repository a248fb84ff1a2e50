"""Which windows' embeddings an event gets, with and without heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.config.settings import EventSettings, GateSettings, Settings
from detector.events.heads import HeadSet
from detector.records import Embedding, Event, Scores, Span
from detector.verdicts.event_embeddings import WINDOWS, EventEmbeddings
from tests.events.test_heads import BASE, FakeHead, head_set
from tests.support.fakes import FakeClassifier, cut, make_label, make_spec

DOG = make_label("Dog")


def scores(stop: int, **embeddings: list[float]) -> Scores:
    told = {name: np.float32(values) for name, values in embeddings.items()}
    return Scores(Span(stop - 100, stop), np.float32([0.9]), told)  # type: ignore[arg-type]


def event(phase: str = "start", *, onset: int = 0, decided: int = 1000) -> Event:
    return Event(phase, 1, DOG, onset, None, decided, 0.9, 0.9, -20.0)  # type: ignore[arg-type]


def test_the_mean_is_over_the_windows_since_the_onset() -> None:
    embeddings = EventEmbeddings()
    for stop, value in ((100, 8.0), (200, 1.0), (300, 3.0)):
        embeddings.push(scores(stop, yamnet=[value]))
    (attached,) = embeddings.attached([event(onset=100, decided=300)])
    assert attached.embedding is not None
    assert (attached.embedding.network, attached.embedding.values.tolist()) == ("yamnet", [2.0])


def test_of_a_long_sound_the_newest_windows_count() -> None:
    embeddings = EventEmbeddings()
    for number in range(3 * WINDOWS):
        embeddings.push(scores(100 * (number + 1), yamnet=[float(number >= 2 * WINDOWS)]))
    (attached,) = embeddings.attached([event("update", decided=300 * WINDOWS)])
    assert attached.embedding is not None and attached.embedding.values.tolist() == [1.0]


def test_of_two_networks_the_first_counts() -> None:
    embeddings = EventEmbeddings()
    embeddings.push(scores(100, yamnet=[1.0, 2.0], mn04=[3.0]))
    (attached,) = embeddings.attached([event()])
    assert attached.embedding is not None and attached.embedding.values.tolist() == [1.0, 2.0]


def test_an_end_and_a_network_without_embeddings_have_none() -> None:
    embeddings = EventEmbeddings()
    embeddings.push(scores(100))
    assert embeddings.attached([event()])[0].embedding is None
    embeddings.push(scores(200, yamnet=[1.0]))
    assert embeddings.attached([event("end")])[0].embedding is None


class Embedded(FakeClassifier):
    """Its embedding is its one score, twice."""

    def scores(self, window: object) -> Scores:
        given = super().scores(window)  # type: ignore[arg-type]
        return replace(given, embeddings={"fake": np.repeat(given.values[:1], 2)})


@pytest.mark.parametrize("heads", [None, head_set(FakeHead("doorbell", score=lambda mean: 0.0))])
def test_events_of_the_pipeline_have_them_with_heads_too(heads: HeadSet | None) -> None:
    spec = make_spec(DOG) if heads is None else BASE
    classifier = Embedded(spec, lambda window: [0.9] * len(spec.labels))
    settings = Settings(gate=GateSettings(mode="off"), events=EventSettings(preset="alert"))
    pipeline = make_pipeline(settings, classifier, heads)
    noise = np.random.default_rng(0).normal(0, 3000, 32000).astype(np.int16)
    events = [each for block in cut(noise, 1600) for each in pipeline.push(block)]
    first = events[0].embedding
    assert isinstance(first, Embedding)
    np.testing.assert_allclose(first.values, [0.9, 0.9], rtol=1e-6)
