"""Large pieces of memory go back to the system as soon as they are free."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
"""mallopt(3)."""
LARGE_BYTES = 2**20


def return_large_memory() -> None:
    """Keep glibc from learning to keep them; elsewhere nothing happens.

    It would hold the 16 MB that scrypt takes for a log-in from the second log-in on, for ever.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
