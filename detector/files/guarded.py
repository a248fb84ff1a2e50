"""Reading and writing files in folders that somebody else may write to, without being led astray.

Only regular files are read: a named pipe would hang the reader, a device would never end. A link is followed
only where nobody else could have put it. What is written is new: nothing is written through a link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_MAX_LINKS = 40
"""Links on the way to one file, as the kernel counts them."""
_UNMAPPED_OWNER = 65534
"""Who owns, inside a user namespace, what belongs to nobody in it: the machine around it."""
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_CLOSED: int = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)


def is_root() -> bool:
    """Whether this process may do everything, so that being led astray would cost everything."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def changeable_by_others(path: Path) -> Path | None:
    """Name the first folder, link or file on the way to `path` that others may change (not root or oneself).

    None where nobody else may, and on Windows, where this cannot be told. What is not there counts as closed.
    In a folder with the sticky bit, such as /tmp, others cannot replace what is there.
    """
    if not hasattr(os, "geteuid"):
        return None
    owners = _own_ids()
    here, waiting, links = Path("/"), list(reversed(path.absolute().parts[1:])), 0
    while True:
        try:
            status = here.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return here
        if status.st_uid not in owners:
            return here
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MAX_LINKS:
                return here
            target = here.readlink()
            waiting.extend(reversed(target.parts[1:] if target.is_absolute() else target.parts))
            here = Path("/") if target.is_absolute() else here.parent
            continue
        if _open_to_others(status) and not (waiting and status.st_mode & stat.S_ISVTX):
            return here
        if not waiting:
            return None
        name = waiting.pop()
        here = here.parent if name == ".." else here / name


def owner_name(path: Path) -> str:
    """Name the owner of a file, folder or link itself; the number where that has no name."""
    owner = path.lstat().st_uid
    try:
        import pwd

        return pwd.getpwuid(owner).pw_name
    except (ImportError, KeyError):
        return str(owner)


def is_file(path: Path) -> bool:
    """Whether there is a file; unlike Path.is_file, False and no error where this user may not look."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether there is a folder; unlike Path.is_dir, False and no error for a name that cannot be."""
    return os.path.isdir(path)  # noqa: PTH112


def read_file(path: Path, *, max_bytes: int, links: bool = False) -> bytes:
    """Read a regular file, at most `max_bytes` + 1 bytes of it, so that a caller sees that it is too long.

    OSError where it cannot be read, is no regular file, or is a link that others could have put there; with
    `links` also such a link is followed.
    """
    flags = os.O_RDONLY | _CLOSED | _NO_WAIT
    if not links and changeable_by_others(path.parent) is not None:
        flags |= _NO_FOLLOW
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP and path.is_symlink():
            reason = "is a link in a folder that others may write to: put the file itself there"
            raise OSError(errno.ELOOP, reason, str(path)) from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        return file.read(max_bytes + 1)


def read_named(path: str | Path, *, max_bytes: int, links: bool = True) -> bytes:
    """The same for a file that a user names; OSError.

    What a shell hands over under /dev or /proc, such as `<(command)` or /dev/stdin, may be a pipe.
    """
    if str(path).startswith(("/dev/", "/proc/")):
        with Path(path).open("rb") as file:
            return file.read(max_bytes + 1)
    return read_file(Path(path), max_bytes=max_bytes, links=links)


@contextmanager
def part_file(target: Path) -> Iterator[BinaryIO]:
    """Open `TARGET.part` to read and write, as an earlier try left it, else new and empty.

    What lies there and is not a file of this user's own, such as a link, a pipe or another user's file, is
    removed first. OSError.
    """
    part = part_of(target)
    for _ in range(2):
        with _opened(part) as file:
            if file is not None:
                yield file
                return
        part.unlink(missing_ok=True)
    raise OSError(errno.EEXIST, "somebody else puts files in its place", str(part))


def part_of(target: Path) -> Path:
    """The path of a target's part file, which is written until it is complete."""
    return target.with_name(target.name + ".part")


def replace_file(target: Path, content: bytes, *, like: os.stat_result | None = None) -> None:
    """Put `content` in the place of `target`, whole or not at all; a link there is replaced. OSError.

    The file gets the mode, owner and group of `like`; if this user may not give it those, nothing is written.
    """
    with part_file(target) as file:
        file.truncate(0)
        if like is not None:
            own = os.fstat(file.fileno())
            if (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part_of(target).replace(target)


@contextmanager
def _opened(part: Path) -> Iterator[BinaryIO | None]:
    """The part file, or None where something else has its name."""
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | _NO_FOLLOW | _CLOSED | _NO_WAIT, 0o644)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES):
            raise
        yield None
        return
    status = os.fstat(descriptor)
    own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    if not own or not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        yield None
        return
    with os.fdopen(descriptor, "r+b") as file:
        yield file


def _own_ids() -> set[int]:
    """Root, this user, and in a user namespace whoever owns the machine around it."""
    ids = {0, os.geteuid()}
    try:
        ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except OSError:
        return ids
    if not any(int(first) <= _UNMAPPED_OWNER < int(first) + int(count) for first, _, count in ranges):
        ids.add(_UNMAPPED_OWNER)
    return ids


def _open_to_others(status: os.stat_result) -> bool:
    if status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_private_group(status.st_gid)


def _is_private_group(group: int) -> bool:
    """Whether it is root's group, or one that has its only member's name, as many systems give each user."""
    if group == 0:
        return True
    try:
        import grp
        import pwd

        name, entry = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except (ImportError, KeyError):
        return False
    return entry.gr_name == name and set(entry.gr_mem) <= {name}
