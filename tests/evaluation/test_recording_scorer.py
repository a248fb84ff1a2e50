"""An ear hears what the pipeline says, and each window once."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from detector.assemble.stages import make_pipeline
from detector.config.settings import Settings
from detector.datasets.annotations import Annotation
from detector.datasets.labelled_clips import Clip, Dataset
from detector.datasets.truths import Truth
from detector.errors import AnnotationError, UnsupportedFormat
from detector.evaluation.class_map import make_class_map
from detector.evaluation.clip_evaluation import evaluate_clips
from detector.evaluation.clip_report import clip_json, clip_text
from detector.evaluation.recording_evaluation import evaluate_recordings
from detector.evaluation.recording_scorer import RecordingScorer
from tests.support.fakes import FakeClassifier, FakeSource, cut, make_spec

RATE = 16000
SPEC = make_spec("dog", "rain", threshold_on=0.5)


def sound(seconds=6.0):
    """Faint noise with a loud second at 2 s."""
    samples = np.random.default_rng(1).normal(0, 30, round(seconds * RATE))
    samples[2 * RATE : 3 * RATE] += 8000 * np.sin(np.arange(RATE))
    return samples.astype(np.int16)


def loud_is_dog(window):
    return [0.9 if np.abs(window.samples).max() > 0.1 else 0.0, 0.1]


def scorer(classifier, **variants):
    settings = Settings()
    settings = replace(settings, level=replace(settings.level, enabled=False))
    modes = variants or {"as set": "level"}
    made = {
        name: lambda c, keep=None, mode=mode: make_pipeline(
            replace(settings, gate=replace(settings.gate, mode=mode)), c, keep=keep
        )
        for name, mode in modes.items()
    }

    def source(path):
        if path.name == "bad":
            raise UnsupportedFormat("bad is not sound")
        return FakeSource(cut(sound(), 1600))

    return RecordingScorer(classifier, made, source, [[0], [1]])


def test_events_and_scores_are_the_pipelines(tmp_path):
    heard = scorer(FakeClassifier(SPEC, loud_is_dog)).score(tmp_path / "a")["as set"]
    assert [event.label for event in heard.events] == ["dog"]
    assert heard.events[0].onset == pytest.approx(2.0, abs=0.1)
    assert heard.events[0].onset < heard.events[0].decided
    assert heard.scores.shape == (len(heard.stops), 2)
    assert heard.scores[:, 0].max() == pytest.approx(0.9)
    assert heard.seconds == 6.0


def test_a_window_is_classified_once_for_all_variants(tmp_path):
    classifier = FakeClassifier(SPEC, loud_is_dog)
    heard = scorer(classifier, gated="level", ungated="off").score(tmp_path / "a")
    assert len(heard["gated"].stops) < len(heard["ungated"].stops) == len(classifier.windows)
    assert set(heard["gated"].stops) <= set(heard["ungated"].stops)


CLASS_MAP = make_class_map(["dog", "rain"], SPEC.labels, {}, where="")


def make_scorer(columns):
    return lambda: scorer(FakeClassifier(SPEC, loud_is_dog))


def test_clips_that_cannot_be_read_are_told_and_cost_no_other(tmp_path):
    pytest.importorskip("sklearn")
    clips = tuple(Clip(tmp_path / name, "dog", None, name) for name in ("a", "bad"))
    report = evaluate_clips(Dataset("folders", clips), CLASS_MAP, make_scorer, jobs=1, quiet=True)
    assert (report.clips, list(report.unreadable.values())) == (1, ["bad is not sound"])
    assert report.by_event.accuracy == 1


def test_clips_of_the_background_are_counted_apart(tmp_path):
    pytest.importorskip("sklearn")
    clips = tuple(Clip(tmp_path / "a", label, None, label) for label in ("dog", "Unknown", "negatives"))
    report = evaluate_clips(Dataset("folders", clips), CLASS_MAP, make_scorer, jobs=1, quiet=True)
    assert (report.clips, report.by_event.accuracy) == (1, 1)
    assert report.background is not None
    assert (report.background.clips, report.background.quiet, report.background.false_alarms) == (2, 0, 2)
    assert "background: 2 clips, 0.0 % without an event; 2 false alarms, 600.0 an hour" in clip_text(report)
    assert json.loads(clip_json(report))["background"]["false_alarms_per_hour"] == 600


def recordings(annotation):
    pytest.importorskip("sed_eval")
    pytest.importorskip("sed_scores_eval")
    from pathlib import Path

    truths = [Truth(Path("a"), Path("a.txt"), (annotation,))]
    return evaluate_recordings(
        truths,
        CLASS_MAP,
        make_scorer,
        window_seconds=0.975,
        hop_seconds=0.24,
        steady_hop_seconds=0.24,
        jobs=1,
        quiet=True,
    )


def test_a_recording_that_is_heard_right():
    figures = recordings(Annotation(2.0, 3.0, "dog")).variants["as set"]
    assert figures.events.overall.f1 == 1
    assert len(figures.delays) == 1


def test_annotations_in_samples_are_refused():
    with pytest.raises(AnnotationError, match="did you supply seconds"):
        recordings(Annotation(32000.0, 48000.0, "dog"))
