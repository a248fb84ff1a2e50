"""EfficientAT's networks in ONNX: the definition on a small one, and known sounds on the real one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.backends.bundle import load_bundle
from detector.errors import ModelError
from detector.modelstore import load_classifier
from detector.modelstore.convert_mn import weights_to_onnx
from detector.modelstore.folders import shipped_folder
from detector.records import Span, Window
from tests.support.small_models import Checkpoint, mobilenet_weights

pytest.importorskip("onnx", reason="needs the [onnx] extra")
runtime = pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

Tensors = dict[str, NDArray[np.float32]]


def scores(tensors: Tensors, patch: NDArray[np.float32]) -> NDArray[np.float32]:
    content = weights_to_onnx(Checkpoint(tensors).packed(), bands=patch.shape[-1])
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(["scores"], {"patch": patch[np.newaxis]})
    return np.asarray(found[0])


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
    np.testing.assert_allclose(scores(tensors, patch), wanted, atol=1e-5)


def test_other_weights_are_refused() -> None:
    with pytest.raises(ModelError, match=r"lacks 'features\.0\.1\.weight'"):
        weights_to_onnx(Checkpoint({"features.0.0.weight": np.zeros((1, 1, 3, 3), np.float32)}).packed())
    tensors = mobilenet_weights(labels=3)
    tensors["classifier.2.weight"] = np.zeros((4, 99), np.float32)
    with pytest.raises(ModelError, match="do not fit together"):
        weights_to_onnx(Checkpoint(tensors).packed(), bands=8)


def test_mn04s_patch_is_300_frames_of_3_seconds() -> None:
    bundle = load_bundle(shipped_folder() / "mn04")
    assert bundle.front_end is not None
    assert bundle.front_end.frames(bundle.spec.window) == 300
    assert len(bundle.spec.labels) == 527
    assert sum(label.background for label in bundle.spec.labels) == 26


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
