"""The unit as systemd itself reads and rates it, and where its files are put."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

UNITS = Path("usr/local/lib/systemd/system")

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (apt install systemd)"
)


def systemd_analyze(*arguments: str | Path, runtime: Path | None = None) -> str:
    """`runtime` stands for the folder that a user who is logged in has."""
    variables = {} if runtime is None else {"XDG_RUNTIME_DIR": str(runtime)}
    done = subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as shipped, with a program that is there."""
    text = (ROOT / "systemd/sound-detector.service").read_text()
    assert "\nExecStart=/opt/sound-detector/venv/bin/sound-detector run\n" in text
    path = tmp_path / "sound-detector.service"
    path.write_text(text.replace("/opt/sound-detector/venv/bin/sound-detector", "/bin/true"))
    return path


@pytest.fixture
def web_unit(tmp_path: Path) -> Path:
    """The unit of the page as shipped, with a program that is there."""
    text = (ROOT / "systemd/sound-detector-web.service").read_text()
    assert "\nExecStart=/opt/sound-detector/venv/bin/sound-detector web\n" in text
    path = tmp_path / "sound-detector-web.service"
    path.write_text(text.replace("/opt/sound-detector/venv/bin/sound-detector", "/bin/true"))
    return path


def with_additions(unit: Path, *names: str) -> Path:
    drop_ins = unit.with_name(unit.name + ".d")
    drop_ins.mkdir(exist_ok=True)
    for name in names:
        shutil.copy(ROOT / "systemd" / name, drop_ins)
    return unit


def with_network(unit: Path) -> Path:
    return with_additions(unit, "network.conf")


def exposure(unit: Path) -> float:
    found = re.search(
        r"Overall exposure level for \S+: ([0-9.]+)", systemd_analyze("security", "--offline=true", unit)
    )
    assert found is not None
    return float(found[1])


@needs_analyze
def test_systemd_finds_no_fault(unit: Path) -> None:
    """An unknown key is only told, not counted as a failure."""
    assert systemd_analyze("verify", "--man=no", unit) == ""
    assert systemd_analyze("verify", "--man=no", with_network(unit)) == ""


@needs_analyze
def test_systemd_finds_no_fault_in_the_unit_of_a_user(tmp_path: Path) -> None:
    unit = ROOT / "systemd/user/sound-detector.service"
    assert systemd_analyze("--user", "verify", "--man=no", unit, runtime=tmp_path) == ""


@needs_analyze
def test_exposure_without_network(unit: Path) -> None:
    assert exposure(unit) <= 0.4


@needs_analyze
def test_exposure_with_network(unit: Path) -> None:
    assert exposure(with_network(unit)) <= 1.3


@needs_analyze
def test_systemd_finds_no_fault_in_the_page_and_its_additions(unit: Path, web_unit: Path) -> None:
    assert systemd_analyze("verify", "--man=no", web_unit) == ""
    with_additions(web_unit, "web-network.conf", "web-settings.conf")
    assert systemd_analyze("verify", "--man=no", web_unit) == ""
    assert systemd_analyze("verify", "--man=no", with_additions(unit, "settings-of-page.conf")) == ""


@needs_analyze
def test_exposure_of_the_page(web_unit: Path) -> None:
    assert exposure(web_unit) <= 0.9
    assert exposure(with_additions(web_unit, "web-settings.conf")) <= 0.9
    assert exposure(with_additions(web_unit, "web-network.conf")) <= 1.1


def test_the_service_has_room_for_32_streams(unit: Path) -> None:
    """Each needs a thread of the daemon and three of an ffmpeg (docs/sources.md)."""
    limits = dict(re.findall(r"^(TasksMax|MemoryMax)=(\w+)$", unit.read_text(), re.MULTILINE))
    own_tasks, clips_and_commands = 12, 24
    assert int(limits["TasksMax"]) >= own_tasks + clips_and_commands + 32 * 4
    assert limits["MemoryMax"] == "1G"


def script(name: str, destination: Path, **variables: str) -> None:
    subprocess.run(
        [ROOT / "scripts" / name],
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DESTDIR": str(destination)} | variables,
        check=True,
        capture_output=True,
        timeout=60,
    )


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_settings_of_the_user_outlive_an_upgrade(tmp_path: Path) -> None:
    config = tmp_path / "etc/sound-detector/config.yaml"
    script("install_service.sh", tmp_path)
    assert "\nsinks: [stdout:text, socket]\n" in config.read_text()
    config.write_text("source: {device: kitchen}\n")
    script("install_service.sh", tmp_path)
    assert config.read_text() == "source: {device: kitchen}\n"
    assert (tmp_path / UNITS / "sound-detector.service").is_file()


def test_installed_settings_are_valid(tmp_path: Path) -> None:
    from detector.assemble.endpoints import SINK_KINDS
    from detector.config.loading import load_settings

    script("install_service.sh", tmp_path)
    path = tmp_path / "etc/sound-detector/config.yaml"
    loaded = load_settings(config_path=str(path), environ={}, sink_kinds=SINK_KINDS)
    assert [sink.kind for sink in loaded.settings.sinks or ()] == ["stdout", "socket"]


def test_the_page_is_installed_if_asked_for_and_stays_at_an_upgrade(tmp_path: Path) -> None:
    page = tmp_path / UNITS / "sound-detector-web.service"
    script("install_service.sh", tmp_path)
    assert not page.exists()
    script("install_service.sh", tmp_path, WEB="1")
    page.write_text("old")
    script("install_service.sh", tmp_path)
    assert page.read_text() != "old"
    script("uninstall_service.sh", tmp_path)
    assert not page.exists()


def test_a_page_that_may_change_settings_stays_so_until_somebody_says_otherwise(tmp_path: Path) -> None:
    additions = {
        "etc/systemd/system/sound-detector.service.d/page.conf": "settings-of-page.conf",
        "etc/systemd/system/sound-detector-web.service.d/settings.conf": "web-settings.conf",
    }
    script("install_service.sh", tmp_path, WEB="1")
    assert not files_of(tmp_path) & set(additions)
    script("install_service.sh", tmp_path, WEB="settings")
    script("install_service.sh", tmp_path)
    for placed, name in additions.items():
        assert (tmp_path / placed).read_text() == (ROOT / "systemd" / name).read_text()
    script("install_service.sh", tmp_path, WEB="1")
    assert not files_of(tmp_path) & set(additions)


def test_removal_leaves_settings_and_state(tmp_path: Path) -> None:
    script("install_service.sh", tmp_path)
    model = tmp_path / "var/lib/private/sound-detector/models/yamnet/yamnet.tflite"
    model.parent.mkdir(parents=True)
    model.touch()
    script("uninstall_service.sh", tmp_path)
    kept = {"etc/sound-detector/config.yaml", str(model.relative_to(tmp_path))}
    assert files_of(tmp_path) == kept
    script("uninstall_service.sh", tmp_path, PURGE="1")
    assert files_of(tmp_path) == set()
