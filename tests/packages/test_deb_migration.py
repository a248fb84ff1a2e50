"""From `make install-service` to the Debian package and back, on a booted machine: nothing is lost.

The tests are one story and run in their order on one root. What the installer does with pip is done with the
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
    shutil.copytree(ROOT / "scripts", root.path / "srv/scripts")


def make_install_service(root: Root) -> None:
    """As scripts/install_service.sh with the page."""
    shutil.copytree(root.path / "srv/models", root.path / "opt/sound-detector/models", dirs_exist_ok=True)
    (root.path / "opt/sound-detector/venv").symlink_to("/opt/sound-detector/versions/20260101T000000")
    place = f"DESTDIR={root.path}"
    check("env", place, "WEB=1", str(ROOT / "scripts/install_service.sh"))
    command = root.path / "usr/local/bin/sound-detector"
    command.symlink_to("/opt/sound-detector/venv/bin/sound-detector")
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
