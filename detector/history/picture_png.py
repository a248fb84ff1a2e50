"""A picture of an event as a PNG file."""

from __future__ import annotations

from detector.files.grey_png import grey_png
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
    return grey_png(grey, picture.width)
