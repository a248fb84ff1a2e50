"""Embeddings as few bytes: one for each feature, so that a thousand events take one megabyte.

What is kept is the signed square root of each feature, in 127 steps of the greatest one: verdicts compare the
square roots, and small features weigh more in them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 127
_SCALE = np.dtype("<f4")


def pack(values: NDArray[np.float32]) -> bytes:
    """Bytes for an embedding (features,), of which `unpack` makes nearly the same again."""
    roots = np.sign(values) * np.sqrt(np.abs(values))
    greatest = np.float32(np.abs(roots).max(initial=0.0))
    if not np.isfinite(greatest):
        raise ValueError("an embedding has finite numbers")
    steps = np.zeros(len(values)) if greatest == 0 else roots * (_STEPS / greatest)
    return greatest.astype(_SCALE).tobytes() + np.rint(steps).astype(np.int8).tobytes()


def unpack(packed: bytes) -> NDArray[np.float32]:
    """The embedding (features,); raises ValueError for what `pack` has not made."""
    if len(packed) <= _SCALE.itemsize:
        raise ValueError("an embedding has features")
    greatest = np.frombuffer(packed, _SCALE, 1)[0]
    roots = np.frombuffer(packed, np.int8, offset=_SCALE.itemsize).astype(np.float32)
    if not (np.isfinite(greatest) and greatest >= 0):
        raise ValueError("an embedding has finite numbers")
    roots *= greatest / np.float32(_STEPS)
    values: NDArray[np.float32] = np.sign(roots) * np.square(roots)
    return values
