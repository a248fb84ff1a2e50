"""Where a model can be written is known before anything is learned."""

from __future__ import annotations

import pytest

from detector.errors import ConfigError, DetectorError
from detector.modelstore.folders import shipped_folder
from detector.training.bundlefiles import check_output_folder


def test_a_new_name_and_a_model_to_overwrite_are_fine(tmp_path):
    check_output_folder(tmp_path / "models" / "bell", overwrite=False)
    assert list((tmp_path / "models").iterdir()) == []
    (tmp_path / "bell").mkdir()
    (tmp_path / "bell" / "model.yaml").touch()
    check_output_folder(tmp_path / "bell", overwrite=True)
    check_output_folder(shipped_folder() / "yamnet", overwrite=True)


def test_others_are_refused(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for name, overwrite, told in [
        ("my bell", False, "expected a name of letters"),
        ("a+b", False, "expected a name of letters"),
        ("yamnet", False, "a model called yamnet comes with the program"),
        ("file", False, "is a file"),
        ("full", False, "not empty"),
        ("full", True, "something other than a model"),
    ]:
        with pytest.raises(ConfigError, match=told):
            check_output_folder(tmp_path / name, overwrite=overwrite)
    with pytest.raises(DetectorError, match="cannot write"):
        check_output_folder(tmp_path / "file" / "bell", overwrite=False)
