"""Files and folders that the daemon makes for itself: closed to other users, recognised, locked."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

FOLDER_MODE = 0o750
"""Owner and group; the parents that `Path.mkdir` makes would be open to everybody."""


def make_folder(path: Path) -> list[Path]:
    """Make a folder and the missing ones above it; returns those that are new, uppermost first."""
    made: list[Path] = []
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            made.append(folder)
    return made


def identity(status: os.stat_result) -> tuple[int, int]:
    """Device and inode: equal for two names of one file, different once another file has the name."""
    return status.st_dev, status.st_ino


def lock(path: Path, flags: int, *, wait: bool) -> int | None:
    """Open a file or folder with the `flags` of os.open and lock it until the descriptor returned is closed.

    None where the platform has no such locks (Windows). Raises BlockingIOError where another process holds it
    and `wait` is False; OSError.
    """
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_dead(descriptor: int) -> bool:
    """Whether nothing can be asked of an open file any more: its share went away, and may be back."""
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def release(descriptor: int) -> None:
    """Close a file of which nothing is wanted any more; a share that went away would have an error of it."""
    with contextlib.suppress(OSError):
        os.close(descriptor)
