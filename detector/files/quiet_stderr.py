"""Hides what native libraries write straight to file descriptor 2, where no Python setting reaches them.

PortAudio's set-up lets ALSA and JACK write 80 to 100 lines, runtimes greet, libmpg123 complains about
intact files. The descriptor is pointed at /dev/null for just that call. What other threads write in that
moment is lost too, and two threads must not do this at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what the process writes to file descriptor 2 inside the `with` block."""
    try:
        kept = os.dup(2)
    except OSError:  # a service may run with standard error closed: nothing to hush
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
