"""Which model `auto` means: both networks where they are here, else YAMNet, with a line that says so."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from detector.assemble.stages import select, with_resolved_model
from detector.config.settings import ModelSettings, Settings
from detector.errors import ModelError
from detector.modelstore import ModelCatalogue, load_model

DEFAULTS = Settings()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("ai_edge_litert")
    monkeypatch.setenv("SOUND_DETECTOR_HOME", str(tmp_path))
    return tmp_path / "models"


def put(models: Path, *names: str) -> None:
    for name in names:
        (models / name).mkdir(parents=True, exist_ok=True)
        (models / name / f"{name}.tflite").write_bytes(b"only its place is asked for")


def chosen(log: pytest.LogCaptureFixture, settings: Settings = DEFAULTS) -> tuple[str, list[str]]:
    log.clear()
    with log.at_level(logging.WARNING):
        return with_resolved_model(settings, ModelCatalogue()).model.name, log.messages


def test_auto_is_both_where_both_are_here(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(models, "yamnet", "mn04")
    assert chosen(caplog) == ("yamnet+mn04", [])
    assert select(Settings(), ModelCatalogue()).spec.name == "yamnet+mn04"


@pytest.mark.parametrize("here", [(), ("yamnet",), ("mn04",)])
def test_auto_is_yamnet_alone_else_and_one_line_says_so(
    models: Path, here: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    put(models, *here)
    name, (line,) = chosen(caplog)
    assert name == "yamnet"
    assert line.startswith("model.alone name=yamnet: yamnet+mn04 is not on this machine; run: ")
    assert select(Settings(), ModelCatalogue()).spec.name == "yamnet"


def test_yamnet_by_name_is_yamnet_without_a_word(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(models, "yamnet")
    assert chosen(caplog, Settings(model=ModelSettings("yamnet"))) == ("yamnet", [])


def test_both_by_name_are_both_or_an_error(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    both = Settings(model=ModelSettings("yamnet+mn04"))
    put(models, "yamnet")
    assert chosen(caplog, both) == ("yamnet+mn04", [])
    with pytest.raises(ModelError):
        load_model(ModelCatalogue(), select(both, ModelCatalogue()))
