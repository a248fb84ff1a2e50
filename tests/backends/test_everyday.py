"""everyday.csv: which labels are reported under another one's name, and which not by themselves."""

from pathlib import Path

import pytest

from detector.backends.bundle import load_bundle
from detector.errors import ModelError
from tests.support import ROOT
from tests.support.small_models import write_bundle


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = write_bundle(tmp_path / "small", b"weights")
    text = (folder / "model.yaml").read_text()
    (folder / "model.yaml").write_text(text + "everyday: everyday.csv\n")
    return folder


def write_rows(folder: Path, *rows: str) -> None:
    (folder / "everyday.csv").write_text("\n".join(["mid,reported_as", *rows]) + "\n")


def test_a_label_knows_under_what_it_is_reported(small: Path) -> None:
    write_rows(small, "/m/tick,/m/rain", "/m/dog,")
    reported_as = {label.class_id: label.reported_as for label in load_bundle(small).spec.labels}
    assert reported_as == {"/m/dog": "", "/m/rain": None, "/m/silence": None, "/m/tick": "/m/rain"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["/m/cat,/m/dog"], ":2: '/m/cat' is no mid of this model's labels"),
        (["/m/dog,/m/cat"], ":2: '/m/cat' is no mid of this model's labels"),
        (["/m/dog,", "/m/tick,/m/dog"], ":3: '/m/dog' has a row itself"),
    ],
)
def test_a_fault_in_the_table_is_one_line(small: Path, rows: list[str], message: str) -> None:
    write_rows(small, *rows)
    with pytest.raises(ModelError) as caught:
        load_bundle(small)
    assert f"everyday.csv{message}" in str(caught.value)


@pytest.mark.parametrize("model", ["yamnet", "mn04", "yamnet+mn04"])
def test_the_shipped_table_leaves_the_names_people_use(model: str) -> None:
    labels = load_bundle(ROOT / "models" / model).spec.labels
    names = {label.class_id: label.name for label in labels}
    reported_as = {label.name: label.reported_as for label in labels}
    assert names[reported_as["Bark"] or ""] == "Dog"
    assert names[reported_as["Trombone"] or ""] == "Music"
    assert reported_as["Vehicle"] == reported_as["Squeal"] == ""
    for alarm in ("Smoke detector, smoke alarm", "Fire alarm", "Baby cry, infant cry", "Shatter", "Siren"):
        assert reported_as[alarm] is None
