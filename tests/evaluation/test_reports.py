"""Reports: numbers as people and programs want them, and folders that are left alone."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from detector.errors import ConfigError
from detector.evaluation.report_tables import csv_text, json_text, make_folder, table, write_files


def test_tables_are_aligned_and_say_what_is_missing():
    assert table([["", "a"], ["long", 1.25], ["b", None]]) == "        a\nlong  1.2\nb       –\n"


def test_json_has_no_nan():
    assert json.loads(json_text({"a": math.nan, "b": [1 / 3]})) == {"a": None, "b": [0.333333]}


def test_csv_has_empty_cells_for_what_is_not_a_number():
    assert csv_text([["a", math.nan, None, 0.5]]) == "a,,,0.5\n"


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    make_folder(tmp_path / "new", overwrite=False)
    make_folder(tmp_path / "new", overwrite=False)
    (tmp_path / "new" / "mine").touch()
    with pytest.raises(ConfigError, match="add --overwrite"):
        make_folder(tmp_path / "new", overwrite=False)
    make_folder(tmp_path / "new", overwrite=True)


def test_file_names_that_are_no_text_are_written_with_escapes(tmp_path):
    write_files(tmp_path, {"clips.csv": csv_text([["caf\udce9.wav", 1]])})
    assert (tmp_path / "clips.csv").read_text("utf-8") == "caf\\udce9.wav,1\n"


def test_the_confusion_matrix_is_a_picture():
    pytest.importorskip("matplotlib")
    from detector.evaluation.confusion import confusion_png

    assert confusion_png(["a", "b"], np.array([[2, 0, 1], [0, 0, 0]]), "title").startswith(b"\x89PNG")
