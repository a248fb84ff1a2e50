"""`sound-detector models ...`: what each prints and the code it ends with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from detector.errors import ModelError
from detector.modelstore.commands import info_model, list_groups, list_models, pull_model, verify_models
from tests.modelstore.conftest import Server
from tests.support.small_models import logistic_tflite, write_bundle

Capture = pytest.CaptureFixture[str]


def test_list_shows_what_is_here_and_what_is_not(small: Path, capsys: Capture) -> None:
    assert list_models() == 0
    rows = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["NAME", "RATE", "WINDOW", "LABELS", "RUNS ON", "DESCRIPTION"]
    assert ["small", "16000 Hz", "0.000 s", "4", "tflite", "a network of four logistics"] in rows
    assert [row[:5] for row in rows if row[0] == "yamnet"] == [
        ["yamnet", "16000 Hz", "0.975 s", "521", "not pulled"]
    ]


def test_list_as_json_is_a_list_of_facts(small: Path, capsys: Capture) -> None:
    assert list_models(as_json=True) == 0
    facts = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    own, yamnet = facts["small"], facts["yamnet"]
    assert own["name"] == "small"
    assert own["runs_on"] == ["tflite"]
    assert own["files"]["tflite"]["whole"] is True
    assert yamnet["window_samples"] == 15600
    assert yamnet["runs_on"] == []


def test_a_broken_bundle_does_not_hide_the_others(small: Path, capsys: Capture) -> None:
    (small / "labels.csv").unlink()
    assert list_models() == 1
    printed = capsys.readouterr()
    assert "yamnet" in printed.out
    assert "labels.csv: cannot be read" in printed.err


def test_info_tells_licence_and_files(small: Path, capsys: Capture) -> None:
    assert info_model("small") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "licence            MIT" in lines
    assert f"tflite file        {small / 'small.tflite'} (whole)" in lines


def test_info_without_a_name_describes_the_model_that_would_run(models: Path, capsys: Capture) -> None:
    """YAMNet, since mn04 is not here."""
    assert info_model(as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "yamnet"


def test_info_without_a_name_describes_both_networks_where_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("detector.modelstore.selection.usable_runtimes", lambda network: ("tflite",))
    assert info_model(as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "yamnet+mn04"


def test_info_as_json(small: Path, capsys: Capture) -> None:
    assert info_model("small", as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == 4


def test_pull_says_where_the_file_lies(models: Path, server: Server, capsys: Capture) -> None:
    server.content = logistic_tflite()
    write_bundle(models / "small", server.content, sources=f"{{url: '{server.url('right')}'}}")
    assert pull_model("small", quiet=True) == 0
    printed = capsys.readouterr()
    assert printed.out == f"small: {models / 'small' / 'small.tflite'} is here and verified\n"
    assert printed.err == f"small.tflite from {server.url('right')}\n"


def test_verify_checks_everything_that_is_here(small: Path, capsys: Capture) -> None:
    assert verify_models([]) == 0
    told = capsys.readouterr().out.splitlines()
    assert f"ok   {small / 'small.tflite'}" in told
    assert all(line.startswith("ok   ") for line in told)  # a network that ships is there too


def test_verify_finds_a_flipped_byte(small: Path, capsys: Capture) -> None:
    path = small / "small.tflite"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert verify_models([]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if not line.startswith("ok   "))
    assert line.startswith(f"BAD  {path}: is damaged: expected sha256 ")


def test_groups_shows_what_a_model_reports_of_each(models: Path, capsys: Capture) -> None:
    """`kinds` are reported under another label."""
    assert list_groups("yamnet", as_json=True) == 0
    groups = {group["name"]: group for group in json.loads(capsys.readouterr().out)}
    assert groups["dog"]["labels"] == ["Dog"]
    assert groups["alarms"]["labels"][-2:] == ["Smoke alarm (T3)", "CO alarm (T4)"]
    assert "Bark" in groups["dog"]["kinds"]
    assert list_groups() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[lines.index("dog           dogs") + 1].strip() == "Dog"


def test_verify_of_a_named_model_that_was_not_pulled_fails(models: Path, capsys: Capture) -> None:
    assert verify_models(["yamnet"]) == 1
    assert capsys.readouterr().out.startswith("BAD  model yamnet is not on this machine; run: ")


def test_an_unknown_model_is_left_to_the_command_line(models: Path) -> None:
    with pytest.raises(ModelError, match="did you mean `yamnet`"):
        verify_models(["yamnat"])


def test_a_bundles_words_cannot_change_the_terminal(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_bundle(models / "small", b"weights")
    text = (folder / "model.yaml").read_text()
    hostile = 'description: "\\e]0;mine\\a \\x9b31m red"'
    (folder / "model.yaml").write_text(text.replace("description: a network of four logistics", hostile))
    (folder / "labels.csv").write_text((folder / "labels.csv").read_text().replace("Dog", "Dog\x1b[2J\u202e"))
    for show in (
        lambda: list_models(),
        lambda: list_models(as_json=True),
        lambda: info_model("small", labels=True),
        lambda: info_model("small", labels=True, as_json=True),
    ):
        show()
        printed = capsys.readouterr()
        assert "red" in printed.out
        assert (printed.out + printed.err).replace("\n", "").isprintable()
