"""From `make install-service` to the Debian package and back, on a booted machine: nothing is lost.

First with a page that only shows the settings, then with one that may change them (`WEB=settings`). The
tests are one story and run in their order on one root. What the installer does with pip is done with the
package's own virtual environment; its units, settings and removal are the real ones.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.support import ROOT
from tests.support.debian_root import (
    DEB,
    PAGE,
    SERVICE,
    Root,
    check,
    is_active,
    missing,
    prepared_root,
)
from tests.support.machine import Unavailable, until
from tests.support.page_requests import CHANGE_A_SETTING

CONFIG = "/etc/sound-detector/config.yaml"
STATE = "/var/lib/sound-detector"
KEPT = ("history.db", "clips/dog.flac", "mqtt/memory.json", "models/doorbell/README")
"""What lies in the folder of the service; the last was put there by an early version."""
HASH_FILE = "/etc/sound-detector/web-password"
ROOTS_OWN = {
    "/opt/sound-detector/models/doorbell/README": "taught",
    HASH_FILE: "\n",  # as if none was set
    "/etc/systemd/system/sound-detector.service.d/own.conf": "[Service]\nEnvironment=KEPT=1\n",
}
PAGES_OWN = "/var/lib/private/sound-detector-web/sessions"
PAGES_CONFIG = "/var/lib/private/sound-detector-web/config.yaml"
"""The settings, where the page may change them."""
DEMO = "/opt/sound-detector/venv/lib/python3*/site-packages/detector/demo/demo.flac"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=missing() or "")]


@pytest.fixture(scope="module")
def root() -> Iterator[Root]:
    with prepared_root() as made:
        lay_venv_of_checkout(made)
        make_install_service(made)
        try:
            made.boot()
        except Unavailable as why:
            pytest.skip(str(why))
        made.check("systemctl", "start", "multi-user.target")
        yield made


def lay_venv_of_checkout(root: Root) -> None:
    """The virtual environment where the installer puts it, and the models that it brings each time."""
    versions = root.path / "opt/sound-detector/versions"
    versions.mkdir(parents=True)
    unpacked = root.path / "srv/unpacked"
    check("dpkg-deb", "--extract", DEB, str(unpacked))
    (unpacked / "opt/sound-detector/venv").rename(versions / "20260101T000000")
    (unpacked / "opt/sound-detector/models").rename(root.path / "srv/models")
    shutil.rmtree(unpacked)
    for folder in ("scripts", "systemd"):
        shutil.copytree(ROOT / folder, root.path / "srv" / folder)


def make_install_service(root: Root, *, web: str = "1") -> None:
    """As scripts/install_service.sh with the page; the versions are there."""
    shutil.copytree(root.path / "srv/models", root.path / "opt/sound-detector/models", dirs_exist_ok=True)
    (root.path / "opt/sound-detector/venv").symlink_to("/opt/sound-detector/versions/20260101T000000")
    command = root.path / "usr/local/bin/sound-detector"
    command.symlink_to("/opt/sound-detector/venv/bin/sound-detector")
    place_service(root, web=web)


def place_service(root: Root, *, web: str) -> None:
    """What it does where the program is there."""
    check("env", f"DESTDIR={root.path}", f"WEB={web}", str(ROOT / "scripts/install_service.sh"))
    root.check("systemctl", "enable", SERVICE, PAGE)


def uninstall_service(root: Root) -> None:
    """As `make uninstall-service`, but that the folders of versions are kept for the next test."""
    versions = root.path / "opt/sound-detector/versions"
    versions.rename(root.path / "srv/versions")
    root.check("/srv/scripts/uninstall_service.sh")


def keep_everything(root: Root) -> None:
    """What a service that ran for months and its administrator leave on a machine."""
    kept = "--set history.enabled=true --set history.path=/srv/history.db"
    root.check("sh", "-c", f"sound-detector run {kept} --sink stdout:text --input {DEMO}")
    root.check("systemctl", "stop", SERVICE)
    state = root.path / "var/lib/private/sound-detector"
    for name in ("history.db-wal", "history.db-shm"):
        (state / name).unlink(missing_ok=True)
    owner = state.stat()
    for name in KEPT:
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        if name != "history.db":
            (state / name).write_text("kept")
    shutil.copy(root.path / "srv/history.db", state / "history.db")
    check("chown", "--recursive", f"{owner.st_uid}:{owner.st_gid}", str(state))
    config = root.path / CONFIG[1:]
    config.write_text(config.read_text().replace("preset: home", "preset: quiet"))
    for name, text in ROOTS_OWN.items():
        (root.path / name[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root.path / name[1:]).write_text(text)
    (root.path / HASH_FILE[1:]).chmod(0o600)
    (root.path / PAGES_OWN[1:]).write_text("kept")
    root.check("systemctl", "daemon-reload")
    root.check("systemctl", "start", SERVICE)


def heard(root: Root) -> str:
    history = ("sound-detector", "history", "--since", "2020-01-01", "--limit", "0")
    return root.check("env", f"STATE_DIRECTORY={STATE}", *history)


def report(root: Root) -> dict[str, object]:
    said: dict[str, object] = json.loads(root.check("sound-detector", "status", "--json"))
    return said


def assert_all_is_there(root: Root) -> None:
    for name in KEPT:
        owner = root.check("stat", "--format=%G", f"{STATE}/{name}").strip()
        assert owner == "audio", name
    assert "Smoke alarm (T3)" in heard(root)
    assert "preset: quiet" in (root.path / CONFIG[1:]).read_text()
    for name in (*ROOTS_OWN, PAGES_OWN):
        assert (root.path / name[1:]).exists(), name
    assert root.check("stat", "--format=%U %a", HASH_FILE) == "root 600\n"
    until(lambda: is_active(root, SERVICE), seconds=90, what="the service is active")
    # It writes to the history that was brought along.
    until(lambda: report(root).get("history_working") is True, seconds=90, what="a history that works")


def test_a_machine_that_listened_from_a_checkout(root: Root):
    until(lambda: is_active(root, SERVICE), seconds=90, what="the service is active")
    until(lambda: is_active(root, PAGE), seconds=90, what="the page is active")
    assert (root.path / "var/lib/sound-detector").is_symlink()
    keep_everything(root)
    assert_all_is_there(root)


def test_the_package_takes_over_everything(root: Root):
    uninstall_service(root)
    shutil.copy(DEB, root.path / "srv/package.deb")
    root.check("dpkg", "--force-confold", "--install", "/srv/package.deb")
    assert_all_is_there(root)
    assert not (root.path / "var/lib/sound-detector").is_symlink()
    assert root.check("find", STATE, "-not", "-user", "sound-detector") == ""
    assert root.check("find", STATE, "-not", "-group", "audio") == ""
    # The page is off after an installation, as docs/packages.md says.
    assert not is_active(root, PAGE)
    root.check("systemctl", "enable", "--now", PAGE)
    assert is_active(root, PAGE)
    assert (root.path / PAGES_OWN[1:]).read_text() == "kept"


def test_and_the_way_back(root: Root):
    root.check("dpkg", "--remove", "sound-detector")
    assert not is_active(root, SERVICE)
    (root.path / "srv/versions").rename(root.path / "opt/sound-detector/versions")
    make_install_service(root)
    root.check("systemctl", "daemon-reload")
    root.check("systemctl", "start", SERVICE, PAGE)
    assert_all_is_there(root)
    assert is_active(root, PAGE)


def test_purging_what_is_left_of_the_package_spares_the_service_of_the_checkout(root: Root):
    config = root.path / CONFIG[1:]
    settings = config.read_text()
    said = root.check("dpkg", "--purge", "sound-detector")
    assert "make install-service is used here" in said
    # dpkg removes what it knows as its own setting.
    assert not config.exists()
    config.write_text(settings)
    root.check("systemctl", "restart", SERVICE)
    assert_all_is_there(root)


def changed_on_page(root: Root, threshold: float) -> None:
    """Somebody changes a setting in the browser."""
    python = "/opt/sound-detector/venv/bin/python"
    said = root.check(python, "-c", CHANGE_A_SETTING, str(threshold))
    assert '"applied"' in said, said


def assert_settings_are_in_force(root: Root, config: str, threshold: float) -> None:
    settings = root.check("cat", config)
    assert "name: kitchen" in settings
    assert f"threshold_on: {threshold}" in settings
    until(lambda: is_active(root, SERVICE), seconds=90, what="the service is active")
    until(lambda: report(root).get("source") == "kitchen", seconds=90, what="the daemon reads these settings")


def test_a_machine_whose_page_changes_settings(root: Root):
    root.check("systemctl", "stop", PAGE, SERVICE)
    root.check("userdel", "sound-detector")  # only the package's user would outlive the service
    place_service(root, web="settings")
    root.check("systemctl", "daemon-reload")
    root.check("/srv/scripts/page_settings.sh", "on")
    edited = root.path / PAGES_CONFIG[1:]
    edited.write_text(edited.read_text().replace("\n  name: null", "\n  name: kitchen"))
    root.check("systemctl", "restart", SERVICE)
    changed_on_page(root, 0.42)
    assert_settings_are_in_force(root, PAGES_CONFIG, 0.42)
    assert not (root.path / CONFIG[1:]).exists()


def test_the_package_goes_on_with_the_settings_of_the_page(root: Root):
    uninstall_service(root)
    said = root.check("dpkg", "--force-confold", "--install", "/srv/package.deb")
    assert "/etc/sound-detector/config.yaml is not used" in said
    assert_settings_are_in_force(root, PAGES_CONFIG, 0.42)
    root.check("systemctl", "enable", "--now", PAGE)
    changed_on_page(root, 0.43)
    assert_settings_are_in_force(root, PAGES_CONFIG, 0.43)


def test_and_so_does_the_way_back(root: Root):
    root.check("dpkg", "--remove", "sound-detector")
    (root.path / "srv/versions").rename(root.path / "opt/sound-detector/versions")
    make_install_service(root, web="settings")
    root.check("systemctl", "daemon-reload")
    root.check("/srv/scripts/page_settings.sh", "on")
    changed_on_page(root, 0.44)
    assert_settings_are_in_force(root, PAGES_CONFIG, 0.44)
    # What the package brought was never used, and takes no place of what was.
    assert not (root.path / CONFIG[1:]).exists()
    assert "preset: home" in (root.path / f"{CONFIG[1:]}.unused").read_text()
    assert "preset: quiet" in (root.path / f"{CONFIG[1:]}.before-page").read_text()


def test_with_the_package_they_can_be_taken_from_the_page(root: Root):
    root.check("dpkg", "--purge", "sound-detector")
    uninstall_service(root)
    root.check("dpkg", "--install", "/srv/package.deb")
    assert "preset: home" in (root.path / CONFIG[1:]).read_text()
    root.check("/opt/sound-detector/scripts/page_settings.sh", "off")
    assert_settings_are_in_force(root, CONFIG, 0.44)
    assert not (root.path / PAGES_CONFIG[1:]).exists()
    root.check("/opt/sound-detector/scripts/page_settings.sh", "on")
    changed_on_page(root, 0.45)
    assert_settings_are_in_force(root, PAGES_CONFIG, 0.45)


def test_purging_the_package_removes_what_the_page_had(root: Root):
    root.check("dpkg", "--purge", "sound-detector")
    own = {"/etc/systemd/system/sound-detector.service.d/own.conf"}
    left = root.check("find", "/etc", "/var/lib", "-path", "*sound-detector*", "-type", "f").split()
    assert {name for name in left if not name.startswith("/var/lib/dpkg/")} == own
