"""Embeddings go along with the scores of one pass, and training hears them as the daemon does."""

from __future__ import annotations

import numpy as np
import pytest

from detector.audio.decimate import DELAY
from detector.backends.embeddings import NetworkEmbedder
from detector.backends.ensemble import CombinedClassifier
from detector.backends.onnx_model import OnnxClassifier
from detector.backends.tflite_model import TfliteClassifier
from detector.errors import ModelError
from detector.modelstore import load_classifier, load_embedder
from detector.records import ModelSpec, Span, Window
from tests.support.fakes import make_label, make_spec
from tests.support.small_models import LABELS, WINDOW, Network

SPEC = ModelSpec("small", tuple(make_label(name) for name in LABELS), 16000, WINDOW)


def two_steps() -> bytes:
    """A TFLite file that halves the values, tensor 2, and answers with their logistic."""
    network = Network()
    given, half = network.tensor("values", (WINDOW,)), network.tensor("half", (1,), np.float32([0.5]))
    halves, scores = network.tensor("halves", (WINDOW,)), network.tensor("scores", (WINDOW,))
    network.operator("MUL", [given, half], [halves], network.options("Mul"))
    network.operator("LOGISTIC", [halves], [scores])
    return network.packed([given], [scores])


def window(*samples: float) -> Window:
    return Window(Span(0, len(samples)), np.array(samples, np.float32))


def noise(spec: ModelSpec, seed: int = 0) -> Window:
    rng = np.random.default_rng(seed)
    return Window(Span(0, spec.window), (0.1 * rng.standard_normal(spec.window)).astype(np.float32))


def test_an_inner_tensor_goes_along_with_the_scores() -> None:
    scores = TfliteClassifier(two_steps(), SPEC, embedding=2).scores(window(0, 2, -4, 1))
    assert scores.values[0] == 0.5
    assert {name: list(values) for name, values in scores.embeddings.items()} == {"small": [0, 1, -2, 0.5]}


def test_without_being_asked_a_network_tells_its_scores_alone() -> None:
    assert TfliteClassifier(two_steps(), SPEC).scores(window(0, 2, -4, 1)).embeddings == {}


def test_an_embedder_hears_scores_and_embedding_in_one_pass() -> None:
    embedder = NetworkEmbedder(TfliteClassifier(two_steps(), SPEC, embedding=2), ["small"])
    assert (embedder.embedding_length, embedder.spec) == (WINDOW, SPEC)
    scores, embedding = embedder.hear(window(0, 2, -4, 1))
    np.testing.assert_allclose(scores.values, 1 / (1 + np.exp(-embedding)), atol=1e-3)
    embedder.close()


def test_a_model_that_tells_none_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"^model small gives no embedding, so it cannot be the base of a head"
    ):
        NetworkEmbedder(TfliteClassifier(two_steps(), SPEC), ["small"])


def test_models_that_answer_together_tell_one_behind_the_other() -> None:
    slow = make_spec(*LABELS, window=2 * (WINDOW + DELAY), sample_rate=32000)
    members = [
        (TfliteClassifier(two_steps(), ModelSpec(name, SPEC.labels, 16000, WINDOW), embedding=2), 0.5)
        for name in ("one", "two")
    ]
    embedder = NetworkEmbedder(CombinedClassifier(slow, members), ["two", "one"])
    assert embedder.embedding_length == 2 * WINDOW
    _, embedding = embedder.hear(noise(slow))
    np.testing.assert_array_equal(embedding[:WINDOW], embedding[WINDOW:])
    assert np.abs(embedding).max() > 0


@pytest.mark.parametrize(("runtime", "closeness"), [("tflite", 0.0), ("onnx", 0.1)])
def test_yamnets_embedding_is_what_its_last_layer_hears(runtime: str, closeness: float) -> None:
    """The same from both files but for 8 bits, and nothing below zero."""
    try:
        embedder = load_embedder("yamnet", runtime=runtime)
        exact = load_embedder("yamnet", runtime="tflite")
        alone = load_classifier("yamnet", runtime=runtime)
    except ModelError as error:
        pytest.skip(str(error))
    heard = noise(embedder.spec)
    scores, embedding = embedder.hear(heard)
    assert embedding.shape == (embedder.embedding_length,) == (1024,)
    assert embedding.dtype == np.float32
    assert embedding.min() >= 0
    np.testing.assert_array_equal(scores.values, alone.scores(heard).values)
    assert np.abs(embedding - exact.hear(heard)[1]).mean() <= closeness * embedding.mean()


def test_the_pair_tells_yamnets_and_mn04s() -> None:
    try:
        pair, mn04 = load_embedder("yamnet+mn04"), load_embedder("mn04")
    except ModelError as error:
        pytest.skip(str(error))
    heard = noise(pair.spec)
    _, embedding = pair.hear(heard)
    assert len(embedding) == 1024 + mn04.embedding_length
    np.testing.assert_array_equal(embedding[1024:], mn04.hear(heard)[1])


def test_onnx_tells_the_output_of_that_name() -> None:
    onnx = pytest.importorskip("onnx", reason="needs the [onnx] extra")
    helper, of = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Identity", ["values"], ["embedding"]),
        helper.make_node("Sigmoid", ["values"], ["scores"]),
    ]
    given, *told = (helper.make_tensor_value_info(n, of, [1, 4]) for n in ("values", "embedding", "scores"))
    graph = helper.make_graph(nodes, "small", [given], told)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    content = model.SerializeToString()
    told_too = OnnxClassifier(content, SPEC, embedding=True).scores(window(0, 2, -4, 1))
    assert list(told_too.embeddings["small"]) == [0, 2, -4, 1]
    assert told_too.values[0] == 0.5
    assert OnnxClassifier(content, SPEC).scores(window(0, 2, -4, 1)).embeddings == {}
