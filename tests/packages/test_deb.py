"""The Debian package in a fresh root of its release: installed, run, booted, upgraded, removed, purged.

`make test-deb DEB=FILE` runs them. The tests are one story and run in their order on one root.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.debian_root import (
    DEB,
    PAGE,
    SERVICE,
    Root,
    check,
    field,
    is_active,
    is_emulated,
    missing,
    pid_of,
    prepared_root,
)
from tests.support.machine import Unavailable, until

CONFIG = "etc/sound-detector/config.yaml"
UNIT = "usr/lib/systemd/system/sound-detector.service"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=missing() or "")]


@pytest.fixture(scope="module")
def root() -> Iterator[Root]:
    with prepared_root() as made:
        yield made


@pytest.fixture(scope="module")
def before(root: Root) -> set[str]:
    return root.files()


def test_a_root_where_make_install_service_was_used_is_refused(root: Root, before: set[str]):
    unit = root.path / "usr/local/lib/systemd/system/sound-detector.service"
    unit.parent.mkdir(parents=True)
    unit.touch()
    refused = root.run("apt-get", "-y", "install", root.bring(DEB))
    assert refused.returncode != 0
    assert "sudo make uninstall-service" in refused.stdout
    assert not (root.path / "opt/sound-detector").exists()
    unit.unlink()
    shutil.rmtree(root.path / "usr/local/lib/systemd")


def test_a_disk_that_is_full_leaves_nothing_behind(root: Root, before: set[str]):
    package = root.bring(DEB)
    root.check("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", "/opt")
    try:
        failed = root.run("dpkg", "--install", package)
    finally:
        root.check("umount", "/opt")
    assert failed.returncode != 0
    assert "No space left on device" in failed.stdout
    assert not root.is_installed()
    assert root.files() == before


def test_it_installs_its_service_its_user_and_its_settings(root: Root):
    root.install(DEB)
    assert root.is_installed()
    assert root.check("id", "-gn", "sound-detector").strip() == "audio"
    assert root.check("getent", "passwd", "sound-detector").strip().endswith("/usr/sbin/nologin")
    assert "User=sound-detector" in (root.path / f"{UNIT}.d/service-user.conf").read_text()
    wanted = root.path / "etc/systemd/system/multi-user.target.wants"
    assert (wanted / "sound-detector.service").is_symlink()
    assert not (wanted / "sound-detector-web.service").is_symlink()
    # Nor where everything that has no preset of its own is enabled.
    root.check("systemctl", "preset", PAGE)
    assert not (wanted / "sound-detector-web.service").is_symlink()
    root.check("systemctl", "preset", "--global", SERVICE)
    assert not (root.path / "etc/systemd/user/default.target.wants/sound-detector.service").is_symlink()
    assert "\nsinks: [stdout:text, socket]\n" in (root.path / CONFIG).read_text()


def test_the_program_runs_for_every_user_without_a_network(root: Root):
    as_nobody = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/tmp/nobody")
    (root.path / "tmp/nobody").mkdir(mode=0o777)
    (root.path / "tmp/nobody").chmod(0o777)
    # As it sounds, a recording is too fast for an emulated processor; from a file nothing is lost.
    sound = ("--input", "/tmp/demo.flac") if is_emulated() else ("--demo",)
    shutil.copy(ROOT / "detector/demo/demo.flac", root.path / "tmp")
    said = root.check(
        "unshare", "--net", *as_nobody, "sound-detector", "run", *sound, "--sink", "stdout:text"
    )
    assert "Smoke alarm (T3)" in said
    assert "Speech" in said
    models = root.check(*as_nobody, "sound-detector", "models", "list")
    assert "yamnet+mn04" in models
    checked = root.check("sound-detector", "check-config")
    assert "/etc/sound-detector/config.yaml" in checked


def test_it_has_what_its_services_import(root: Root):
    python = "/opt/sound-detector/venv/bin/python"
    root.check(python, "-I", "-c", "import detector.web, paho.mqtt, starlette, uvicorn, websockets, pyaudio")
    assert root.run(python, "-m", "pip", "--version").returncode != 0


def test_booted_its_service_runs_and_the_page_is_off(root: Root):
    try:
        root.boot()
    except Unavailable as why:
        pytest.skip(str(why))
    root.check("systemctl", "start", "multi-user.target")
    until(lambda: is_active(root, SERVICE), seconds=90, what="the service is active")
    assert root.check("stat", "--format=%U %G", f"/proc/{pid_of(root, SERVICE)}") == "sound-detector audio\n"
    assert root.check("stat", "--format=%U %G %a", "/var/lib/sound-detector") == "sound-detector audio 750\n"
    root.check("sound-detector", "status")
    assert not is_active(root, PAGE)
    root.check("systemctl", "start", PAGE)
    assert is_active(root, PAGE)


def test_an_upgrade_keeps_settings_and_restarts_what_runs(root: Root, tmp_path: Path):
    config = root.path / CONFIG
    config.write_text(config.read_text().replace("preset: home", "preset: quiet"))
    newer = tmp_path / "sound-detector_newer.deb"
    unpacked = tmp_path / "unpacked"
    check("dpkg-deb", "--raw-extract", DEB, str(unpacked))
    control = unpacked / "DEBIAN/control"
    control.write_text(control.read_text().replace(field("Version"), f"{field('Version')}+newer"))
    check("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(unpacked), str(newer))
    shutil.rmtree(unpacked)
    before = [pid_of(root, name) for name in (SERVICE, PAGE)] if root.machine else []
    # Where the root has booted it has no network, and /tmp is its own.
    shutil.copy(newer, root.path / "srv")
    root.check("dpkg", "--install", f"/srv/{newer.name}")
    (root.path / "srv" / newer.name).unlink()
    assert "+newer" in root.check("dpkg-query", "-Wf", "${Version}", "sound-detector")
    assert "preset: quiet" in config.read_text()
    if root.machine:
        assert is_active(root, SERVICE)
        assert is_active(root, PAGE)
        after = [pid_of(root, name) for name in (SERVICE, PAGE)]
        assert not set(before) & set(after)


def test_a_downgrade_succeeds_although_the_service_cannot_start(root: Root):
    config = root.path / CONFIG
    settings = config.read_text()
    config.write_text("events: {preset: of-nobody}\n")
    shutil.copy(DEB, root.path / "srv/older.deb")
    root.check("dpkg", "--install", "/srv/older.deb")
    assert root.is_installed()
    assert root.check("dpkg-query", "-Wf", "${Version}", "sound-detector") == field("Version")
    config.write_text(settings)
    if root.machine:
        assert not is_active(root, SERVICE)
        root.check("systemctl", "start", SERVICE)


def test_what_was_interrupted_is_finished_by_dpkg(root: Root):
    root.check("dpkg", "--unpack", "/srv/older.deb")
    assert not root.is_installed()
    root.check("dpkg", "--configure", "--pending")
    assert root.is_installed()
    if root.machine:
        assert is_active(root, SERVICE)


def test_removed_it_leaves_settings_and_data(root: Root, before: set[str]):
    for folder in ("lib", "log"):
        kept = root.path / "var" / folder / "sound-detector"
        kept.mkdir(exist_ok=True)
        (kept / "kept").touch()
    (root.path / "etc/sound-detector/token").touch()
    root.check("apt-get", "-y", "remove", "sound-detector")
    assert not root.is_installed()
    if root.machine:
        assert not is_active(root, SERVICE)
        assert not is_active(root, PAGE)
    assert (root.path / CONFIG).exists()
    left = root.files() - before
    assert "var/lib/sound-detector/kept" in left
    assert not {name for name in left if name.startswith(("opt/", "usr/"))}


def test_installed_again_it_finds_what_it_had(root: Root):
    root.check("dpkg", "--install", "/srv/older.deb")
    (root.path / "srv/older.deb").unlink()
    assert "preset: quiet" in (root.path / CONFIG).read_text()
    assert (root.path / "var/lib/sound-detector/kept").exists()
    if root.machine:
        until(lambda: is_active(root, SERVICE), seconds=90, what="the service is active")
    root.check("dpkg", "--remove", "sound-detector")


def test_purged_it_leaves_what_the_administrator_put_beside_the_settings(root: Root, before: set[str]):
    root.check("apt-get", "-y", "purge", "sound-detector")
    assert root.files() - before == {"etc/sound-detector/token"}
    assert not (root.path / "opt/sound-detector").exists()
    assert not (root.path / "var/log/sound-detector").exists()
    # Its number belongs to nobody else.
    root.check("id", "sound-detector")
