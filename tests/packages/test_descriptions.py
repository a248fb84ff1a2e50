"""The descriptions of the image and of the Home Assistant app: read, and held against the program."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from detector import __version__
from detector.assemble.endpoints import SINK_KINDS
from detector.config.loading import load_settings
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from tests.support import ROOT

IMAGE = ROOT / "packaging/oci"
APP = ROOT / "packaging/home-assistant-app"
OPTIONS = {"device": "", "include": [], "preset": "home", "node": "home-assistant"}
BROKER = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": "secret"}

APP_KEYS = {
    *("name", "version", "slug", "description", "arch", "startup", "boot", "init", "audio", "services"),
    *("options", "schema", "timeout"),
}
"""Keys of the Supervisor's schema that the app uses; it drops what it does not know."""


def instructions(file: Path) -> list[tuple[str, str]]:
    """Instructions of a Dockerfile with their arguments, a continued line as one."""
    text = re.sub(r"\\\n\s*", "", file.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


@pytest.fixture(scope="module")
def start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", APP / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_image_runs_as_no_root_and_says_how_it_is():
    last = dict(instructions(IMAGE / "Dockerfile"))
    assert last["USER"] == "990:29"
    assert last["VOLUME"] == "/data"
    assert last["HEALTHCHECK"].endswith('CMD ["sound-detector", "status"]')
    assert json.loads(last["ENTRYPOINT"]) == ["sound-detector"]


def test_the_image_copies_what_is_there_and_not_kept_from_it():
    ignored = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    brought = {line[1:] for line in ignored if line.startswith("!")}
    copied = [
        rest for word, rest in instructions(IMAGE / "Dockerfile") if word == "COPY" and "--from" not in rest
    ]
    names = {name for rest in copied for name in rest.split()[:-1]}
    assert names == brought
    assert all((ROOT / name).exists() for name in names)


def test_the_composed_container_may_do_little():
    service = yaml.safe_load((IMAGE / "compose.yaml").read_text())["services"]["sound-detector"]
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["network_mode"] == "none"
    assert "privileged" not in service
    assert (IMAGE / service["build"]["context"] / service["build"]["dockerfile"]).exists()


def test_the_app_is_described_with_keys_that_the_supervisor_knows():
    app = yaml.safe_load((APP / "config.yaml").read_text())
    assert set(app) == APP_KEYS
    assert app["version"] == __version__
    assert re.fullmatch(r"[-_.A-Za-z0-9]+", app["slug"])
    assert set(app["arch"]) == {"aarch64", "amd64"}
    assert app["options"] == OPTIONS
    assert set(app["schema"]) == set(OPTIONS)
    for file in (APP / "translations").glob("*.yaml"):
        assert set(yaml.safe_load(file.read_text())["configuration"]) == set(OPTIONS)
    for option in OPTIONS:
        assert f"| `{option}` |" in (APP / "DOCS.md").read_text()


def test_its_folder_has_what_its_image_copies():
    copied = [
        rest for word, rest in instructions(APP / "Dockerfile") if word == "COPY" and "--from" not in rest
    ]
    assert [rest.split()[0] for rest in copied] == ["sound_detector-*.whl", "start.py"]
    assert (APP / "start.py").exists()


@pytest.mark.parametrize("options", [{}, {"device": "USB", "include": ["alarms", "Dog"], "preset": "quiet"}])
def test_options_and_broker_become_settings_that_the_program_takes(
    start: ModuleType, tmp_path: Path, options
):
    made = start.settings_of(OPTIONS | options, BROKER, tmp_path / "password")
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(made))
    settings = load_settings(config_path=str(file), environ={}, sink_kinds=SINK_KINDS).settings
    assert settings.source.device == (options.get("device") or None)
    assert settings.events.preset == options.get("preset", "home")
    (mqtt,) = [sink for sink in settings.sinks if isinstance(sink, MqttSettings)]
    assert (mqtt.target, mqtt.user, mqtt.node) == ("mqtt://core-mosquitto:1883", "addons", "home-assistant")
    assert mqtt.password_file == str(tmp_path / "password")


def test_a_broker_without_a_user_and_one_with_tls(start: ModuleType, tmp_path: Path):
    made = start.settings_of(OPTIONS, {"host": "b", "port": 8883, "ssl": True}, tmp_path / "password")
    assert made["sinks"][-1] == {"kind": "mqtt", "target": "mqtts://b:8883", "node": "home-assistant"}


def test_what_it_writes_only_its_owner_reads(start: ModuleType, tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("older")
    file.chmod(0o644)
    start._write(file, "secret")
    assert file.read_text() == "secret"
    assert file.stat().st_mode & 0o777 == 0o600
