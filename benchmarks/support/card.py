"""A memory card made of a file: ext4 as on Raspberry Pi OS, on a loop device that counts what is written.

Needs root and util-linux's losetup.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

FEATURES = "^64bit,^huge_file"
"""What pi-gen's export-image/prerun.sh gives mkfs.ext4 for the root file system."""

MOUNT_OPTIONS = "defaults,noatime"
"""The root file system's line in Raspberry Pi OS's /etc/fstab; so ext4 commits every 5 s, its default."""

SECTOR_BYTES = 512
"""The unit of the kernel's counters, whatever the device."""

CARD_BYTES = 1 << 30

ALONE = "SOUND_DETECTOR_BENCHMARK_MOUNTS"
"""Set where the mounts are this program's own."""


def missing() -> str | None:
    """Why no card can be made here, fit for a skip reason; None where one can."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return "a loop device with a file system of its own needs root"
    if not Path("/dev/loop-control").exists():
        return "this kernel has no loop devices"
    return None


@dataclass(frozen=True, slots=True)
class Written:
    """What a block device was asked to write; `later - earlier` is what came between."""

    bytes: int
    requests: int
    flushes: int

    def __sub__(self, earlier: Written) -> Written:
        return Written(
            self.bytes - earlier.bytes, self.requests - earlier.requests, self.flushes - earlier.flushes
        )


def run(*command: str | Path) -> str:
    """Run a command; its output. Raises SystemExit with what it said where it fails."""
    done = subprocess.run(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stdout.strip()}")
    return done.stdout


def alone(module: str) -> None:
    """Start this program again where nobody else sees its mounts, and so keeps them in use."""
    if os.environ.get(ALONE) is None:
        command = ["unshare", "--mount", "--", sys.executable, "-m", module, *sys.argv[1:]]
        os.execvpe(command[0], command, os.environ | {ALONE: "1"})  # noqa: S606


def make_file_system(path: Path) -> None:
    """Format a file or device; all tables are written now, not by the kernel while something is measured."""
    run("mkfs.ext4", "-q", "-F", "-O", FEATURES, "-E", "lazy_itable_init=0,lazy_journal_init=0", path)


class Card:
    """A mounted card below a folder; leaving it unmounts it and removes the file."""

    def __init__(self, folder: Path, name: str, options: str = MOUNT_OPTIONS) -> None:
        self.folder = folder / name
        """Where it is mounted."""
        self._file = folder / f"{name}.img"
        self._options = options
        self._device = ""

    def __enter__(self) -> Self:
        self.folder.mkdir()
        with self._file.open("wb") as file:
            file.truncate(CARD_BYTES)
        make_file_system(self._file)
        self._device = run("losetup", "--find", "--show", self._file).strip()
        try:
            run("mount", "-t", "ext4", "-o", self._options, self._device, self.folder)
        except SystemExit:
            run("losetup", "--detach", self._device)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        run("umount", self.folder)
        run("losetup", "--detach", self._device)
        self._file.unlink()
        self.folder.rmdir()

    def written(self) -> Written:
        """What reached the device since it was made; what is still in the kernel's memory does not count."""
        return read_counters((Path("/sys/block") / Path(self._device).name / "stat").read_text())


def read_counters(line: str) -> Written:
    """The kernel's counters of a block device (Documentation/block/stat.rst)."""
    fields = [int(text) for text in line.split()]
    return Written(bytes=fields[6] * SECTOR_BYTES, requests=fields[4], flushes=fields[15])
