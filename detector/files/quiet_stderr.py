"""Hides what native libraries write straight to file descriptor 2, where no Python setting reaches them.

PortAudio's set-up lets ALSA and JACK write 80 to 100 lines, runtimes greet, libmpg123 complains about
intact files. The descriptor is pointed at /dev/null for just that call. What other threads write in that
moment is lost too. Several threads may do this at once: the last one puts the descriptor back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_guard = threading.Lock()
_hushed: list[int] = []
"""What descriptor 2 was, once for each who has it hushed now; the last one puts it back."""


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what the process writes to file descriptor 2 inside the `with` block."""
    with _guard:
        try:
            kept = _hushed[-1] if _hushed else os.dup(2)
        except OSError:  # a service may run with standard error closed: nothing to hush
            kept = -1
        if kept >= 0 and not _hushed:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        if kept >= 0:
            _hushed.append(kept)
    try:
        yield
    finally:
        with _guard:
            if kept >= 0:
                _hushed.pop()
                if not _hushed:
                    os.dup2(kept, 2)
                    os.close(kept)
