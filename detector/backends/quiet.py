"""Hides what native libraries write to file descriptor 2 while they start."""

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
