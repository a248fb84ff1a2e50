"""The weights in a PyTorch checkpoint, read without PyTorch: a zip of one pickle and one file per tensor.

A pickle can call anything, so the names that it may use are the four that a state dict of plain tensors
needs; any other is refused. Source: PyTorch's notes on serialization (docs/source/notes/serialization.rst).
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError

MAX_BYTES = 256 * 1024 * 1024
"""Of all tensors together; mn04 has 4 MB."""

_Foreign: TypeAlias = Any
"""What a pickle may name or hold."""

_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_state_dict(content: bytes) -> dict[str, NDArray[Any]]:
    """Return name -> tensor; ModelError where the file is damaged or holds anything but such tensors."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise ModelError(f"the weights file holds more than {MAX_BYTES} bytes")
            pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            state = _Unpickler(archive, pickled).load()
    except ModelError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise ModelError(f"the weights file is damaged: {' '.join(str(error).split())}") from error
    if not isinstance(state, dict) or not all(isinstance(value, np.ndarray) for value in state.values()):
        raise ModelError("the weights file holds something other than named tensors")
    return dict(state)


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, pickled: str) -> None:
        super().__init__(io.BytesIO(archive.read(pickled)))
        self._archive = archive
        self._folder = pickled.removesuffix("data.pkl") + "data/"

    def find_class(self, module: str, name: str) -> _Foreign:
        """Return what the pickle may refer to by this name."""
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise ModelError(f"the weights file refers to {module}.{name}, which no plain state dict needs")

    def persistent_load(self, pid: _Foreign) -> NDArray[Any]:
        """Return a storage: (kind, dtype, file name, device, length)."""
        _, dtype, key, *_ = pid
        return np.frombuffer(self._archive.read(f"{self._folder}{key}"), dtype)


def _rebuild(
    storage: NDArray[Any], offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> NDArray[Any]:
    """Cut a tensor out of its storage; only the plain layout, last axis fastest, is taken."""
    plain = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    if stride != plain and 0 not in shape:
        raise ModelError(f"the weights file holds a tensor of layout {stride}, expected {plain}")
    return storage[offset : offset + math.prod(shape)].reshape(shape)
