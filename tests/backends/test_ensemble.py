"""Models that answer together: log-odds add up by class, and each member hears what it is used to."""

from __future__ import annotations

import numpy as np
import pytest

from detector.backends.ensemble import CombinedClassifier
from detector.errors import ModelError
from detector.modelstore import load_classifier
from detector.records import Span, Window
from tests.support.fakes import FakeClassifier, make_spec

BOTH = make_spec("Dog", "Rain", sample_rate=32000, window=2000)


def window(samples: np.ndarray, start: int = 640) -> Window:
    return Window(Span(start, start + len(samples)), samples.astype(np.float32))


def test_weighted_log_odds_add_up_by_class_and_not_by_place() -> None:
    slow = FakeClassifier(
        make_spec("Rain", "Cat", "Dog", sample_rate=32000, window=2000), lambda _: (0.2, 0.9, 0.7)
    )
    quick = FakeClassifier(make_spec("Dog", "Rain", sample_rate=32000, window=100), lambda _: (0.6, 0.5))
    scores = CombinedClassifier(BOTH, [(slow, 0.5), (quick, 2.0)]).scores(window(np.zeros(2000)))
    odds = np.array([(0.7 / 0.3) ** 0.5 * (0.6 / 0.4) ** 2, (0.2 / 0.8) ** 0.5])
    np.testing.assert_allclose(scores.values, odds / (1 + odds), rtol=1e-5)
    assert scores.span == Span(640, 2640)


def test_the_bias_is_added_to_every_sum() -> None:
    half = FakeClassifier(BOTH, lambda _: (0.5, 0.2))
    values = CombinedClassifier(BOTH, [(half, 1.0)], bias=np.log(3)).scores(window(np.zeros(2000))).values
    np.testing.assert_allclose(values, (0.75, 0.75 / 1.75), rtol=1e-5)


def test_certainty_is_bounded() -> None:
    """Scores of 0 and 1 are no infinities, and a model that is sure can be outvoted."""
    sure = FakeClassifier(BOTH, lambda _: (0.0, 1.0))
    other = FakeClassifier(BOTH, lambda _: (0.9, 0.1))
    values = CombinedClassifier(BOTH, [(sure, 1.0), (other, 10.0)]).scores(window(np.zeros(2000))).values
    assert 0.5 < values[0] < 1.0
    assert 0.0 < values[1] < 0.5


def test_a_member_of_the_same_rate_hears_the_newest_samples() -> None:
    quick = FakeClassifier(make_spec("Dog", "Rain", sample_rate=32000, window=100), lambda _: (0.5, 0.5))
    sound = np.arange(2000) / 2000
    CombinedClassifier(BOTH, [(quick, 1.0)]).scores(window(sound))
    (heard,) = quick.windows
    assert heard.span == Span(2540, 2640)
    np.testing.assert_array_equal(heard.samples, sound[-100:].astype(np.float32))


def test_a_member_of_half_the_rate_hears_the_same_sound_without_what_it_cannot_hold() -> None:
    half = FakeClassifier(make_spec("Dog", "Rain", sample_rate=16000, window=500), lambda _: (0.5, 0.5))
    time = np.arange(2000) / 32000
    low, high = np.sin(2 * np.pi * 1000 * time), np.sin(2 * np.pi * 12000 * time)
    CombinedClassifier(BOTH, [(half, 1.0)]).scores(window(low + high))
    (heard,) = half.windows
    assert len(heard.samples) == half.spec.window
    shifts = [np.abs(heard.samples - low[first : first + 1000 : 2]).max() for first in range(880, 1000)]
    assert min(shifts) < 0.002


def test_members_that_do_not_fit_are_refused() -> None:
    for spec, message in (
        (make_spec("Dog", sample_rate=32000, window=100), "its member fake has no label 'Rain'"),
        (
            make_spec("Dog", "Rain", sample_rate=44100, window=100),
            "works at 44100 Hz, expected 32000 or half",
        ),
        (make_spec("Dog", "Rain", sample_rate=16000, window=1000), "takes 2118 samples at once"),
    ):
        with pytest.raises(ModelError, match=message):
            CombinedClassifier(BOTH, [(FakeClassifier(spec, lambda _: (0.5, 0.5)), 1.0)])


def test_yamnet_and_mn04_agree_on_a_tone() -> None:
    try:
        both = load_classifier("yamnet+mn04")
    except ModelError as error:
        pytest.skip(str(error))
    assert (both.spec.sample_rate, both.spec.window, len(both.spec.labels)) == (32000, 96000, 521)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(96000) / 32000)
    values = both.scores(window(tone)).values
    assert both.spec.labels[int(values.argmax())].name == "Sine wave"
    both.close()
