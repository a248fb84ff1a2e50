"""Draw the icons of the page (detector/web/static/icons/) from one list of shapes: SVG, and PNG for phones.

    .venv/bin/python scripts/make_icons.py

The shapes are those of `mark` in detector/web/static/icons.js.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

ICONS = Path(__file__).resolve().parents[1] / "detector/web/static/icons"
BARS = ((2, 9.5, 5), (6.5, 6.5, 11), (11, 8, 12.5), (15.5, 7.5, 9), (20, 10, 4))
"""x, y and height of each bar, in a square of 24; all are 2 wide with round ends."""
DOT = (12, 4.5, 1.75)
"""x, y and radius."""
PAPER = (13, 32, 30)
INK = (99, 205, 186)
FINER = 4
"""Samples per pixel, along each side."""


def svg() -> str:
    """The icon as a drawing; a browser's tab shows it."""
    bars = "".join(f'<rect x="{x}" y="{y}" width="2" height="{h}" rx="1"/>' for x, y, h in BARS)
    paper, ink = ("#" + bytes(colour).hex() for colour in (PAPER, INK))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6 -6 36 36">'
        f'<rect x="-6" y="-6" width="36" height="36" rx="8" fill="{paper}"/>'
        f'<g fill="{ink}">{bars}<circle cx="{DOT[0]}" cy="{DOT[1]}" r="{DOT[2]}"/></g></svg>\n'
    )


def pixels(size: int, margin: float, corner: float) -> np.ndarray:
    """The icon as RGBA, uint8, shape (size, size, 4).

    `margin` is the space around the mark, `corner` the radius of the paper's corners, in the mark's units.
    """
    side = 24 + 2 * margin
    steps = (np.arange(size * FINER) + 0.5) / (size * FINER) * side - margin
    x, y = np.meshgrid(steps, steps)
    ink = np.hypot(x - DOT[0], y - DOT[1]) <= DOT[2]
    for left, top, height in BARS:
        nearest = np.clip(y, top + 1, top + height - 1)
        ink |= np.hypot(x - left - 1, y - nearest) <= 1
    low, high = corner - margin, 24 + margin - corner
    paper = np.hypot(x - np.clip(x, low, high), y - np.clip(y, low, high)) <= max(corner, 1e-9)
    fine = np.zeros((*x.shape, 4))
    fine[..., :3] = np.where(ink[..., None], INK, PAPER)
    fine[..., 3] = 255.0 * paper
    blocks = fine.reshape(size, FINER, size, FINER, 4).mean(axis=(1, 3))
    return blocks.round().astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    """An RGBA picture as a PNG file."""
    size = image.shape[0]
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def draw() -> dict[str, bytes]:
    """Every icon: the name of its file, and what it holds."""
    return {
        "icon.svg": svg().encode(),
        "icon-192.png": png(pixels(192, margin=6, corner=8)),
        "icon-512.png": png(pixels(512, margin=6, corner=8)),
        # A phone cuts its own shape out of these two: paper to the edge, the mark well inside.
        "icon-maskable-512.png": png(pixels(512, margin=10, corner=0)),
        "apple-touch-icon.png": png(pixels(180, margin=7, corner=0)),
    }


if __name__ == "__main__":
    ICONS.mkdir(parents=True, exist_ok=True)
    for name, content in draw().items():
        (ICONS / name).write_bytes(content)
