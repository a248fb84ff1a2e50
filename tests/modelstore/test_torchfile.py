"""Checkpoints without PyTorch: plain tensors are read, whatever else a pickle may want is refused."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from detector.errors import ModelError
from detector.modelstore.torchfile import read_state_dict
from tests.support.small_models import Checkpoint


def packed(pickled: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("small/data.pkl", pickled)
    return file.getvalue()


def test_tensors_come_back_with_name_shape_and_values() -> None:
    rng = np.random.default_rng(0)
    tensors = {
        "w": rng.standard_normal((3, 2, 1)).astype(np.float32),
        "n": np.array(7, np.int64),
        "empty": np.zeros(0, np.float32),
    }
    state = read_state_dict(Checkpoint(tensors).packed())
    assert list(state) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(state[name], tensor)
        assert state[name].shape == tensor.shape


def test_nothing_but_a_tensor_can_be_called() -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return os.system, ("false",)

    with pytest.raises(ModelError, match="which no plain state dict needs"):
        read_state_dict(packed(pickle.dumps({"w": Evil()})))


@pytest.mark.parametrize("content", [b"", b"no zip", packed(b""), packed(b"\x80\x02junk"), packed(b"}b.")])
def test_a_damaged_file_is_one_line(content: bytes) -> None:
    with pytest.raises(ModelError, match="the weights file is damaged") as caught:
        read_state_dict(content)
    assert "\n" not in str(caught.value)


def test_something_else_than_named_tensors_is_refused() -> None:
    with pytest.raises(ModelError, match="something other than named tensors"):
        read_state_dict(packed(pickle.dumps({"w": 3})))


def test_a_turned_tensor_is_refused() -> None:
    content = Checkpoint({"w": np.zeros((3, 2), np.float32)}, strides={"w": (1, 3)}).packed()
    with pytest.raises(ModelError, match=r"layout \(1, 3\), expected \(2, 1\)"):
        read_state_dict(content)
