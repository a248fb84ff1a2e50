"""A model that is made of others: its description, and commands that reach its members."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.backends.bundle import Member, load_bundle
from detector.errors import ModelError
from detector.modelstore import ModelCatalogue, load_classifier
from detector.modelstore.commands import pull_model
from tests.support.small_models import LABELS_CSV, logistic_tflite, write_bundle

PAIR = """name: pair
description: two of them
licence: MIT
attribution: nobody
sample_rate: 16000
window: 4
labels: labels.csv
members: [{model: one, weight: 0.5}, {model: two, weight: 0.5}]
"""


def write_pair(models: Path, text: str = PAIR) -> Path:
    for name in ("one", "two"):
        folder = write_bundle(models / name, logistic_tflite(), name=name)
        (folder / "small.tflite").write_bytes(logistic_tflite())
    folder = models / "pair"
    folder.mkdir()
    (folder / "model.yaml").write_text(text)
    (folder / "labels.csv").write_text(LABELS_CSV)
    return folder


def test_members_are_loaded_by_name(models: Path) -> None:
    bundle = load_bundle(write_pair(models))
    assert bundle.members == (Member("one", 0.5), Member("two", 0.5))
    assert [network.spec.name for network in ModelCatalogue().networks(bundle)] == ["one", "two"]
    pytest.importorskip("ai_edge_litert.interpreter")
    classifier = load_classifier("pair")
    assert classifier.spec.name == "pair"
    classifier.close()


def test_a_file_goes_to_the_member_that_it_belongs_to(models: Path, tmp_path: Path) -> None:
    write_pair(models)
    other = logistic_tflite((1, 4))
    write_bundle(models / "two", other, name="two")
    (models / "two" / "small.tflite").unlink()
    brought = tmp_path / "any"
    brought.write_bytes(other)
    assert pull_model("pair", from_file=str(brought), quiet=True) == 0
    assert (models / "two" / "small.tflite").read_bytes() == other
    assert (models / "one" / "small.tflite").read_bytes() == logistic_tflite()


def test_a_file_that_belongs_to_no_member_is_refused(models: Path, tmp_path: Path) -> None:
    write_pair(models)
    brought = tmp_path / "any"
    with pytest.raises(ModelError, match="any: No such file"):
        pull_model("pair", from_file=str(brought), quiet=True)
    brought.write_bytes(b"something else")
    with pytest.raises(
        ModelError, match=r"any: is neither small\.tflite nor small\.tflite: its size and sha256"
    ):
        pull_model("pair", from_file=str(brought), quiet=True)


def test_a_member_that_is_made_of_others_is_refused(models: Path) -> None:
    folder = write_pair(models, PAIR.replace("model: two", "model: pair"))
    with pytest.raises(ModelError, match="its member pair is not a network: it has members or a base itself"):
        ModelCatalogue().networks(load_bundle(folder))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", {model: two, weight: 0.5}", "", "members: expected at least two models"),
        ("weight: 0.5}]", "weight: 0}]", "members[1].weight: expected above 0, got 0"),
        ("model: two", "model: ../two", "members[1].model: expected letters, digits"),
        (
            "window: 4\n",
            "window: 4\nprior: prior.csv\n",
            "prior: a model with `members` uses the priors of its members: delete it",
        ),
        (PAIR[PAIR.index("members") :], "bias: 1\n", "files: expected at least one of: tflite, onnx"),
        ("labels: labels.csv", "labels: ../../secret.csv", "labels: expected letters, digits"),
    ],
)
def test_a_fault_in_the_description_is_one_line(models: Path, old: str, new: str, message: str) -> None:
    assert old in PAIR
    with pytest.raises(ModelError) as caught:
        load_bundle(write_pair(models, PAIR.replace(old, new)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
