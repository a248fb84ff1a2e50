"""The TFLite classifier: scores, shapes, and one clear line for a file that does not fit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from detector.audio.logmel import LogMelParams
from detector.backends.tflite_model import TfliteClassifier
from detector.errors import ModelError
from detector.records import Label, ModelSpec, Span, Window
from tests.support.small_models import LABELS, WINDOW, logistic_tflite


def spec_of(labels: tuple[str, ...] = LABELS, window: int = WINDOW) -> ModelSpec:
    return ModelSpec("small", tuple(Label(name, name, "small") for name in labels), 16000, window)


def window_of(*values: float) -> Window:
    return Window(Span(100, 100 + len(values)), np.array(values, np.float32))


def test_each_label_gets_its_output_and_the_span_is_the_windows() -> None:
    classifier = TfliteClassifier(logistic_tflite(), spec_of())
    scores = classifier.scores(window_of(0.0, 2.0, -2.0, 8.0))
    assert scores.span == Span(100, 104)
    assert scores.values.dtype == np.float32
    np.testing.assert_allclose(scores.values, [0.5, 0.8808, 0.1192, 0.99966], atol=1e-4)


def test_scores_of_an_earlier_window_are_not_written_over() -> None:
    classifier = TfliteClassifier(logistic_tflite(), spec_of())
    first = classifier.scores(window_of(0.0, 0.0, 0.0, 0.0))
    classifier.scores(window_of(9.0, 9.0, 9.0, 9.0))
    assert first.values.tolist() == [0.5] * 4


@pytest.mark.parametrize("shape", [(4,), (1, 4), (1, 1, 4, 1)])
def test_any_input_shape_with_as_many_values_will_do(shape: tuple[int, ...]) -> None:
    scores = TfliteClassifier(logistic_tflite(shape), spec_of()).scores(window_of(0.0, 0.0, 0.0, 0.0))
    assert scores.values.shape == (4,)


def test_a_file_runs_as_well_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(logistic_tflite())
    assert TfliteClassifier(path, spec_of()).scores(window_of(0.0, 0.0, 0.0, 0.0)).values[0] == 0.5


def test_a_graph_that_takes_patches_gets_log_mel() -> None:
    params = LogMelParams(16000, frame=8, hop=4, fft=8, bands=2, low_hz=0, high_hz=8000, log_offset=0.001)
    classifier = TfliteClassifier(logistic_tflite((1, 2, 2)), spec_of(window=12), front_end=params)
    scores = classifier.scores(window_of(*[0.0] * 12))
    np.testing.assert_allclose(scores.values, 0.001 / 1.001, atol=1e-6)  # logistic(log(0.001))


def test_labels_that_do_not_match_the_outputs_are_named_with_both_numbers() -> None:
    with pytest.raises(ModelError, match=r"gives 4 scores, but model small has 2 labels$"):
        TfliteClassifier(logistic_tflite(), spec_of(labels=("Dog", "Rain")))


def test_a_window_that_does_not_match_the_input_is_named_with_both_numbers() -> None:
    with pytest.raises(ModelError, match=r"expects 4 input values, but model small describes 15600$"):
        TfliteClassifier(logistic_tflite(), spec_of(window=15600))


@pytest.mark.parametrize("content", [b"", b"a text, no model", logistic_tflite()[:100]])
def test_what_is_no_model_gets_one_line(content: bytes) -> None:
    with pytest.raises(
        ModelError, match=r"^the TFLite file of small cannot be run as a TFLite model: [^\n]*$"
    ):
        TfliteClassifier(content, spec_of())


def test_the_runtime_says_nothing_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    TfliteClassifier(logistic_tflite(), spec_of()).close()
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
