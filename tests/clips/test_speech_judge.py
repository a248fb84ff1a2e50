"""The judge of speech: the whole clip, the highest of any window, and whatever is in doubt is speech."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.clips.clip_record import HeardWindow
from detector.clips.speech_judge import (
    HEARD_THRESHOLD,
    UNVOICED_THRESHOLD,
    VOICED_THRESHOLD,
    SpeechJudge,
    is_speech,
)
from tests.support.fakes import FakeClassifier, make_label, make_spec

RATE, WINDOW = 16000, 15600
SPEC = make_spec("Dog", "Speech", "Singing")


class FixedVad:
    def __init__(self, active):
        self.active = active

    def is_active(self, frame):
        return self.active

    def reset(self):
        pass


def judged(length, score, *, vad=None, speech=0.0, spec=SPEC):
    """Judge silence of this length, every window of which has these scores."""
    classifier = FakeClassifier(spec, lambda window: [0.9, speech, score])
    return SpeechJudge(classifier, vad).judge(np.zeros(length, np.float32)), classifier


@settings(max_examples=40)
@given(st.integers(1, 200_000))
def test_every_sample_is_in_a_window(length):
    _, classifier = judged(length, 0.0)
    covered = np.zeros(max(length, WINDOW), bool)
    for window in classifier.windows:
        covered[window.span.start : window.span.stop] = True
    assert covered.all()


def test_one_window_with_speech_is_enough():
    def score(window):
        return [0.9, 0.5 if window.span.stop == 100_000 else 0.0, 0.0]

    assert SpeechJudge(FakeClassifier(SPEC, score), None).judge(np.zeros(100_000, np.float32)).is_speech


@pytest.mark.parametrize(
    ("vad", "threshold"),
    [(FixedVad(True), VOICED_THRESHOLD), (FixedVad(False), UNVOICED_THRESHOLD), (None, VOICED_THRESHOLD)],
)
def test_a_voice_lowers_the_threshold_and_so_does_a_missing_detector(vad, threshold):
    assert judged(WINDOW, threshold + 0.001, vad=vad)[0].is_speech
    assert not judged(WINDOW, threshold - 0.01, vad=vad)[0].is_speech


def test_every_class_of_speech_counts_and_others_do_not():
    assert judged(WINDOW, 0.5)[0].is_speech
    assert judged(WINDOW, 0.0, speech=0.5)[0].is_speech
    verdict, _ = judged(WINDOW, 0.0)
    assert (verdict.is_speech, verdict.score) == (False, 0.0)


def test_a_score_that_is_no_number_is_speech():
    assert judged(WINDOW, math.nan)[0].is_speech


@settings(max_examples=40)
@given(
    st.integers(16_000, 120_000),
    st.lists(st.tuples(st.floats(-1, 8), st.floats(0, 2)), max_size=12),
)
def test_every_sample_is_scored_or_known(length, parts):
    """But for a tenth of a window, which no word fits into."""
    heard = [HeardWindow(start, start + seconds, 0.0) for start, seconds in parts]
    classifier = FakeClassifier(SPEC, lambda window: [0.9, 0.0, 0.0])
    SpeechJudge(classifier, None).judge(np.zeros(length, np.float32), heard)
    seen = np.zeros(length, bool)
    for window in classifier.windows:
        seen[window.span.start : window.span.stop] = True
    for window in heard:
        seen[max(0, round(window.start * RATE)) : max(0, round(window.stop * RATE))] = True
    longest = max((len(list(run)) for is_seen, run in itertools.groupby(seen) if not is_seen), default=0)
    assert longest <= WINDOW // 10 + 1


@pytest.mark.parametrize("score", [HEARD_THRESHOLD, 0.9, math.nan])
def test_speech_that_the_daemon_knows_of_needs_no_scoring(score):
    classifier = FakeClassifier(SPEC, lambda window: [0.9, 0.0, 0.0])
    heard = [HeardWindow(0.0, 1.0, 0.0), HeardWindow(1.0, 2.0, score), HeardWindow(2.0, 3.0, 0.0)]
    assert SpeechJudge(classifier, None).judge(np.zeros(3 * RATE, np.float32), heard).is_speech
    assert classifier.windows == []


def test_a_model_without_speech_cannot_judge():
    with pytest.raises(ValueError, match="no class of speech"):
        SpeechJudge(FakeClassifier(make_spec("Dog"), lambda window: [0.0]), None)


def test_a_quiet_window_is_raised():
    classifier = FakeClassifier(SPEC, lambda window: [0.0, 0.0, 0.0])
    SpeechJudge(classifier, None).judge(np.full(WINDOW, 0.005, np.float32))
    (window,) = classifier.windows
    assert window.gain == pytest.approx(20, rel=0.01)


def test_classes_below_speech_are_speech():
    speech = make_label("Speech")
    child = make_label("Child speech, kid speaking", speech)
    object.__setattr__(child, "ancestor_names", ("Speech",))
    assert is_speech(child)
    assert not is_speech(make_label("Dog"))
