"""Grey pictures as PNG, the format that every browser reads, with the standard library alone."""

from __future__ import annotations

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY_8_BIT = bytes((8, 0, 0, 0, 0))
"""Bit depth, colour type grey; then compression, filter and interlacing, where there is no choice."""

_PLAIN = b"\x00"
"""Before each row: its bytes are the pixels themselves."""


def grey_png(pixels: bytes, width: int) -> bytes:
    """Encode 8-bit grey pixels, row after row from the top, each of `width` > 0 pixels; 0 is black.

    Raises ValueError where the pixels fill no whole number of rows. Source: PNG specification, W3C, 2003.
    """
    height, rest = divmod(len(pixels), width)
    if rest or not height:
        raise ValueError(f"{len(pixels)} pixels are no rows of {width}")
    rows = b"".join(_PLAIN + pixels[at : at + width] for at in range(0, len(pixels), width))
    header = struct.pack(">II", width, height) + _GREY_8_BIT
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
