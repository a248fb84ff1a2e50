"""Spectrogram and sound as the binary frames of a WebSocket: 16 bytes of head, then columns or samples.

Both begin with a one, the version of the frame; numbers are little-endian.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct

from detector.wire.live_bodies import SoundBody, SpectrogramBody
from detector.wire.utc_time import utc_seconds

VERSION = 1
_SPECTROGRAM_HEAD = struct.Struct("<BBBxdf")
"""Version, bands, columns, nothing; when the newest column ends [UTC seconds]; level [dBFS]."""
_SOUND_HEAD = struct.Struct("<BxxxdI")
"""Version, nothing; when the first sample sounded [UTC seconds]; its number, as far as 32 bits go."""


def spectrogram_head(body: SpectrogramBody) -> dict[str, object]:
    """What holds for all frames of a spectrogram."""
    return {
        "bands": body.bands,
        "low_hertz": body.low_hertz,
        "high_hertz": body.high_hertz,
        "scale": "mel",
        "columns_per_second": body.columns_per_second,
        "source": body.source,
    }


def spectrogram_frame(body: SpectrogramBody) -> bytes | None:
    """Columns, the oldest first, each with its low band first; None where a message is damaged."""
    data = _bytes_of(body.data)
    if not 0 < body.bands < 256 or not 0 < body.columns < 256 or len(data) != body.bands * body.columns:
        return None
    level = math.nan if body.level_dbfs is None else body.level_dbfs
    return _SPECTROGRAM_HEAD.pack(VERSION, body.bands, body.columns, _seconds(body.time), level) + data


def sound_head(body: SoundBody) -> dict[str, object]:
    """What holds for all frames of live sound."""
    return {"sample_rate": body.sample_rate, "channels": 1, "format": "s16le", "source": body.source}


def sound_frame(body: SoundBody) -> bytes | None:
    """Samples of 16 bits; None where a message is damaged."""
    data = _bytes_of(body.data)
    if body.sample_rate <= 0 or not data or len(data) % 2:
        return None
    first = _seconds(body.time) - len(data) / 2 / body.sample_rate
    return _SOUND_HEAD.pack(VERSION, first, body.start & 0xFFFFFFFF) + data


def _seconds(time: str | None) -> float:
    seconds = utc_seconds(time)
    return math.nan if seconds is None else seconds


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
