"""A root of a release of Debian, into which a package is installed, and booted where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import ROOT
from tests.support.machine import Machine, Unavailable
from tests.support.machine import missing as missing_for_systemd

SECONDS = 1800.0
"""For one command: unpacking takes long where little of a processor is left."""

DEB = os.environ.get("SOUND_DETECTOR_TEST_DEB", "")
"""The package."""
ROOT_DIR = os.environ.get("SOUND_DETECTOR_TEST_DEB_ROOT", "")
"""A root of its release, which stays as it is; empty: debootstrap makes one."""

QEMU_CPU = os.environ.get("QEMU_CPU", "cortex-a72")
"""The processor that qemu-user emulates for a package of arm64: with its default it gets wrong numbers."""

SERVICE = "sound-detector.service"
PAGE = "sound-detector-web.service"
PACKAGE_MANAGER = ("var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/log/", "build/")
"""What the package manager notes of its work."""
OF_OTHERS = (
    *("usr/lib/python3", "usr/share/python3"),
    *("etc/passwd", "etc/shadow", "etc/group", "etc/gshadow", "etc/subuid", "etc/subgid"),
    *("root/", "tmp/", "proc/", "sys/", "run/", "dev/shm/"),
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


@contextmanager
def prepared_root() -> Iterator[Root]:
    """A root of the package's release with what the package needs and systemd.

    What the package needs is there before, so that what is left afterwards is the package's own.
    """
    releases = {"12": "bookworm", "13": "trixie"}
    root = Root(Path(tempfile.mkdtemp(prefix="sound-detector-deb-")))
    try:
        root.make(releases[field("Version").rpartition("+deb")[2]])
        needed = [*(part.split()[0] for part in field("Depends").split(",")), "systemd"]
        root.check("apt-get", "-y", "-qq", "--no-install-recommends", "install", *needed)
        yield root
    finally:
        root.close()


def pid_of(root: Root, service: str) -> str:
    return root.check("systemctl", "show", "--property=MainPID", "--value", service).strip()


def is_active(root: Root, service: str) -> bool:
    return root.run("systemctl", "is-active", service).stdout.strip() == "active"
