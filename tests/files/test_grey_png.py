"""Grey PNG files: read back by another reader, and by the format's own rules."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest

from detector.files.grey_png import grey_png


def read_back(png: bytes) -> np.ndarray:
    """The pixels, shape (height, width), by the rules of the format; each chunk's checksum is compared."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, chunks = 8, {}
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", png, place + 8 + length) == (zlib.crc32(kind + content),)
        chunks[kind] = content
        place += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 100), (2, 8192)])
def test_pixels_come_back(shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    np.testing.assert_array_equal(read_back(grey_png(pixels.tobytes(), shape[1])), pixels)


def test_another_program_reads_them():
    image = pytest.importorskip("PIL.Image")
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(grey_png(pixels.tobytes(), 4)))), pixels)


@pytest.mark.parametrize(("pixels", "width"), [(b"", 4), (b"12345", 2)])
def test_what_is_no_picture_is_refused(pixels, width):
    with pytest.raises(ValueError, match="no rows of"):
        grey_png(pixels, width)
