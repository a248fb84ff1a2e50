"""Open files of which nothing can be asked any more, as where a share went away."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def kill_descriptor(path: Path) -> None:
    """Close the descriptor of this process that has the file open, behind the back of whoever opened it."""
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            if link.readlink() == path:
                os.close(int(link.name))
