"""Grey PNG files: read back by another reader, and by the format's own rules."""

from __future__ import annotations

import io

import numpy as np
import pytest

from detector.files.grey_png import grey_png
from tests.support.grey_pixels import grey_pixels


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 100), (2, 8192)])
def test_pixels_come_back(shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    np.testing.assert_array_equal(grey_pixels(grey_png(pixels.tobytes(), shape[1])), pixels)


def test_another_program_reads_them():
    image = pytest.importorskip("PIL.Image")
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(grey_png(pixels.tobytes(), 4)))), pixels)


@pytest.mark.parametrize(("pixels", "width"), [(b"", 4), (b"12345", 2)])
def test_what_is_no_picture_is_refused(pixels, width):
    with pytest.raises(ValueError, match="no rows of"):
        grey_png(pixels, width)
