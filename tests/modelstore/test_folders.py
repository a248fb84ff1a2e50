"""Where models live, on each platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.files.data_folders import INSTALLATION, data_folder, installed_folder, models_folder
from detector.modelstore.folders import shipped_folder

HOME = Path("/home/ada")


@pytest.mark.parametrize(
    ("environ", "platform", "folder"),
    [
        ({}, "linux", "/home/ada/.local/share/sound-detector"),
        ({"XDG_DATA_HOME": "/data"}, "linux", "/data/sound-detector"),
        ({"XDG_DATA_HOME": "data"}, "linux", "/home/ada/.local/share/sound-detector"),
        ({"XDG_DATA_HOME": ""}, "linux", "/home/ada/.local/share/sound-detector"),
        ({"SOUND_DETECTOR_HOME": "/srv/sounds", "XDG_DATA_HOME": "/data"}, "linux", "/srv/sounds"),
        ({"SOUND_DETECTOR_HOME": ""}, "linux", "/home/ada/.local/share/sound-detector"),
        ({}, "darwin", "/home/ada/Library/Application Support/sound-detector"),
        ({}, "win32", "/home/ada/AppData/Local/sound-detector"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/sound-detector"),
    ],
)
def test_the_data_folder_follows_the_platforms_custom(
    environ: dict[str, str], platform: str, folder: str
) -> None:
    assert data_folder(environ, platform, HOME) == Path(folder)


def test_models_lie_in_a_folder_of_the_data_folder(models: Path) -> None:
    assert models_folder() == models


def test_the_program_ships_yamnets_bundle() -> None:
    assert {path.name for path in (shipped_folder() / "yamnet").iterdir()} >= {"model.yaml", "labels.csv"}


def test_an_installed_program_also_finds_what_root_brought_for_it() -> None:
    installed = INSTALLATION / "versions" / "20260101T000000"
    assert installed_folder(installed) == Path("/opt/sound-detector/models")
    for prefix in ("/usr", "/home/ada/.pyenv/versions/3.12.1", "/opt/sound-detector"):
        assert installed_folder(Path(prefix)) is None


def test_a_user_whom_the_system_does_not_name_needs_no_home(monkeypatch: pytest.MonkeyPatch):
    """As a service of systemd where its library of names is not installed."""

    def unnamed(number: int) -> None:
        raise KeyError(number)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", unnamed)
    monkeypatch.setenv("SOUND_DETECTOR_HOME", "/var/lib/sound-detector")
    assert models_folder() == Path("/var/lib/sound-detector/models")
