"""Embeddings as bytes and back."""

from __future__ import annotations

import numpy as np
import pytest

from detector.verdicts.embedding_code import pack, unpack


def test_what_is_unpacked_is_near_to_what_was_packed() -> None:
    values = np.random.default_rng(0).exponential(0.4, 1024).astype(np.float32)
    values[::3] = 0.0
    packed = pack(values)
    assert len(packed) == 1028
    again = unpack(packed)
    assert again.dtype == np.float32
    roots, before = np.sqrt(again), np.sqrt(values)
    cosine = roots @ before / (np.linalg.norm(roots) * np.linalg.norm(before))
    assert cosine > 0.9999


def test_signs_and_zeros_stay() -> None:
    assert np.sign(unpack(pack(np.float32([-4.0, 0.0, 9.0])))).tolist() == [-1.0, 0.0, 1.0]
    assert unpack(pack(np.zeros(3, np.float32))).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("damaged", [b"", b"\x00" * 4, b"\x00\x00\xc0\x7f\x01", b"\x00\x00\x80\xbf\x01"])
def test_damaged_bytes_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(damaged)


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError):
        pack(np.float32([1.0, np.nan]))
