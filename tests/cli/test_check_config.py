"""`check-config --format json` shows the settings that `check-config` shows."""

from __future__ import annotations

import json

import pytest

from detector.cli.main import main

FLAGS = (
    "--include",
    "Dog",
    "--sink",
    "stdout",
    "--sink",
    "log:events.jsonl",
    "--set",
    "events.groups={Pets: [Dog]}",
)


@pytest.fixture
def shown(capsys, tmp_path, monkeypatch):
    """Run it where no config file is found, and return what it printed."""
    for name, value in {"HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("SOUND_DETECTOR_CONFIG", raising=False)

    def printed(*flags: str) -> str:
        assert main(["check-config", *flags]) == 0
        return capsys.readouterr().out

    return printed


def test_as_json_they_are_an_object_with_every_section(shown):
    settings = json.loads(shown("--format", "json", *FLAGS))
    assert settings["events"]["include"] == ["Dog"]
    assert [sink["kind"] for sink in settings["sinks"]] == ["stdout", "log"]
    assert settings["gate"]["mode"] == "both"


def test_json_is_a_config_file_with_the_same_settings(shown, tmp_path):
    (tmp_path / "saved.yaml").write_text(shown("--format", "json", *FLAGS), encoding="utf-8")
    assert shown("--format", "json", "--config", str(tmp_path / "saved.yaml")) == shown(
        "--format", "json", *FLAGS
    )


@pytest.mark.parametrize("format", ["text", "auto"])
def test_every_other_format_is_yaml_with_comments(shown, format):
    assert shown("--format", format) == shown()
    assert shown().startswith("# The effective settings")
