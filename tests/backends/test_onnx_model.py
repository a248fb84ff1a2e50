"""The ONNX classifier: scores, shapes, and one clear line for a file that does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.audio.logmel import LogMelParams
from detector.backends.onnx_model import OnnxClassifier
from detector.errors import ModelError
from detector.records import Label, ModelSpec, Span, Window

onnx = pytest.importorskip("onnx", reason="needs the [onnx] extra")
pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")

LABELS = ("Dog", "Rain", "Silence", "Clock tick")


def logistic_onnx(shape: list[int | str], *, dtype: int = onnx.TensorProto.FLOAT) -> bytes:
    """An ONNX file: the logistic of each input value, behind an output that is not the scores."""
    make = onnx.helper
    nodes = [make.make_node("Neg", ["given"], ["other"]), make.make_node("Sigmoid", ["given"], ["scores"])]
    ends = [make.make_tensor_value_info(name, dtype, shape) for name in ("given", "other", "scores")]
    model = make.make_model(
        make.make_graph(nodes, "small", ends[:1], ends[1:]), opset_imports=[make.make_opsetid("", 13)]
    )
    model.ir_version = 8
    content: bytes = model.SerializeToString()
    return content


def spec_of(labels: tuple[str, ...] = LABELS, window: int = 4) -> ModelSpec:
    return ModelSpec("small", tuple(Label(name, name, "small") for name in labels), 16000, window)


def window_of(*values: float) -> Window:
    return Window(Span(100, 100 + len(values)), np.array(values, np.float32))


@pytest.mark.parametrize("shape", [[4], [1, 4], ["N", 1, 4], ["N", "samples"]])
def test_each_label_gets_its_output_and_the_span_is_the_windows(shape: list[int | str]) -> None:
    scores = OnnxClassifier(logistic_onnx(shape), spec_of()).scores(window_of(0.0, 2.0, -2.0, 8.0))
    assert scores.span == Span(100, 104)
    assert scores.values.dtype == np.float32
    np.testing.assert_allclose(scores.values, [0.5, 0.8808, 0.1192, 0.99966], atol=1e-4)


def test_a_file_runs_as_well_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    path.write_bytes(logistic_onnx([4]))
    classifier = OnnxClassifier(path, spec_of())
    assert classifier.scores(window_of(0.0, 0.0, 0.0, 0.0)).values[0] == 0.5
    classifier.close()


def test_a_graph_that_takes_patches_gets_log_mel() -> None:
    params = LogMelParams(16000, frame=8, hop=4, fft=8, bands=2, low_hz=0, high_hz=8000, log_offset=0.001)
    classifier = OnnxClassifier(logistic_onnx(["N", 2, 2]), spec_of(window=12), front_end=params)
    scores = classifier.scores(window_of(*[0.0] * 12))
    np.testing.assert_allclose(scores.values, 0.001 / 1.001, atol=1e-6)  # logistic(log(0.001))


def test_labels_that_do_not_match_the_outputs_are_named_with_both_numbers() -> None:
    with pytest.raises(ModelError, match=r"gives 4 scores, but model small has 2 labels$"):
        OnnxClassifier(logistic_onnx([4]), spec_of(labels=("Dog", "Rain")))


@pytest.mark.parametrize("shape", [[15600], [2, 4], []])
def test_a_window_that_does_not_match_the_input_is_named_with_both_shapes(shape: list[int | str]) -> None:
    with pytest.raises(ModelError, match=r"input of shape \[.*\], but its model.yaml describes \[.*4\]$"):
        OnnxClassifier(logistic_onnx(shape), spec_of())


def test_a_graph_that_does_not_take_float32_is_refused() -> None:
    with pytest.raises(ModelError, match=r"input given must be float32, got tensor\(double\)$"):
        OnnxClassifier(logistic_onnx([4], dtype=onnx.TensorProto.DOUBLE), spec_of())


@pytest.mark.parametrize("content", [b"", b"a text, no model", logistic_onnx([4])[:40]])
def test_what_is_no_model_gets_one_line(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"^the ONNX file of small cannot be run as an ONNX model: [^\n]*$"):
        OnnxClassifier(content, spec_of())
