"""Laws of models/esc10, which ships with the program: small, whole, alike in both runtimes, no download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.backends.bundle import load_bundle
from detector.files.data_folders import models_folder
from detector.modelstore.folders import shipped_folder
from detector.modelstore.store import file_path, load_classifier
from detector.records import Span, Window

FOLDER = shipped_folder() / "esc10"
MOST_BYTES = 5_000_000
"""Of all its files together."""
TOLERANCE = 1e-4
"""Of a score."""


@pytest.fixture(autouse=True)
def nothing_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUND_DETECTOR_HOME", str(tmp_path))


def test_its_files_lie_in_the_package_and_are_small() -> None:
    bundle = load_bundle(FOLDER)
    assert models_folder() not in FOLDER.parents
    for kind in ("tflite", "onnx"):
        path = file_path(bundle, kind)
        assert path.parent == FOLDER
        assert path.stat().st_size == bundle.files[kind].size
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_it_says_whose_sounds_it_was_made_of() -> None:
    text = (FOLDER / "model.yaml").read_text(encoding="utf-8")
    assert "CC-BY-3.0" in text
    assert "Piczak" in text


def test_its_labels_are_its_own() -> None:
    labels = load_bundle(FOLDER).spec.labels
    assert len(labels) == 10
    assert all(label.class_id == f"esc10/{label.name}" for label in labels)


def test_both_runtimes_agree_and_are_not_sure_of_noise() -> None:
    """Noise of any level is none of its classes."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    spec = load_bundle(FOLDER).spec
    tflite, onnx = (load_classifier("esc10", runtime=runtime) for runtime in ("tflite", "onnx"))
    noise = np.random.default_rng(1).normal(size=spec.window)
    try:
        for level in (0.0, 1e-4, 1e-3, 1e-2):
            window = Window(Span(0, spec.window), (level * noise).astype(np.float32))
            one, other = tflite.scores(window).values, onnx.scores(window).values
            np.testing.assert_allclose(one, other, atol=TOLERANCE)
            thresholds = [spec.thresholds.get(label.name, spec.threshold_on) for label in spec.labels]
            assert (one < thresholds).all(), f"noise of RMS {level} is heard"
    finally:
        tflite.close()
        onnx.close()
