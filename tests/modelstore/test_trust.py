"""Who may describe a model to root: the program and root alone, whatever lies in the service's folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from detector.errors import ModelError
from detector.modelstore import commands
from detector.modelstore.catalogue import ModelCatalogue, available, find
from detector.modelstore.folders import shipped_folder
from detector.modelstore.pull import pull
from detector.modelstore.selection import found_heads
from detector.modelstore.store import file_path, read_model_file
from tests.support.closed_folders import skip_where_others_cannot_read
from tests.support.small_models import logistic_tflite, write_bundle

SOMEBODY = 1234

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can lay files of another user"
)


@pytest.fixture
def planted(models: Path) -> Path:
    """A models folder of another user, with a description of his own under the name of a shipped one."""
    content = logistic_tflite()
    folder = write_bundle(models / "yamnet", content, name="yamnet")
    (folder / "small.tflite").write_bytes(content)
    write_bundle(models / "small", content)
    for path in (models.parent, models, *models.rglob("*")):
        os.chown(path, SOMEBODY, SOMEBODY)
    return models


def test_root_takes_the_shipped_description(planted: Path) -> None:
    assert find("yamnet") == shipped_folder() / "yamnet"
    assert "small" not in available()
    assert found_heads(ModelCatalogue(), "yamnet") == ()


@pytest.mark.parametrize("form", ["{0.name}", "{0}"])
def test_root_reads_no_description_that_another_user_may_change(planted: Path, form: str) -> None:
    with pytest.raises(
        ModelError, match=r"small: others than root may change .*; run this as the user to whom"
    ):
        ModelCatalogue().bundle(form.format(planted / "small"))


def test_root_takes_no_file_from_there_either(planted: Path) -> None:
    """A built file's hash is vouched for by a side-car, which would be another user's too."""
    bundle = ModelCatalogue().bundle("yamnet")
    (planted / "yamnet" / "yamnet.onnx").write_bytes(b"planted")
    assert bundle.folder == shipped_folder() / "yamnet"
    with pytest.raises(ModelError, match=r"model yamnet (has no onnx file|is not) on this machine"):
        read_model_file(bundle, "onnx")


@pytest.mark.parametrize("open_folder", ["home", "models", "small"])
def test_one_folder_on_the_way_is_enough(models: Path, open_folder: str) -> None:
    folder = write_bundle(models / "small", logistic_tflite())
    assert find("small") == folder
    changed = next(path for path in (folder, *folder.parents) if path.name == open_folder)
    changed.chmod(0o777)
    with pytest.raises(ModelError, match=f"others than root may change {changed}, so root"):
        find("small")


def test_root_brings_nothing_into_a_folder_of_another_user(planted: Path, tmp_path: Path) -> None:
    """Not even a file of the right hash: a link in its place would lead the writing elsewhere."""
    precious, brought = tmp_path / "precious", tmp_path / "brought"
    precious.write_bytes(b"precious")
    brought.write_bytes(b"any")
    for name in ("yamnet.tflite", "yamnet.tflite.part", "yamnet.tflite.json"):
        (planted / "yamnet" / name).symlink_to(precious)
    before = {path: path.lstat() for path in planted.rglob("*")}
    with pytest.raises(ModelError, match="root neither reads models there nor writes any"):
        pull(
            ModelCatalogue().bundle("yamnet"),
            from_file=brought,
            say=lambda line: None,
            progress=lambda done, size: None,
        )
    assert precious.read_bytes() == b"precious"
    assert {path: path.lstat() for path in planted.rglob("*")} == before


def test_the_list_names_the_folder_that_it_leaves_out(
    planted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.list_models()
    printed = capsys.readouterr()
    assert printed.err == f"{planted}: not read: others than root may change it\n"
    assert "logistics" not in printed.out


def test_a_folder_that_may_not_be_read_holds_no_models(planted: Path) -> None:
    """Here the folder of root's test, seen as another user."""
    skip_where_others_cannot_read()
    os.seteuid(SOMEBODY)
    try:
        assert "small" not in available()
        assert "yamnet" in available()
    finally:
        os.seteuid(0)


def test_a_file_in_the_folder_of_the_owner_is_used(models: Path) -> None:
    content = logistic_tflite()
    folder = write_bundle(models / "small", content)
    (folder / "small.tflite").write_bytes(content)
    bundle = ModelCatalogue().bundle("small")
    assert file_path(bundle, "tflite") == folder / "small.tflite"
    assert read_model_file(bundle, "tflite") == content
