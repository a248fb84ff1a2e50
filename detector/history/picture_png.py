"""A picture of an event as a PNG file, made with zlib alone.

Format: W3C Portable Network Graphics, third edition: signature, IHDR, IDAT, IEND; 8-bit grey, no interlace.
"""

from __future__ import annotations

import struct
import zlib

from detector.history.picture_table import EventPicture

SHADE_RANGE = 100
"""Values from black to white, 50 dB: more than that below the loudest is black."""


def picture_png(picture: EventPicture) -> bytes:
    """The PNG file of a picture: the loudest is white, what is 50 dB below it is black."""
    loudest = max(picture.rows, default=0)
    darkest = max(0, loudest - SHADE_RANGE)
    span = max(1, loudest - darkest)
    shades = bytes(max(0, min(255, (value - darkest) * 255 // span)) for value in range(256))
    grey = picture.rows.translate(shades)
    lines = (grey[start : start + picture.width] for start in range(0, len(grey), picture.width))
    scanlines = b"".join(b"\0" + line for line in lines)  # each begins with its filter: none
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(scanlines, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
