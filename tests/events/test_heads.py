"""Heads beside a network: whose mean they hear, what is told of whom, and the law of cutting."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.assemble.stages import make_label_map, make_label_rules, make_pipeline
from detector.config.settings import EventSettings, LabelSettings, Settings
from detector.events.heads import HeadSet, HeadStage
from detector.records import Block, Label, ModelSpec, Scores, Span
from tests.support.fakes import FakeClassifier, make_label, make_spec
from tests.test_chunking import make_sound, recut, streams

HOP = 3840
DOG, BARK = make_label("Dog"), make_label("Bark", make_label("Dog"))
BASE = make_spec(DOG, BARK, threshold_on=0.3)


class FakeHead:
    """Its one score is a function of the mean."""

    def __init__(
        self, name, networks=("fake",), context_seconds=1.0, score=lambda mean: mean[0], label="Dog"
    ):
        own = (
            Label(label, f"{name}/{label}", name),
            Label("background", f"{name}/background", name, background=True),
        )
        self.spec = ModelSpec(name, own, 16000, 15600, threshold_on=0.6)
        self.networks, self.context_seconds = networks, context_seconds
        self.heard = []
        self._score = score

    def scores(self, embedding):
        self.heard.append(embedding.tolist())
        score = float(self._score(embedding))
        return np.array([score, 1 - score], np.float32)

    def close(self):
        pass


def head_set(*heads, with_base=True):
    parts = [BASE] * with_base + [head.spec for head in heads]
    labels = tuple(label for part in parts for label in part.labels)
    thresholds = {label.class_id: part.threshold(label) for part in parts for label in part.labels}
    return HeadSet(replace(BASE, labels=labels, thresholds=thresholds), heads, with_base)


def said(stop, **embeddings):
    told = {name: np.float32(values) for name, values in embeddings.items()}
    return Scores(Span(stop - 15600, stop), np.float32([0.1, 0.2]), told)


def test_scores_of_all_stand_one_behind_the_other():
    stage = HeadStage(head_set(FakeHead("doorbell"), FakeHead("kitchen", score=lambda mean: 0.5)), hop=HOP)
    values = stage.push(said(HOP, fake=[0.25])).values
    np.testing.assert_allclose(values, [0.1, 0.2, 0.25, 0.75, 0.5, 0.5])


def test_a_head_alone_is_all_that_is_told():
    stage = HeadStage(head_set(FakeHead("doorbell"), with_base=False), hop=HOP)
    assert stage.push(said(HOP, fake=[0.25])).values.tolist() == [0.25, 0.75]


def test_each_head_hears_its_networks_for_its_own_time():
    short, long = FakeHead("a", context_seconds=0.24), FakeHead("b", context_seconds=3.0)
    pair = FakeHead("c", networks=("other", "fake"))
    stage = HeadStage(head_set(short, long, pair), hop=HOP)
    for number, stop in enumerate((HOP, 2 * HOP)):
        stage.push(said(stop, fake=[number], other=[10 + number, 20]))
    assert short.heard == [[0], [1]]
    assert long.heard == [[0], [0.5]]
    assert pair.heard == [[10, 20, 0], [10.5, 20, 0.5]]


def test_labels_of_one_name_are_told_apart_by_their_model():
    spec = head_set(FakeHead("doorbell")).spec
    everything = make_label_map(EventSettings(), spec).reported
    assert [(label.name, label.model) for label in everything] == [
        ("Dog", "fake"),
        ("Bark", "fake"),
        ("Dog", "doorbell"),
    ]

    def chosen(**events):
        return [label.class_id for label in make_label_map(EventSettings(**events), spec).reported]

    assert chosen(include=("dog",)) == ["/Dog", "doorbell/Dog"]
    assert chosen(include=("doorbell/dog",)) == ["doorbell/Dog"]
    assert chosen(exclude=("Dog",)) == ["/Bark"]
    assert chosen(exclude=("/Dog",)) == ["/Bark", "doorbell/Dog"]
    assert chosen(background=True)[-1] == "doorbell/background"


def test_each_has_the_threshold_of_its_own_model_unless_the_settings_say_otherwise():
    spec = head_set(FakeHead("doorbell")).spec

    def thresholds(**labels):
        events = EventSettings(labels={name: LabelSettings(threshold_on=on) for name, on in labels.items()})
        return (
            make_label_rules(events, make_label_map(events, spec), spec)
            .threshold_on.astype(float)
            .round(3)
            .tolist()
        )

    assert thresholds() == [0.3, 0.3, 0.6]
    assert thresholds(Dog=0.9) == [0.9, 0.3, 0.9]
    assert thresholds(**{"doorbell/Dog": 0.9}) == [0.3, 0.3, 0.9]


def loudness(window):
    return [min(1.0, 20 * float(np.abs(window.samples[-8000:]).mean()))] * 2


class Embedding(FakeClassifier):
    """Its embedding is the loudness and the tilt of its window, to the last sample."""

    def scores(self, window):
        tilt = np.abs(window.samples) @ np.linspace(0, 1, len(window.samples), dtype=np.float32)
        return replace(super().scores(window), embeddings={"fake": np.float32([*loudness(window)[:1], tilt])})


def run(blocks, hop=0.24):
    heads = head_set(
        FakeHead("doorbell", context_seconds=1.0, score=lambda mean: min(1.0, 2 * mean[0])),
        FakeHead("kitchen", context_seconds=0.4, score=lambda mean: mean[1] % 1, label="Pan"),
    )
    kept = []
    pipeline = make_pipeline(
        replace(Settings(), windows=replace(Settings().windows, hop_seconds=hop)),
        Embedding(BASE, loudness),
        heads,
        keep=kept.append,
    )
    told = [event for block in blocks for event in pipeline.push(block)] + pipeline.flush()
    return told, [(scores.span, scores.values.tolist()) for scores in kept]


@settings(max_examples=30, deadline=None)
@given(streams(), st.lists(st.integers(0, 100_000), max_size=60), st.sampled_from([0.24, 0.1, 0.05]))
def test_any_cutting_gives_the_same_events(blocks, ends, hop):
    assert run([piece for block in blocks for piece in recut(block, ends)], hop) == run(blocks, hop)


def test_a_gap_in_the_stream_ends_the_context_and_what_the_network_names_is_an_alternative():
    sound = make_sound("hiss", 32000, 0)
    whole, _ = run([Block(0, sound)])
    assert {(e.label.name, e.label.model) for e in whole} == {("Dog", "doorbell")}
    others = {(other.label.name, other.label.model) for event in whole for other in event.alternatives}
    assert ("Bark", "fake") in others

    def firsts(kept):
        """The windows at which a context began: those that no other within a steady hop came before."""
        stops = [span.stop for span, _ in kept]
        return [stop for before, stop in pairwise([-(10**9), *stops]) if stop - before > 3 * HOP]

    _, kept = run([Block(0, sound), Block(64000, sound)])
    begun = firsts(kept)
    assert len(begun) == 2
    scores = {span.stop: values for span, values in kept}
    alone = {span.stop: values for span, values in run([Block(64000, sound)])[1]}
    np.testing.assert_allclose(scores[begun[1]][2], alone[begun[1]][2], atol=1e-6)


def test_a_sound_that_both_name_is_told_once_and_the_other_name_is_its_alternative():
    heads = head_set(FakeHead("doorbell", score=lambda mean: min(1.0, 2 * mean[0])))
    pipeline = make_pipeline(Settings(), Embedding(BASE, lambda window: [loudness(window)[0], 0]), heads)
    told = pipeline.push(Block(0, make_sound("hiss", 32000, 0))) + pipeline.flush()
    by_head, by_network = ("Dog", "doorbell/Dog", "doorbell"), ("Dog", "/Dog", "fake")
    starts = [event for event in told if event.phase == "start"]
    assert [(e.label.name, e.label.class_id, e.label.model) for e in starts] == [by_head]
    others = {(o.label.name, o.label.class_id, o.label.model) for e in told for o in e.alternatives}
    assert others == {by_network}
