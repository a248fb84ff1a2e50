"""Laws of graphs: numpy, ONNX Runtime and TFLite give the same scores, within TOLERANCE of a score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.graphs.graph import Graph, Value
from detector.graphs.onnx_file import to_onnx
from detector.graphs.tflite_file import to_tflite
from tests.support.runtimes import run_onnx, run_tflite

TOLERANCE = 2e-5
"""Of a score, 0..1: float32 in two runtimes that sum in another order than numpy's float64."""


def assert_all_agree(graph: Graph, values: np.ndarray) -> np.ndarray:
    wanted = graph.run(values)
    pytest.importorskip("onnx", reason="onnx is not installed")
    np.testing.assert_allclose(run_onnx(to_onnx(graph), values), wanted, atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(run_tflite(to_tflite(graph), values), wanted, atol=TOLERANCE, rtol=0)
    return wanted


def some(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape) / np.sqrt(np.prod(shape[1:], initial=1))


def a_head(rng: np.random.Generator, graph: Graph, hidden: int, classes: int, multilabel: bool) -> None:
    features = graph.shape[0]
    now = graph.signed_sqrt(graph.input)
    now = graph.affine(now, some(rng, features) + 1, some(rng, features))
    now = graph.relu(graph.dense(now, some(rng, hidden, features), some(rng, hidden)))
    now = graph.dense(now, 5 * some(rng, classes, hidden), some(rng, classes))
    graph.output = graph.sigmoid(now) if multilabel else graph.softmax(now)


@given(
    features=st.integers(1, 20),
    hidden=st.integers(1, 8),
    classes=st.integers(1, 6),
    multilabel=st.booleans(),
    seed=st.integers(0, 9),
)
@settings(max_examples=15, deadline=None)
def test_heads_agree(features: int, hidden: int, classes: int, multilabel: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = Graph((features,))
    a_head(rng, graph, hidden, classes, multilabel)
    values = rng.normal(0, 3, (3, features))
    scores = assert_all_agree(graph, values)
    assert scores.shape == (3, classes)
    if not multilabel:
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_two_embeddings_side_by_side_agree() -> None:
    """A graph may take its input apart by weights and put it together again."""
    rng = np.random.default_rng(5)
    graph = Graph((7,))
    ways = [graph.dense(graph.input, some(rng, width, 7), some(rng, width)) for width in (3, 4)]
    graph.output = graph.sigmoid(graph.add(graph.concat(ways), graph.input))
    assert_all_agree(graph, rng.normal(size=(4, 7)))


LAYERS: dict[str, Callable[[np.random.Generator, Graph, Value], Value]] = {
    "conv 3x3": lambda rng, g, x: g.conv(x, some(rng, 4, 2, 3, 3), some(rng, 4), padding=(1, 1)),
    "conv without padding": lambda rng, g, x: g.conv(x, some(rng, 4, 2, 3, 5), some(rng, 4)),
    "conv of stride 2 on an odd and an even side": lambda rng, g, x: g.conv(
        x, some(rng, 4, 2, 3, 3), some(rng, 4), stride=(2, 2), padding=(1, 1)
    ),
    "conv 7x7 of stride 2": lambda rng, g, x: g.conv(
        x, some(rng, 3, 2, 7, 7), some(rng, 3), stride=(2, 2), padding=(3, 3)
    ),
    "dilated conv": lambda rng, g, x: g.conv(
        x, some(rng, 4, 2, 3, 3), some(rng, 4), padding=(3, 2), dilation=(3, 2)
    ),
    "dilations side by side": lambda rng, g, x: g.concat(
        [
            g.conv(x, some(rng, 2, 2, 3, 3), some(rng, 2), padding=(d, d), dilation=(d, d))
            for d in (1, 2, 3, 4)
        ]
    ),
    "conv of stride 2 that TFLite pads alike": lambda rng, g, x: g.conv(
        x, some(rng, 4, 2, 3, 2), some(rng, 4), stride=(2, 2), padding=(1, 0)
    ),
    "depthwise": lambda rng, g, x: g.depthwise_conv(x, some(rng, 2, 5, 3), some(rng, 2), padding=(2, 1)),
    "depthwise of stride 2": lambda rng, g, x: g.depthwise_conv(
        x, some(rng, 2, 3, 3), some(rng, 2), stride=(2, 2), padding=(1, 1)
    ),
    "each channel by what all say": lambda rng, g, x: g.scale(
        x, g.sigmoid(g.dense(g.global_mean(x), some(rng, 2, 2), some(rng, 2)))
    ),
    "hard swish": lambda rng, g, x: g.hard_swish(x),
    "affine": lambda rng, g, x: g.affine(x, some(rng, 2), some(rng, 2)),
    "relu": lambda rng, g, x: g.relu(x),
    "signed sqrt": lambda rng, g, x: g.signed_sqrt(x),
    "greatest": lambda rng, g, x: g.max_pool(x, (2, 3)),
    "greatest, overlapping, padded, all below zero": lambda rng, g, x: g.max_pool(
        g.affine(x, np.ones(2), np.full(2, -30)), (3, 3), stride=(2, 2), padding=(1, 1)
    ),
    "mean": lambda rng, g, x: g.mean_pool(x, (3, 2)),
    "residual": lambda rng, g, x: g.add(x, g.conv(x, some(rng, 2, 2, 1, 1), some(rng, 2))),
}


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize("layer", LAYERS)
def test_pictures_agree(layer: str, pool: str) -> None:
    rng = np.random.default_rng(7)
    graph = Graph((11, 16))
    now = graph.conv(graph.input, some(rng, 2, 1, 1, 1), some(rng, 2))
    now = LAYERS[layer](rng, graph, now)
    now = graph.global_mean(now) if pool == "mean" else graph.global_max(now)
    graph.output = graph.softmax(graph.dense(now, some(rng, 3, now.shape[0]), some(rng, 3)))
    assert_all_agree(graph, rng.normal(0, 3, (2, 11, 16)))


def test_an_embedding_goes_along_with_the_scores() -> None:
    """The files give it under its name; that it is asked for changes no score."""
    rng = np.random.default_rng(2)
    graph = Graph((5, 6))
    graph.embedding = graph.global_mean(graph.conv(graph.input, some(rng, 3, 1, 3, 3), some(rng, 3)))
    graph.output = graph.sigmoid(graph.dense(graph.embedding, some(rng, 2, 3), some(rng, 2)))
    values = rng.normal(size=(1, 5, 6))
    alone = Graph((5, 6))
    rng = np.random.default_rng(2)
    now = alone.global_mean(alone.conv(alone.input, some(rng, 3, 1, 3, 3), some(rng, 3)))
    alone.output = alone.sigmoid(alone.dense(now, some(rng, 2, 3), some(rng, 2)))
    np.testing.assert_array_equal(assert_all_agree(graph, values), assert_all_agree(alone, values))


def test_weights_in_16_bits_give_nearly_the_same_from_half_the_file() -> None:
    rng = np.random.default_rng(4)
    graph = Graph((40,))
    now = graph.relu(graph.dense(graph.input, some(rng, 60, 40), some(rng, 60)))
    graph.output = graph.sigmoid(graph.dense(now, some(rng, 50, 60), some(rng, 50)))
    values = rng.normal(size=(2, 40))
    whole, halves = to_tflite(graph), to_tflite(graph, halves=True)
    assert len(halves) < 0.7 * len(whole)
    np.testing.assert_allclose(run_tflite(halves, values), graph.run(values), atol=1e-3, rtol=0)


def test_convolution_is_the_sum_that_its_name_promises() -> None:
    """Numpy's reference against the definition, cell by cell."""
    rng = np.random.default_rng(3)
    weights, picture = rng.normal(size=(1, 1, 3, 2)), rng.normal(size=(6, 7))
    graph = Graph((6, 7))
    now = graph.conv(graph.input, weights, np.array([0.5]), stride=(2, 1), padding=(1, 0), dilation=(1, 3))
    graph.output = graph.global_mean(now)
    padded = np.pad(picture, ((1, 1), (0, 0)))
    cells = [
        0.5 + sum(weights[0, 0, i, j] * padded[2 * y + i, x + 3 * j] for i in range(3) for j in range(2))
        for y in range(3)
        for x in range(4)
    ]
    assert now.shape == (1, 3, 4)
    np.testing.assert_allclose(graph.run(picture[np.newaxis])[0, 0], np.mean(cells), rtol=1e-6)


def test_scores_are_certain_without_overflow() -> None:
    for ending in (Graph.sigmoid, Graph.softmax):
        graph = Graph((2,))
        graph.output = ending(graph, graph.dense(graph.input, 1e4 * np.eye(2), np.zeros(2)))
        np.testing.assert_array_equal(assert_all_agree(graph, np.array([[1.0, -1.0]])), [[1, 0]])


@pytest.mark.parametrize(
    "build",
    [
        lambda g: g.dense(g.input, np.zeros((2, 5)), np.zeros(2)),
        lambda g: g.dense(g.input, np.zeros((2, 4)), np.zeros(3)),
        lambda g: g.affine(g.input, np.ones(3), np.ones(3)),
        lambda g: g.conv(g.input, np.zeros((1, 1, 3, 3)), np.zeros(1)),
        lambda g: g.depthwise_conv(g.input, np.zeros((1, 3, 3)), np.zeros(1)),
        lambda g: g.scale(g.input, g.input),
        lambda g: g.global_mean(g.input),
        lambda g: g.add(g.input, g.concat([g.input, g.input])),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_built(build: Callable[[Graph], Value]) -> None:
    with pytest.raises(ValueError, match="cannot take"):
        build(Graph((4,)))


def test_a_kernel_larger_than_the_picture_is_refused() -> None:
    graph = Graph((4, 4))
    with pytest.raises(ValueError, match="does not fit"):
        graph.max_pool(graph.input, (5, 1))


def test_a_graph_without_output_says_so() -> None:
    with pytest.raises(ValueError, match="no output"):
        to_onnx(Graph((4,)))
