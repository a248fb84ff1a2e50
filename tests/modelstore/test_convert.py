"""Conversion: the ONNX file says what the TFLite file says."""

from __future__ import annotations

import numpy as np
import pytest

from detector.audio.logmel import LogMelParams
from detector.backends.onnx_model import OnnxClassifier
from detector.backends.tflite_model import TfliteClassifier
from detector.errors import ModelError
from detector.modelstore import load_classifier
from detector.modelstore.convert import tflite_to_onnx
from detector.records import Label, ModelSpec, Span, Window
from tests.support.small_models import convolutional_tflite, logistic_tflite

pytest.importorskip("onnx", reason="needs the [onnx] extra")
runtime = pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("frames", "bands"), [(9, 12), (8, 8), (5, 7)])
def test_a_small_network_scores_the_same_in_both(frames: int, bands: int, seed: int) -> None:
    """Even and odd sides: TensorFlow's SAME padding differs between them."""
    content = convolutional_tflite(frames, bands, labels=4, seed=seed)
    window = 400 + (frames - 1) * 160
    params = LogMelParams(16000, 400, 160, 512, bands, low_hz=125.0, high_hz=7500.0, log_offset=0.001)
    spec = ModelSpec("small", tuple(Label(name, name, "small") for name in "abcd"), 16000, window)
    sound = np.random.default_rng(seed).standard_normal(window).astype(np.float32)
    heard = Window(Span(0, window), sound)
    one = TfliteClassifier(content, spec, front_end=params).scores(heard).values
    other = OnnxClassifier(tflite_to_onnx(content), spec, front_end=params).scores(heard).values
    np.testing.assert_allclose(other, one, atol=1e-5)


def test_the_batch_is_free_and_the_embedding_comes_too() -> None:
    session = runtime.InferenceSession(
        tflite_to_onnx(convolutional_tflite(8, 8, labels=4)), providers=["CPUExecutionProvider"]
    )
    patches = np.random.default_rng(0).standard_normal((5, 8, 8)).astype(np.float32)
    scores, embedding = session.run(["scores", "embedding"], {"patch": patches})
    assert scores.shape == (5, 4)
    assert embedding.shape == (5, 3)
    (alone,) = session.run(["scores"], {"patch": patches[2:3]})
    np.testing.assert_allclose(alone[0], scores[2], atol=1e-6)


def test_another_kind_of_network_is_refused() -> None:
    with pytest.raises(ModelError, match="holds no convolution"):
        tflite_to_onnx(logistic_tflite())


def test_yamnet_agrees_with_itself_but_for_eight_bit_rounding() -> None:
    """Not equal scores: the TFLite file computes in 8 bits, in steps of 1/256 at its output."""
    try:
        tflite, onnx = (load_classifier("yamnet", runtime=name) for name in ("tflite", "onnx"))
    except ModelError as error:
        pytest.skip(str(error))
    rng = np.random.default_rng(0)
    time = np.arange(15600) / 16000
    sounds = [0.3 * np.sin(2 * np.pi * 3100 * time) * (time % 0.25 < 0.12), 0.1 * rng.standard_normal(15600)]
    for sound in sounds:
        heard = Window(Span(0, 15600), sound.astype(np.float32))
        one, other = tflite.scores(heard).values, onnx.scores(heard).values
        assert one.argmax() == other.argmax()
        assert np.abs(one - other).mean() < 0.002
        assert np.abs(one - other).max() < 0.2
