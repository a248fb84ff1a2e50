"""A disk whose power can be cut: what was written since the last flush may be missing, in part or whole.

A small server for the kernel's FUSE shows one file, which a loop device makes a disk of. It keeps apart what
was flushed, which a disk must still have after a power cut, and what was only written, of which a disk with
a cache may have all, nothing or some blocks, in any order. The kernel's file system on it knows of nothing.

The server is a process of its own: one that waits for its own disk would wait for ever. Needs root, /dev/fuse
and loop devices.

    python -m benchmarks.support.cut_disk IMAGE FILE    # serves a copy of IMAGE as FILE; commands on stdin
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import select
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from benchmarks import ROOT
from benchmarks.support import card
from benchmarks.support.card import run

CacheFate = Literal["all", "none", "some"]
"""What becomes of the writes that were not flushed."""

FATES: tuple[CacheFate, ...] = ("all", "none", "some")

BLOCK_BYTES = 4096
"""A block is written whole or not at all."""

MOST_BYTES = 128 * 1024
"""Of one write."""

# From the kernel's include/uapi/linux/fuse.h.
INIT, GETATTR, SETATTR, OPEN, READ, WRITE, RELEASE, FSYNC, FLUSH = 26, 3, 4, 14, 15, 16, 18, 20, 25
FORGET, BATCH_FORGET, INTERRUPT, DESTROY = 2, 42, 36, 38
VERSION = (7, 31)
BIG_WRITES = 1 << 5
DIRECT_IO = 1
REGULAR_FILE = 0o100600
IN_HEADER, OUT_HEADER = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
INIT_OUT = struct.Struct("<IIIIHHIIHHI28x")
ATTR_OUT = struct.Struct("<QII6Q10I")
READ_IN, WRITE_IN = struct.Struct("<QQI"), struct.Struct("<QQII16x")


class FlushedDisk:
    """The bytes of a disk: those that were flushed, and the writes since then."""

    def __init__(self, image: Path) -> None:
        """`image` becomes the disk as the kernel sees it; a copy beside it, what is safe."""
        self._safe_path = image.with_suffix(".safe")
        shutil.copyfile(image, self._safe_path)
        self._now, self._safe = os.open(image, os.O_RDWR), os.open(self._safe_path, os.O_RDWR)
        self._unsafe: list[tuple[int, bytes]] = []
        self.size = image.stat().st_size
        """Bytes."""

    def read(self, offset: int, size: int) -> bytes:
        """What was written last."""
        return os.pread(self._now, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        """Take a write into the cache."""
        os.pwrite(self._now, data, offset)
        self._unsafe.append((offset, data))

    def flush(self) -> None:
        """Make all writes safe."""
        for offset, data in self._unsafe:
            os.pwrite(self._safe, data, offset)
        self._unsafe.clear()

    def cut(self, target: Path, fate: CacheFate, chance: random.Random) -> int:
        """Make the image that is there after a power cut; returns how many writes were not flushed."""
        shutil.copyfile(self._safe_path, target)
        with target.open("r+b", buffering=0) as file:
            for offset, data in self._unsafe if fate != "none" else ():
                for at in range(0, len(data), BLOCK_BYTES):
                    if fate == "all" or chance.random() < 0.5:
                        os.pwrite(file.fileno(), data[at : at + BLOCK_BYTES], offset + at)
        return len(self._unsafe)


class Server:
    """Answers the kernel's requests for the one file."""

    def __init__(self, disk: FlushedDisk, file: Path) -> None:
        self._disk = disk
        self.kernel = os.open("/dev/fuse", os.O_RDWR)
        """What requests are read from."""
        options = f"fd={self.kernel},rootmode={REGULAR_FILE:o},user_id=0,group_id=0"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"cut-disk", os.fsencode(file), b"fuse", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "the kernel does not mount it", str(file))

    def serve_one(self) -> bool:
        """Answer one request; False where the file was unmounted."""
        try:
            request = os.read(self.kernel, MOST_BYTES + 4096)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return False
            if error.errno in (errno.ENOENT, errno.EINTR):  # the request was withdrawn
                return True
            raise
        _, operation, unique, *_ = IN_HEADER.unpack_from(request)
        if operation in (FORGET, BATCH_FORGET, INTERRUPT):
            return True
        answer = self._answer(operation, request[IN_HEADER.size :])
        failed, body = (answer, b"") if isinstance(answer, int) else (0, answer)
        os.write(self.kernel, OUT_HEADER.pack(OUT_HEADER.size + len(body), -failed, unique) + body)
        return bool(operation != DESTROY)

    def _answer(self, operation: int, body: bytes) -> bytes | int:
        """What a request gets: bytes, or the number of an error."""
        if operation == INIT:
            return INIT_OUT.pack(*VERSION, MOST_BYTES, BIG_WRITES, 16, 12, MOST_BYTES, 1, 0, 0, 0)
        if operation in (GETATTR, SETATTR):
            times, nanoseconds, owner_and_device = (0, 0, 0), (0, 0, 0), (0, 0, 0)
            sizes = (self._disk.size, self._disk.size // card.SECTOR_BYTES)
            kind = (REGULAR_FILE, 1, *owner_and_device, BLOCK_BYTES)
            return ATTR_OUT.pack(1, 0, 0, 1, *sizes, *times, *nanoseconds, *kind, 0)
        if operation == OPEN:
            return struct.pack("<QII", 1, DIRECT_IO, 0)
        if operation == READ:
            _, offset, size = READ_IN.unpack_from(body)
            return self._disk.read(offset, size)
        if operation == WRITE:
            _, offset, size, _ = WRITE_IN.unpack_from(body)
            self._disk.write(offset, body[WRITE_IN.size : WRITE_IN.size + size])
            return struct.pack("<II", size, 0)
        if operation == FSYNC:
            self._disk.flush()
            return b""
        if operation in (RELEASE, DESTROY):
            return b""
        return errno.ENOSYS


class CutDisk:
    """A mounted file system on such a disk, as its user sees it; leaving it unmounts all."""

    def __init__(self, image: Path, folder: Path) -> None:
        """`image` is a formatted file, which is written to; `folder` is where it is mounted."""
        self.folder = folder
        self._file = image.with_suffix(".disk")
        self._image = image
        self._device = ""
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._file.touch()
        self.folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.support.cut_disk", str(self._image), str(self._file)]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self._say("ready")
        self._device = run("losetup", "--find", "--show", self._file).strip()
        run("mount", "-t", "ext4", "-o", card.MOUNT_OPTIONS, self._device, self.folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        run("umount", self.folder)
        run("losetup", "--detach", self._device)
        run("umount", "--lazy", self._file)  # the kernel may still be about to let the loop device go
        self._server.kill()
        self._server.communicate()

    def cut(self, target: Path, fate: CacheFate, seed: int) -> int:
        """Write the image of this moment's power cut; returns how many writes were not flushed."""
        return int(self._say(f"{fate} {seed} {target}"))

    def _say(self, command: str) -> str:
        assert self._server is not None and self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(command + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        if not answer:
            raise SystemExit("the server of the disk has ended")
        return answer


def missing() -> str | None:
    """Why there can be no such disk here, fit for a skip reason; None where there can."""
    if (reason := card.missing()) is not None:
        return reason
    return None if Path("/dev/fuse").exists() else "this kernel has no FUSE"


def main(arguments: Sequence[str]) -> None:
    """Serve until the file is unmounted."""
    image, file = map(Path, arguments)
    disk = FlushedDisk(image)
    server = Server(disk, file)
    wanted: list[int] = [server.kernel, sys.stdin.fileno()]
    while True:
        ready, _, _ = select.select(wanted, [], [])
        if server.kernel in ready and not server.serve_one():
            return
        if sys.stdin.fileno() in ready:
            line = os.read(sys.stdin.fileno(), 4096).decode().strip()
            if not line:
                wanted.remove(sys.stdin.fileno())
            elif line == "ready":
                print("ready", flush=True)
            else:
                wanted_fate, seed, target = line.split(" ", 2)
                fate = next(fate for fate in FATES if fate == wanted_fate)
                print(disk.cut(Path(target), fate, random.Random(int(seed))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
