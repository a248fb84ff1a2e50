"""Finding models and making classifiers of them, with no network."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from detector.backends.bundle import load_bundle
from detector.backends.modelyaml import MAX_FILE_BYTES
from detector.errors import ModelError
from detector.modelstore import available, find, load_classifier, store
from detector.modelstore.checksum import checked_bytes
from detector.modelstore.folders import shipped_folder
from detector.records import Span, Window
from tests.support.small_models import logistic_tflite, write_bundle


def test_the_users_bundles_stand_beside_those_of_the_program(small: Path) -> None:
    assert {"small", "yamnet"} <= set(available())
    assert available() == sorted(available())
    assert find("small") == small
    assert find("yamnet") == shipped_folder() / "yamnet"


def test_the_users_bundle_comes_before_the_programs_of_that_name(models: Path) -> None:
    own = write_bundle(models / "yamnet", b"weights", name="yamnet")
    assert find("yamnet") == own
    assert available().count("yamnet") == 1


def test_a_pulled_file_alone_is_no_bundle(models: Path) -> None:
    (models / "yamnet").mkdir(parents=True)
    assert find("yamnet") == shipped_folder() / "yamnet"


def test_a_path_is_a_bundle_too(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "elsewhere", b"weights")
    assert find(str(folder)) == folder
    assert find(str(folder) + "/") == folder


def test_an_unknown_model_is_answered_with_the_nearest_name(models: Path) -> None:
    with pytest.raises(ModelError, match=r"^there is no model 'yamnett'; did you mean `yamnet`\?$"):
        find("yamnett")
    with pytest.raises(ModelError, match=r"^there is no model 'zzz'; the known models are .*yamnet"):
        find("zzz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
def test_a_description_that_is_a_pipe_is_refused_as_such(models: Path) -> None:
    (models / "bell").mkdir(parents=True)
    os.mkfifo(models / "bell" / "model.yaml")
    with pytest.raises(ModelError, match=r"bell/model\.yaml: [^\n]*not a regular file$"):
        load_bundle(find("bell"))


@pytest.mark.parametrize("path", ["/nowhere/at/all", "./nowhere", "..", ""])
def test_a_path_without_a_bundle_is_one_clear_line(path: str) -> None:
    with pytest.raises(ModelError, match=r": expected the folder of a model, with a model.yaml in it$"):
        find(path)


@pytest.mark.parametrize("runtime", ["auto", "tflite"])
def test_a_model_that_is_here_becomes_a_classifier(small: Path, runtime: str) -> None:
    classifier = load_classifier("small", runtime=runtime)
    assert classifier.spec.name == "small"
    scores = classifier.scores(Window(Span(0, 4), np.zeros(4, np.float32)))
    assert scores.values.tolist() == [0.5] * 4
    classifier.close()


@pytest.mark.parametrize("size", [None, MAX_FILE_BYTES])
def test_a_file_that_is_far_too_large_is_refused_unread(tmp_path: Path, size: int | None) -> None:
    path = tmp_path / "small.tflite"
    with path.open("wb") as file:
        file.truncate(1 << 42)  # more than any memory holds; the disk holds nothing of it
    with pytest.raises(ModelError, match=rf"small\.tflite: is damaged: .* {1 << 42}; pull it$"):
        checked_bytes(path, size=size, sha256="", remedy="pull it")


def test_a_model_that_was_not_pulled_says_how_to(models: Path) -> None:
    message = r"^model yamnet is not on this machine; run: sound-detector models pull yamnet$"
    for runtime in ("auto", "tflite"):
        with pytest.raises(ModelError, match=message):
            load_classifier("yamnet", runtime=runtime)


def test_a_derived_file_that_was_not_built_says_how_to(models: Path) -> None:
    pytest.importorskip("onnxruntime", reason="needs the [onnx] extra")
    with pytest.raises(
        ModelError, match=r"has no onnx file.*; install .* and run: sound-detector models pull yamnet$"
    ):
        load_classifier("yamnet", runtime="onnx")


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_a_runtime_that_the_model_has_no_file_for_is_named(small: Path, runtime: str) -> None:
    with pytest.raises(ModelError, match=rf"^model small runs on tflite, not on {runtime}$"):
        load_classifier("small", runtime=runtime)


def test_a_folder_that_is_named_like_a_model_is_pointed_out(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bundle(tmp_path / "models" / "doorbell", logistic_tflite(), name="doorbell")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ModelError, match=r"^there is no model 'doorbell'; for the folder write ./models/doorbell$"
    ):
        find("doorbell")
    monkeypatch.chdir(tmp_path / "models")
    with pytest.raises(ModelError, match=r"write ./doorbell$"):
        find("doorbell")
    assert find("./doorbell") == Path("doorbell")


def test_a_flipped_byte_is_found_before_any_runtime_sees_it(small: Path) -> None:
    path = small / "small.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        ModelError, match=r"is damaged: expected sha256 \S+, got \S+; it cannot be downloaded"
    ):
        load_classifier("small")


@pytest.mark.parametrize("size", [0, 10, 10_000])
def test_a_file_of_the_wrong_size_is_damaged(small: Path, size: int) -> None:
    (small / "small.tflite").write_bytes(b"\0" * size)
    with pytest.raises(
        ModelError, match=rf"is damaged: expected \d+ bytes, got {size}; it cannot be downloaded"
    ):
        load_classifier("small")


def test_labels_that_do_not_match_the_outputs_are_one_clear_line(small: Path) -> None:
    table = small / "labels.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:3]) + "\n")
    with pytest.raises(ModelError, match=r"gives 4 scores, but model small has 2 labels$"):
        load_classifier("small")


def test_a_pulled_file_lies_in_the_users_folder_and_a_custom_one_in_its_bundle(
    models: Path, small: Path
) -> None:
    yamnet = load_bundle(find("yamnet"))
    assert store.file_path(yamnet, "tflite") == models / "yamnet" / "yamnet.tflite"
    assert store.file_path(load_bundle(small), "tflite") == small / "small.tflite"
