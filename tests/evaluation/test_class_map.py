"""Label maps: the shipped table fits the shipped model, and each label speaks for one class."""

from __future__ import annotations

import os

import pytest

from detector.backends.bundle import load_bundle
from detector.errors import DatasetError
from detector.evaluation.class_map import SHIPPED, make_class_map, read_map
from detector.modelstore.folders import shipped_folder
from tests.support.fakes import make_label

DOG = make_label("Dog")
LABELS = [
    DOG,
    make_label("Bark", DOG),
    make_label("Howl", DOG),
    make_label("Rain"),
    make_label("Baby cry, infant"),
]


def class_map(classes, table):
    return make_class_map(classes, LABELS, table, where="table")


def test_every_shipped_class_has_labels_of_yamnet_or_none():
    labels = load_bundle(shipped_folder() / "yamnet").spec.labels
    table = read_map(SHIPPED)
    for name in table:
        class_map = make_class_map([name], labels, table, where="shipped")
        assert class_map.unmapped == ((name,) if not table[name] else ())


def test_kinds_count_unless_another_class_claims_them():
    mapped = class_map(["dog", "howl"], {"dog": ("Dog",), "howl": ("Howl",)})
    assert mapped.columns == ((0, 1), (2,))
    assert mapped.of_label == {"Dog": "dog", "Bark": "dog", "Howl": "howl"}


def test_a_class_may_be_called_as_its_label():
    assert class_map(["rain"], {}).columns == ((3,),)


def test_a_model_that_was_taught_the_class_itself_needs_no_map():
    taught = [make_label("dog_bark"), make_label("Chainsaw")]
    shipped = {"dog bark": ("Dog",), "chainsaw": ("Chainsaw", "Light engine")}
    mapped = make_class_map(["dog_bark", "chainsaw"], taught, {}, shipped=shipped, where="table")
    assert (mapped.classes, mapped.columns) == (("chainsaw", "dog_bark"), ((1,), (0,)))


def test_beside_a_network_a_head_speaks_for_its_classes_too():
    both = [*LABELS, make_label("dog_bark", model="head"), make_label("Rain", model="head")]
    shipped = {"dog bark": ("Dog",), "rain": ("Rain",)}
    mapped = make_class_map(["dog_bark", "rain"], both, {}, shipped=shipped, where="table")
    assert mapped.columns == ((0, 1, 2, 5), (3, 6))


def test_what_the_users_table_says_must_be_there():
    shipped = {"dog": ("Dog", "Wolf")}
    assert make_class_map(["dog"], LABELS, {}, shipped=shipped, where="").columns == ((0, 1, 2),)
    with pytest.raises(DatasetError, match="no label 'Wolf'"):
        class_map(["dog"], shipped)
    with pytest.raises(DatasetError, match="no label 'Cat'"):
        make_class_map(["cat"], LABELS, {}, shipped={"cat": ("Cat", "Meow")}, where="")


def test_an_unknown_label_is_told_with_the_nearest():
    with pytest.raises(DatasetError, match=r"no label 'Barks'; did you mean 'Bark'\?"):
        class_map(["hound"], {"hound": ("Barks",)})
    with pytest.raises(DatasetError, match=r"did you mean 'Baby cry, infant'"):
        class_map(["baby cry"], {})


def test_a_label_speaks_for_one_class():
    with pytest.raises(DatasetError, match="given to two classes"):
        class_map(["a", "b"], {"a": ("Dog",), "b": ("Dog",)})


def test_a_table_is_read_strictly(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text('class,labels\nMy_Dog,"Dog; Baby cry, infant"\nnone,\n')
    assert read_map(path) == {"my dog": ("Dog", "Baby cry, infant"), "none": ()}
    path.write_text("class,labels\nx,Baby cry, infant\n")
    with pytest.raises(DatasetError, match="line 2: expected 2 columns, got 3"):
        read_map(path)
    path.write_text("x,y\n")
    with pytest.raises(DatasetError, match="expected the heading"):
        read_map(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
def test_a_table_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "map.csv")
    with pytest.raises(DatasetError, match=r"is not a regular file$"):
        read_map(tmp_path / "map.csv")
