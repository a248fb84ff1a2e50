"""The Debian package in a fresh root of its release: installed, run, booted, upgraded, removed, purged.

`make test-deb DEB=FILE` runs them. The tests are one story and run in their order on one root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.machine import Machine, Unavailable, until
from tests.support.machine import missing as missing_for_systemd

SECONDS = 1800.0
"""For one command: unpacking takes long where little of a processor is left."""

DEB = os.environ.get("SOUND_DETECTOR_TEST_DEB", "")
"""The package."""
ROOT_DIR = os.environ.get("SOUND_DETECTOR_TEST_DEB_ROOT", "")
"""A root of its release, which stays as it is; empty: debootstrap makes one."""

QEMU_CPU = os.environ.get("QEMU_CPU", "cortex-a72")
"""The processor that qemu-user emulates for a package of arm64: with its default it gets wrong numbers."""

CONFIG = "etc/sound-detector/config.yaml"
SERVICE = "sound-detector.service"
PAGE = "sound-detector-web.service"
UNIT = "usr/lib/systemd/system/sound-detector.service"
PACKAGE_MANAGER = ("var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/log/", "build/")
"""What the package manager notes of its work."""
OF_OTHERS = (
    *("usr/lib/python3", "usr/share/python3"),
    *("etc/passwd", "etc/shadow", "etc/group", "etc/gshadow", "etc/subuid", "etc/subgid"),
    *("root/", "tmp/", "proc/", "sys/", "run/"),
    *("etc/machine-id", "etc/.updated", "etc/.pwd.lock", "var/.updated", "var/lib/systemd/"),
)
"""What belongs to the interpreter and to systemd, and the list of users: the user stays."""


def missing() -> str | None:
    if not DEB:
        return "it installs a package that was built: make test-deb DEB=FILE (docs/packages.md)"
    if os.geteuid() != 0:
        return "installing into another root needs root"
    programs = ("unshare", "dpkg-deb", *(() if ROOT_DIR else ("debootstrap",)))
    return next((f"{name} is missing" for name in programs if shutil.which(name) is None), None)


pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=missing() or "")]


class Root:
    """A root of a release of Debian, under an overlay where one was given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "root"
        self.path.mkdir()
        self.mounted: list[Path] = []
        self.machine: Machine | None = None
        """The root booted, where that is possible."""

    def make(self, release: str) -> None:
        if ROOT_DIR:
            for name in ("changed", "work"):
                (self.folder / name).mkdir()
            layers = f"lowerdir={ROOT_DIR},upperdir={self.folder}/changed,workdir={self.folder}/work"
            self._mount("-t", "overlay", "overlay", "-o", layers, self.path)
        else:
            check(
                "debootstrap", f"--arch={field('Architecture')}", "--variant=minbase", release, str(self.path)
            )
        self._mount("-t", "proc", "proc", self.path / "proc")
        if is_emulated():
            # LiteRT ends when it is loaded where this is another processor's.
            self._mount("--bind", ROOT / "scripts/arm64/cpuinfo.txt", self.path / "proc/cpuinfo")
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        self.check("apt-get", "-qq", "update")

    def boot(self) -> None:
        """Raises Unavailable where systemd does not start here."""
        if is_emulated():
            raise Unavailable("systemd is not booted on an emulated processor")
        if said := missing_for_systemd():
            raise Unavailable(said)
        # Where something is mounted, systemd-nspawn mounts nothing.
        check("umount", str(self.mounted.pop()))
        machine = Machine(self.path)
        try:
            machine.boot()
        except Unavailable:
            machine.close()
            self._mount("-t", "proc", "proc", self.path / "proc")
            raise
        self.machine = machine

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        if self.machine is not None:
            return self.machine.run("env", "DEBIAN_FRONTEND=noninteractive", *command, seconds=SECONDS)
        clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
        clean += ["DEBIAN_FRONTEND=noninteractive", f"QEMU_CPU={QEMU_CPU}"]
        return run("chroot", str(self.path), *clean, *command)

    def check(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def bring(self, file: str | Path) -> str:
        """Copy a package in; its name inside."""
        shutil.copy(file, self.path / "tmp")
        return f"/tmp/{Path(file).name}"

    def install(self, file: str | Path) -> str:
        return self.check("apt-get", "-y", "--no-install-recommends", "install", self.bring(file))

    def is_installed(self) -> bool:
        return "ok installed" in self.run("dpkg-query", "-Wf", "${Status}", "sound-detector").stdout

    def files(self) -> set[str]:
        skipped = (*PACKAGE_MANAGER, *OF_OTHERS)
        found = self.check("find", "/", "-xdev", "-not", "-type", "d", "-printf", "%P\n").splitlines()
        return {name for name in found if not name.startswith(skipped)}

    def close(self) -> None:
        if self.machine is not None:
            self.machine.close()
        for path in reversed(self.mounted):
            run("umount", "--lazy", str(path))
        shutil.rmtree(self.folder)

    def _mount(self, *arguments: str | Path) -> None:
        check("mount", *map(str, arguments))
        self.mounted.append(Path(arguments[-1]))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def check(*command: str) -> str:
    done = run(*command)
    assert done.returncode == 0, done.stdout
    return done.stdout


def field(name: str) -> str:
    return check("dpkg-deb", "--field", DEB, name).strip()


def is_emulated() -> bool:
    return field("Architecture") != check("dpkg", "--print-architecture").strip()


@pytest.fixture(scope="module")
def root() -> Iterator[Root]:
    releases = {"12": "bookworm", "13": "trixie"}
    machine = Root(Path(tempfile.mkdtemp(prefix="sound-detector-deb-")))
    try:
        machine.make(releases[field("Version").rpartition("+deb")[2]])
        # What the package needs is there before, so that what is left afterwards is the package's own.
        needed = [*(part.split()[0] for part in field("Depends").split(",")), "systemd"]
        machine.check("apt-get", "-y", "-qq", "--no-install-recommends", "install", *needed)
        yield machine
    finally:
        machine.close()


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


def test_it_installs_its_service_its_user_and_its_settings(root: Root):
    root.install(DEB)
    assert root.is_installed()
    assert root.check("id", "-gn", "sound-detector").strip() == "audio"
    assert root.check("getent", "passwd", "sound-detector").strip().endswith("/usr/sbin/nologin")
    assert "User=sound-detector" in (root.path / f"{UNIT}.d/service-user.conf").read_text()
    wanted = root.path / "etc/systemd/system/multi-user.target.wants"
    assert (wanted / "sound-detector.service").is_symlink()
    assert not (wanted / "sound-detector-web.service").is_symlink()
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


def pid_of(root: Root, service: str) -> str:
    return root.check("systemctl", "show", "--property=MainPID", "--value", service).strip()


def is_active(root: Root, service: str) -> bool:
    return root.run("systemctl", "is-active", service).stdout.strip() == "active"


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


def test_purged_it_leaves_what_the_administrator_put_beside_the_settings(root: Root, before: set[str]):
    root.check("apt-get", "-y", "purge", "sound-detector")
    assert root.files() - before == {"etc/sound-detector/token"}
    assert not (root.path / "opt/sound-detector").exists()
    assert not (root.path / "var/log/sound-detector").exists()
    # Its number belongs to nobody else.
    root.check("id", "sound-detector")
