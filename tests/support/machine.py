"""A second machine in a folder: this system's files under an overlay, with a systemd of its own.

Nothing that happens inside reaches this system: what is written goes to memory, there is no network
once it has booted, and what was mounted or started is gone after `close`. Needs root, systemd-nspawn and a
kernel that lets both work; `Unavailable` says what is missing.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

BOOT_SECONDS = 60.0
COMMAND_SECONDS = 120.0
END_SECONDS = 20.0

# Handed to pip, so that the index and proxies that serve this system serve the machine.
PASSED_ON = (
    "PIP_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT",
)


T = TypeVar("T")


class Unavailable(Exception):
    """No machine can be had here; the text says why, fit for a skip reason."""


def missing() -> str | None:
    """What must be there before a machine can be tried; None where all is."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return "booting a real systemd needs root: sudo make test-systemd"
    for program, package in (("systemd-nspawn", "systemd-container"), ("nsenter", "util-linux")):
        if shutil.which(program) is None:
            return f"{program} is not installed (apt install {package})"
    return None


def until(look: Callable[[], T], *, seconds: float, what: str) -> T:
    """Look again and again until something true is seen; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not seen within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return seen


class Machine:
    """One overlay and the processes in it; the file system of the machine is `root`.

    A `root` that is given is somebody else's: there is nothing to `make`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sound-detector-machine-"))
        self.root = root or self._folder / "m"
        self._init: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._groups = _control_groups()
        self._mounted: list[Path] = []

    def make(self) -> None:
        """Mount the overlay; raises Unavailable where the kernel refuses."""
        self._mount("-t", "tmpfs", "tmpfs", self._folder)
        layers = [self._folder / name for name in ("upper", "work", "m")]
        for layer in layers:
            layer.mkdir()
        upper, work, merged = layers
        self._mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", merged)
        for folder in ("var/log/journal", "etc/systemd/system"):
            shutil.rmtree(self.root / folder, ignore_errors=True)
            (self.root / folder).mkdir(parents=True)
        shutil.rmtree(self.root / "etc/systemd/network", ignore_errors=True)
        (self.root / "etc/machine-id").write_text("5d00000000000000000000000000000d\n")

    def run_before_boot(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command with this system's network, as on a machine whose systemd does not run."""
        given = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        settings = [f"--setenv={name}={value}" for name, value in (given | variables).items()]
        nspawn = [*self._nspawn(), "--pipe", "--resolv-conf=off", *settings]
        return _run([*nspawn, *command], timeout=COMMAND_SECONDS, env=self._environment())

    def boot(self, *arguments: str) -> None:
        """Start systemd up to basic.target; raises Unavailable where it does not come up."""
        log = (self._folder / "boot.log").open("wb")
        command = [*self._nspawn(), *arguments, "--private-network", "--console=pipe", "--boot", "--"]
        self._init = subprocess.Popen(
            [*command, "systemd.unit=basic.target", "systemd.show_status=no"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=self._environment(),
        )
        log.close()
        deadline = time.monotonic() + BOOT_SECONDS
        while not (
            self._find_leader() and self.run("systemctl", "is-active", "basic.target").returncode == 0
        ):
            if self._init.poll() is not None or time.monotonic() > deadline:
                said = (self._folder / "boot.log").read_text(errors="replace").strip().splitlines()
                raise Unavailable(f"systemd does not boot in a container here: {' | '.join(said[-3:])}")
            time.sleep(0.1)

    def run(
        self, *command: str, groups: str | None = None, seconds: float = COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside: as root, or as nobody who is a member of `groups` ("" for none)."""
        become = []
        if groups is not None:
            member = f"--groups={groups}" if groups else "--clear-groups"
            become = ["setpriv", "--reuid=nobody", "--regid=nogroup", member, "--"]
        variables = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8"]
        return _run(self.entered(*variables, *become, *command), timeout=seconds)

    def entered(self, *command: str) -> list[str]:
        """The command line that runs a command inside, as root, with this system's variables."""
        return ["nsenter", f"--target={self._leader}", "--all", "--", *command]

    def close(self) -> None:
        """End the machine's processes, unmount, and remove what control groups it left."""
        if self._init is not None:
            if self._init.poll() is None:
                self._init.send_signal(signal.SIGTERM)
                try:
                    self._init.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    self._init.kill()
                    self._init.wait(END_SECONDS)
            if self._leader:
                until(lambda: not Path(f"/proc/{self._leader}").exists(), seconds=END_SECONDS, what="its end")
        for mounted in reversed(self._mounted):
            subprocess.run(["umount", "--lazy", str(mounted)], check=False)
        (self._folder / "boot.log").unlink(missing_ok=True)
        self._folder.rmdir()
        for group in sorted(_control_groups() - self._groups, reverse=True):
            with suppress(OSError):  # not ours, and in use
                group.rmdir()

    def _mount(self, *arguments: str | Path) -> None:
        done = _run(["mount", *map(str, arguments)], timeout=COMMAND_SECONDS)
        if done.returncode != 0:
            raise Unavailable(f"the kernel refuses a mount: {done.stdout.strip()}")
        self._mounted.append(Path(arguments[-1]))

    def _nspawn(self) -> list[str]:
        name = f"sound-detector-{os.getpid()}"
        options = ["--quiet", f"--directory={self.root}", f"--machine={name}", "--register=no", "--keep-unit"]
        return ["systemd-nspawn", *options]

    def _environment(self) -> dict[str, str]:
        return os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}

    def _find_leader(self) -> int:
        """Process 1 of the machine, as this system numbers it."""
        if not self._leader and self._init is not None:
            with suppress(OSError):
                children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text().split()
                named = [
                    pid for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd"
                ]
                self._leader = int(named[0]) if named else 0
        return self._leader


def _run(
    command: Sequence[str], *, timeout: float, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        env=env,
        check=False,
        start_new_session=True,  # what is meant for a group of processes inside stays away from ours
    )


def _control_groups() -> set[Path]:
    """The groups that systemd-nspawn makes below its own."""
    return {
        path for name in ("payload", "supervisor") for path in Path("/sys/fs/cgroup").glob(f"**/{name}/**")
    }
