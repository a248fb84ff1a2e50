"""What a model's name means, and models made of what it names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from detector import modelstore
from detector.audio.decimate import DELAY
from detector.backends.ensemble import ParallelClassifier
from detector.errors import ModelError
from detector.modelstore import Model, ModelCatalogue, Selection, load_classifier
from detector.modelstore.commands import info_model, list_models, pull_model, verify_models
from detector.records import Span, Window
from tests.support.fakes import FakeClassifier, make_spec
from tests.support.small_heads import WINDOW, write_base, write_head
from tests.support.small_models import logistic_tflite, write_bundle


@pytest.fixture
def house(models: Path) -> Path:
    """A network and two heads that listen to it."""
    write_base(models)
    write_head(models)
    write_head(models, "kitchen", labels=("Pan",), weights=((0, 200),), bias=(-5,))
    return models


def select(name: str, heads: Sequence[str] = ()) -> Selection:
    """The selection as the files are now."""
    return modelstore.select(ModelCatalogue(), name, heads)


def found_heads(name: str, *, strict: bool = False) -> tuple[str, ...]:
    return modelstore.found_heads(ModelCatalogue(), name, strict=strict)


def load(selection: Selection) -> Model:
    return modelstore.load_model(ModelCatalogue(), selection)


def labels(name: str, *heads: str) -> list[tuple[str, str]]:
    return [(label.model, label.name) for label in select(name, heads).spec.labels]


EAR = [("ear", "Loud"), ("ear", "Dog")]
DOORBELL = [("doorbell", "Dog"), ("doorbell", "background")]
KITCHEN = [("kitchen", "Pan")]


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ear", EAR),
        ("doorbell", DOORBELL),
        ("ear+doorbell", EAR + DOORBELL),
        ("ear+doorbell+kitchen", EAR + DOORBELL + KITCHEN),
        ("kitchen+doorbell", KITCHEN + DOORBELL),
        ("doorbell+ear", EAR + DOORBELL),
    ],
)
def test_a_name_is_read_from_its_end(name: str, expected: list[tuple[str, str]]) -> None:
    assert labels(name) == expected
    assert [base.spec.name for base in select(name).bases] == ["ear"]


def test_a_bundle_of_the_whole_name_wins(house: Path) -> None:
    write_bundle(house / "ear+doorbell", logistic_tflite(), name="ear+doorbell")
    assert {model for model, _ in labels("ear+doorbell")} == {"ear+doorbell"}


@pytest.mark.usefixtures("house")
def test_heads_that_the_settings_name_stand_behind() -> None:
    assert labels("ear", "kitchen") == EAR + KITCHEN
    assert labels("ear+kitchen", "kitchen", "doorbell") == EAR + KITCHEN + DOORBELL


@pytest.mark.usefixtures("house")
def test_a_path_will_do_wherever_a_name_does(house: Path) -> None:
    assert labels(f"ear+{house}/doorbell") == EAR + DOORBELL


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("yamnet+doorbell", "doorbell is a head on ear; use ear+doorbell or doorbell alone"),
        ("ear+dorbell", "there is no model 'dorbell'; did you mean `doorbell`?"),
        ("ear+doorbell+doorbell", "model doorbell is named twice: name it once"),
        (
            "mn04+yamnet",
            "mn04 and yamnet both have the class /m/09x0r (Speech): they cannot run together",
        ),
    ],
)
def test_what_does_not_fit_is_one_clear_line(name: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        select(name)
    assert str(caught.value) == message


def test_a_head_of_the_pair_is_offered_with_the_pair(models: Path) -> None:
    write_head(models, "gong", base="mn04", rate=32000, window=96000)
    with pytest.raises(ModelError, match=r"^gong is a head on mn04; use yamnet\+mn04\+gong or gong "):
        select("yamnet+gong")
    assert len(select("yamnet+mn04+gong").spec.labels) == 521 + 2


def test_a_head_of_yamnet_may_listen_while_mn04_hears_too(models: Path) -> None:
    write_head(models, base="yamnet", window=15600)
    assert select("yamnet+mn04+doorbell").spec.sample_rate == 32000


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"base": "nobody"}, "^head doorbell: its base: there is no model 'nobody'"),
        ({"base": "kitchen"}, "^head doorbell: its base kitchen is a head itself$"),
        ({"window": 800}, "^head doorbell was trained for 800 samples at 16000 Hz, but ear takes 1600 at"),
    ],
)
def test_a_head_whose_base_is_not_what_it_was_made_for_is_refused(house: Path, head, message) -> None:
    write_head(house, **head)
    with pytest.raises(ModelError, match=message):
        select("doorbell")


def test_side_by_side_takes_the_same_rate_or_half_of_it(house: Path) -> None:
    write_base(house, "other", rate=44100)
    with pytest.raises(
        ModelError, match=r"^ear works at 16000 Hz and other at 44100 Hz: models that run together need"
    ):
        select("ear+other")
    (house / "other" / "labels.csv").write_text("index,mid,display_name,background\n0,a,A,0\n1,b,B,0\n")
    text = (house / "other" / "model.yaml").read_text()
    (house / "other" / "model.yaml").write_text(text.replace("44100", "32000"))
    spec = select("ear+other+doorbell").spec
    assert (spec.sample_rate, spec.window) == (32000, 2 * (WINDOW + DELAY))
    assert [label.model for label in spec.labels] == ["ear", "ear", "other", "other", "doorbell", "doorbell"]


def test_networks_side_by_side_keep_their_own_scores() -> None:
    one = FakeClassifier(make_spec("Dog", sample_rate=32000, window=400), lambda _: [0.25])
    other = FakeClassifier(make_spec("Cat", "Cow", sample_rate=16000, window=20), lambda _: [0.5, 0.75])
    both = ParallelClassifier(make_spec("Dog", "Cat", "Cow", sample_rate=32000, window=400), [one, other])
    window = Window(Span(600, 1000), np.zeros(400, np.float32))
    assert both.scores(window).values.tolist() == [0.25, 0.5, 0.75]
    assert (one.windows[0].span, other.windows[0].span) == (Span(600, 1000), Span(480, 500))
    both.close()
    assert one.closed
    assert other.closed


# --- heads that lie in the user's folder


@pytest.mark.usefixtures("house")
def test_every_head_that_can_listen_is_found_unless_the_name_has_some() -> None:
    assert found_heads("ear") == ("doorbell", "kitchen")
    assert found_heads("ear+kitchen") == found_heads("yamnet") == ()


def test_without_a_models_folder_there_is_none(models: Path) -> None:
    assert found_heads("yamnet") == ()


def test_one_of_which_only_a_part_of_the_base_runs_is_left_out_with_a_line(models: Path, caplog) -> None:
    write_head(models, "bell", base="yamnet+mn04", rate=32000, window=96000)
    assert found_heads("mn04") == found_heads("yamnet", strict=True) == ()
    assert [record.getMessage() for record in caplog.records] == [
        "model.head_left_out name=bell: it needs --model yamnet+mn04"
    ] * 2
    caplog.clear()
    assert found_heads("esc10") == ()
    assert not caplog.records


def test_a_damaged_one_is_left_out_with_a_line_or_refused(house: Path, caplog) -> None:
    (house / "doorbell" / "doorbell.tflite").write_bytes(b"short")
    assert found_heads("ear") == ("kitchen",)
    assert len(caplog.records) == 1
    assert "model.head_skipped" in caplog.text
    with pytest.raises(ModelError, match=r"doorbell.tflite: is damaged: expected"):
        found_heads("ear", strict=True)


# --- loading


def loud(level: float) -> Window:
    return Window(Span(0, WINDOW), np.full(WINDOW, level, np.float32))


@pytest.mark.usefixtures("house")
def test_a_model_with_heads_is_loaded_and_its_heads_exchanged() -> None:
    model = load(select("ear+doorbell"))
    told = model.classifier.scores(loud(0.5)).embeddings["ear"]
    np.testing.assert_allclose(told, [0.5, 0.5], atol=1e-4)
    more = model.with_heads(ModelCatalogue(), select("ear+doorbell+kitchen"))
    assert model.heads is not None
    assert more.heads is not None
    assert more.classifier is model.classifier
    assert more.heads.heads[0] is model.heads.heads[0]
    plain = more.with_heads(ModelCatalogue(), select("ear"))
    assert plain.heads is None
    more.close_heads_not_in(plain)
    plain.close()


def test_a_head_that_changed_is_loaded_anew(house: Path) -> None:
    model = load(select("doorbell"))
    write_head(house, bias=(-50, 50))
    other = model.with_heads(ModelCatalogue(), select("doorbell"))
    assert model.heads is not None
    assert other.heads is not None
    assert other.heads.heads[0] is not model.heads.heads[0]
    assert other.heads.heads[0].scores(np.float32([0.1, 0.1]))[0] < 0.01


def test_a_head_of_other_features_is_refused(house: Path) -> None:
    write_head(house, weights=((1, 2, 3),), labels=("Dog",), bias=(0,))
    with pytest.raises(ModelError, match=r"expects 3 input values, but model doorbell describes 2$"):
        load(select("ear+doorbell"))


def test_a_base_that_is_not_pulled_says_how_to(models: Path) -> None:
    write_head(models, base="yamnet", window=15600)
    with pytest.raises(
        ModelError, match=r"^model yamnet is not on this machine; run: sound-detector models pull"
    ):
        load(select("doorbell"))


@pytest.mark.usefixtures("house")
def test_a_head_is_no_network() -> None:
    with pytest.raises(ModelError, match=r"^model doorbell is a head on ear, not a network"):
        load_classifier("doorbell")


@pytest.mark.usefixtures("house")
def test_the_commands_know_heads(capsys) -> None:
    assert list_models() == 0
    assert "head on ear: for tests" in capsys.readouterr().out
    assert info_model("doorbell") == 0
    told = capsys.readouterr().out
    assert "\nbase               ear\n" in told
    assert "\nmetrics            accuracy 97.5\n" in told
    assert verify_models(["doorbell"]) == 0
    assert "doorbell.tflite" in capsys.readouterr().out


def test_a_head_that_is_damaged_has_nobody_to_be_pulled_from(house: Path) -> None:
    (house / "doorbell" / "doorbell.tflite").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"is damaged: .*; it cannot be downloaded: .* train it again$"):
        load(select("doorbell"))
    with pytest.raises(ModelError, match=r"^model doorbell lacks doorbell.tflite; it cannot be downloaded"):
        pull_model("doorbell", quiet=True)


@pytest.mark.usefixtures("house")
def test_the_commands_know_each_part_of_a_name(capsys) -> None:
    assert info_model("ear+doorbell") == 0
    first, second = capsys.readouterr().out.split("\n\n")
    assert (first.split()[1], second.split()[1]) == ("ear", "doorbell")
    assert info_model("ear+doorbell", as_json=True) == 0
    assert [facts["name"] for facts in json.loads(capsys.readouterr().out)] == ["ear", "doorbell"]
    assert info_model("doorbell", labels=True) == 0
    heading, *rows = capsys.readouterr().out.splitlines()[-3:]
    assert heading == "LABEL       THRESHOLD  CLASS ID"
    assert rows[0].split() == ["Dog", "0.5", "doorbell/Dog"]
    assert rows[1].endswith("(background: not reported unless asked for)")
    assert info_model("doorbell", as_json=True, labels=True) == 0
    assert [label["name"] for label in json.loads(capsys.readouterr().out)["label_list"]] == [
        "Dog",
        "background",
    ]
    assert verify_models(["ear+doorbell"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [Path(line).name for line in told] == ["ear.tflite", "doorbell.tflite"]
