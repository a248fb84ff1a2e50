"""EfficientAT's networks from their weights: the definition on a small one, known sounds on the real one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.backends.bundle import load_bundle
from detector.backends.prior import logits
from detector.errors import ModelError
from detector.graphs.graph import Graph
from detector.graphs.onnx_file import to_onnx
from detector.graphs.tflite_file import to_tflite
from detector.interfaces import Embedder
from detector.modelstore import load_classifier, load_embedder
from detector.modelstore.convert_mn import weights_to_graph
from detector.modelstore.folders import shipped_folder
from detector.records import Span, Window
from tests.support.small_models import Checkpoint, mobilenet_weights

Tensors = dict[str, NDArray[np.float32]]


def hard_swish(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x * np.clip(x / 6 + 0.5, 0, 1)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))


def normalised(tensors: Tensors, name: str, x: NDArray[np.float64], group: bool, stride: int = 1):
    """Convolution and batch normalisation, from their definitions; x (channels, height, width)."""
    weights = tensors[f"{name}.0.weight"].astype(np.float64)
    k = weights.shape[-1]
    x = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    cells = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride]
    y = np.einsum("chwij,cij->chw", cells, weights[:, 0]) if group else None
    y = np.einsum("chwij,ocij->ohw", cells, weights) if y is None else y
    mean, var, gain, bias = (
        tensors[f"{name}.1.{part}"].astype(np.float64)[:, None, None]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (y - mean) / np.sqrt(var + 1e-3) * gain + bias


def in_onnx(graph: Graph, patch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    pytest.importorskip("onnx", reason="needs the [onnx] extra")
    runtime = pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")
    session = runtime.InferenceSession(to_onnx(graph), providers=["CPUExecutionProvider"])
    found, embedding = session.run(["scores", "embedding"], {"patch": patch[np.newaxis]})
    return found[0], embedding[0]


def in_tflite(graph: Graph, patch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(model_content=to_tflite(graph), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], patch[np.newaxis, :, :, np.newaxis])
    interpreter.invoke()
    outputs = {output["name"]: output["index"] for output in interpreter.get_output_details()}
    return interpreter.get_tensor(outputs["scores"])[0], interpreter.get_tensor(outputs["embedding"])[0]


def test_a_small_network_follows_the_definition() -> None:
    """Two blocks: the first keeps its input and adds it, the second expands, halves, and squeezes."""
    tensors = mobilenet_weights(labels=3, seed=1)
    patch = np.random.default_rng(0).standard_normal((9, 8)).astype(np.float32)
    x = hard_swish(normalised(tensors, "features.0", (patch.T[None] + 4.5) / 5, group=False, stride=2))
    name = "features.1.block"
    y = np.maximum(0, normalised(tensors, f"{name}.0", x, group=True))
    x = x + normalised(tensors, f"{name}.1", y, group=False)
    name = "features.2.block"
    y = np.maximum(0, normalised(tensors, f"{name}.0", x, group=False))
    y = np.maximum(0, normalised(tensors, f"{name}.1", y, group=True, stride=2))
    layers = f"{name}.2.conc_se_layers.0"
    z = np.maximum(0, tensors[f"{layers}.fc1.weight"] @ y.mean((1, 2)) + tensors[f"{layers}.fc1.bias"])
    y = y * sigmoid(tensors[f"{layers}.fc2.weight"] @ z + tensors[f"{layers}.fc2.bias"])[:, None, None]
    x = normalised(tensors, f"{name}.3", y, group=False)
    x = hard_swish(normalised(tensors, "features.3", x, group=False))
    hidden = hard_swish(tensors["classifier.2.weight"] @ x.mean((1, 2)) + tensors["classifier.2.bias"])
    wanted = sigmoid(tensors["classifier.5.weight"] @ hidden + tensors["classifier.5.bias"])
    graph = weights_to_graph(Checkpoint(tensors).packed(), frames=9, bands=8)
    for run in (in_tflite, in_onnx):
        found, embedding = run(graph, patch)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        np.testing.assert_allclose(embedding, x.mean((1, 2)), atol=1e-5)


def test_the_files_are_the_same_each_time() -> None:
    pytest.importorskip("ai_edge_litert")
    content = Checkpoint(mobilenet_weights(labels=3)).packed()
    once, again = (to_tflite(weights_to_graph(content, frames=9, bands=8)) for _ in range(2))
    assert once == again


def test_other_weights_are_refused() -> None:
    with pytest.raises(ModelError, match=r"lacks 'features\.0\.1\.weight'"):
        weights_to_graph(
            Checkpoint({"features.0.0.weight": np.zeros((1, 1, 3, 3), np.float32)}).packed(),
            frames=9,
            bands=8,
        )
    tensors = mobilenet_weights(labels=3)
    tensors["classifier.2.weight"] = np.zeros((4, 99), np.float32)
    with pytest.raises(ModelError, match="do not fit together"):
        weights_to_graph(Checkpoint(tensors).packed(), frames=9, bands=8)


def test_mn04s_patch_is_300_frames_of_3_seconds() -> None:
    bundle = load_bundle(shipped_folder() / "mn04")
    assert bundle.front_end is not None
    assert bundle.front_end.frames(bundle.spec.window) == 300
    assert len(bundle.spec.labels) == 527
    assert sum(label.background for label in bundle.spec.labels) == 26


def test_mn04_gives_the_same_in_both_runtimes() -> None:
    """Scores, and the embedding that heads listen to, on a tone that swells in hiss.

    The TFLite file's weights have 16 bits; ONNX Runtime's logistic is an approximation for low scores.
    """
    each = {runtime: load_or_skip(runtime) for runtime in ("tflite", "onnx")}
    rng, time = np.random.default_rng(0), np.arange(96000) / 32000
    for pitch in (200, 1000, 5000):
        sound = 0.05 * time * np.sin(2 * np.pi * pitch * time) + 0.005 * rng.standard_normal(96000)
        window = Window(Span(0, 96000), sound.astype(np.float32))
        (values, own), (others, other) = (embedder.hear(window) for embedder in each.values())
        np.testing.assert_allclose(values.values, others.values, atol=0.01)
        told = values.values > 1e-3
        np.testing.assert_allclose(logits(values.values[told]), logits(others.values[told]), atol=0.05)
        np.testing.assert_allclose(own, other, atol=0.01)


def load_or_skip(runtime: str) -> Embedder:
    try:
        return load_embedder("mn04", runtime=runtime)
    except ModelError as error:
        pytest.skip(str(error))


def test_mn04_knows_a_tone_a_hiss_and_silence() -> None:
    try:
        classifier = load_classifier("mn04")
    except ModelError as error:
        pytest.skip(str(error))
    names = [label.name for label in classifier.spec.labels]
    time = np.arange(96000) / 32000
    hiss = 0.1 * np.random.default_rng(0).standard_normal(96000)
    for wanted, samples in (
        ("Sine wave", 0.3 * np.sin(2 * np.pi * 440 * time)),
        ("Static", hiss),
        ("Silence", 0 * time),
    ):
        values = classifier.scores(Window(Span(0, 96000), samples.astype(np.float32))).values
        assert names[int(values.argmax())] == wanted
