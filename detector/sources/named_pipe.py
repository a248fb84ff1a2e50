"""A named pipe, opened when it is first read: whoever writes to it may start later."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from detector.errors import UnsupportedFormat


class NamedPipe:
    """Fills what `Pipe` needs of a binary stream."""

    def __init__(self, path: str) -> None:
        """Raises UnsupportedFormat where there is no named pipe."""
        self._path = path
        self._descriptor: int | None = None
        try:
            is_pipe = stat.S_ISFIFO(Path(path).stat().st_mode)
        except OSError as error:
            raise UnsupportedFormat(
                f"the pipe {path} cannot be opened: {error.strerror}; make it with: mkfifo {path}"
            ) from error
        if not is_pipe:
            raise UnsupportedFormat(f"{path} is not a named pipe; a recording is given as a file")

    def read(self, size: int) -> bytes:
        """Wait for the next bytes, at most `size`; none once every writer has closed it."""
        if self._descriptor is None:
            # Without O_NONBLOCK the open itself would wait for a writer.
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            select.select([self._descriptor], [], [])
            os.set_blocking(self._descriptor, True)
        return os.read(self._descriptor, size)

    def close(self) -> None:
        """Close it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
